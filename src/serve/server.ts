import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { now } from '../core/clock.js';
import { constraint, invalidArgument, RecurraError } from '../core/errors.js';
import { TextClassifier } from '../models/classifier/classifier.js';
import { LanguageModel } from '../models/language/language.js';
import { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import { TextTagger } from '../models/tagger/tagger.js';
import { parseBody } from './body.js';
import { Connections } from './connections.js';
import type { ServedModel } from './context.js';
import { failureBody, failureOf, type Refusal, refuseConnection, serverFault } from './failure.js';
import { Metrics } from './metrics.js';
import { exampleOf, type KindOfModel } from './openapi.js';
import { type ServerOptions, type ServerSettings, serverSettings } from './options.js';
import { addRoutes, documented } from './routes.js';

/** Seconds after which a refused client may try again. */
const RETRY_AFTER = 1;

/**
 * Milliseconds that idle connections are kept at shutdown, so that a request already on its way is still answered.
 */
const LAST_REQUESTS = 1_000;

/** A server that answers with a model over HTTP; {@link createServer} makes it. */
export class ModelServer {
  readonly #app: FastifyInstance;
  readonly #settings: ServerSettings;
  readonly #kind: KindOfModel['kind'];
  readonly #metrics: Metrics;
  /** Texts labelled, written or measured for a request. */
  readonly #texts = new WeakMap<FastifyRequest, number>();
  readonly #connections = new Connections();
  #running = 0;
  #listening: Promise<string> | undefined;
  #url: string | undefined;
  #closing: Promise<number> | undefined;

  private constructor(settings: ServerSettings, kind: KindOfModel['kind']) {
    this.#settings = settings;
    this.#kind = kind;
    this.#metrics = new Metrics(() => this.#running);
    const { bodyLimit, requestTimeout, trustProxy } = settings;
    this.#app = fastify({
      bodyLimit,
      requestTimeout,
      // A number of proxies is counted from this side; Fastify does not accept one, as it cannot know who connects.
      trustProxy: typeof trustProxy === 'number' ? (_: string, hop: number) => hop < trustProxy : trustProxy,
      http: { connectionsCheckingInterval: 1_000, headersTimeout: requestTimeout },
      // A request during shutdown is answered like any other, and its connection closed.
      return503OnClosing: false,
      clientErrorHandler: refuseConnection,
      frameworkErrors: (error, request, reply) => this.#refuse(error, request, reply as FastifyReply),
      // Client data is checked, not coerced.
      ajv: {
        customOptions: {
          coerceTypes: false,
          removeAdditional: false,
          useDefaults: false,
          verbose: true,
          allowUnionTypes: true,
        },
      },
    });
  }

  /** @internal */
  static async create(model: ServedModel, settings: ServerSettings): Promise<ModelServer> {
    const server = new ModelServer(settings, documented(model, settings).kind);
    const app = server.#app;
    app.server.on('connection', (socket) => server.#connections.add(socket));
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) =>
      parseBody(request, body),
    );
    app.addHook('onRequest', (request, reply, next) => {
      server.#watch(request, reply);
      next();
    });
    app.addHook('preParsing', (request, _, payload, next) => {
      const { 'content-encoding': encoding = 'identity' } = request.headers;
      if (encoding === 'identity') next(null, payload);
      else next(Object.assign(new Error('the body is encoded'), { statusCode: 415, code: '' }));
    });
    app.addHook('onSend', (_, reply, payload, next) => {
      reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
      if (server.#closing) reply.header('connection', 'close');
      next(null, payload);
    });
    app.setErrorHandler<FastifyError | Refusal>((error, request, reply) => server.#refuse(error, request, reply));
    app.setNotFoundHandler((request, reply) => server.#notFound(request, reply));
    const { rateLimit: max } = settings;
    if (max > 0) await app.register(rateLimit, { global: false });
    addRoutes(app, {
      model,
      settings,
      metrics: server.#metrics,
      stopping: () => server.#closing !== undefined,
      labelled: (request, texts) => server.#texts.set(request, texts),
      config: max > 0 ? { rateLimit: { max, timeWindow: 60_000 } } : {},
      fault: (route, error) => settings.log?.({ event: 'fault', route, error }),
    });
    await app.ready();
    return server;
  }

  /** Where the server listens, as `http://127.0.0.1:8080`; undefined before {@link listen}. */
  get url(): string | undefined {
    return this.#url;
  }

  /**
   * Starts listening.
   *
   * @returns the server's address, as `http://127.0.0.1:8080`.
   * @throws RecurraError with the code `IO` if the address cannot be bound, `DISPOSED` if the server was closed.
   */
  listen(): Promise<string> {
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  async #listen(): Promise<string> {
    if (this.#closing) throw new RecurraError('DISPOSED', 'this server has been closed');
    const { host, port } = this.#settings;
    try {
      this.#url = await this.#app.listen({ host, port });
    } catch (error) {
      const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
      throw new RecurraError(
        'IO',
        `cannot listen on ${where}: ${listenProblem(error as NodeJS.ErrnoException, port)}`,
        {
          cause: error,
        },
      );
    }
    return this.#url;
  }

  /**
   * Shuts down the server: `/ready` reports it, no new connection is accepted, and open requests are answered. The
   * model stays open. Closing twice is harmless.
   *
   * @returns the number of requests cut off because they took longer than `stopTimeout`; usually 0.
   */
  close(): Promise<number> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<number> {
    const { server } = this.#app;
    // Node would close idle connections at once, even one whose next request has just been sent.
    server.closeIdleConnections = () => {};
    const hangUpIdle = () => this.#connections.hangUpIdle();
    let cut = 0;
    const timers = [
      setTimeout(hangUpIdle, Math.min(LAST_REQUESTS, this.#settings.stopTimeout)),
      setTimeout(() => {
        cut = this.#running;
        server.closeAllConnections();
      }, this.#settings.stopTimeout),
    ];
    // Wait for a pending listen, since it cannot be stopped before.
    await this.#listening?.catch(() => {});
    await this.#app.close();
    for (const timer of timers) clearTimeout(timer);
    this.#metrics.registry.clear();
    return cut;
  }

  /** Like {@link close}, for `await using server = ...`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Counts a request, and logs its end. */
  #watch(request: FastifyRequest, reply: FastifyReply): void {
    const began = now();
    const { socket } = request.raw;
    this.#connections.begin(socket);
    this.#running++;
    reply.raw.once('close', () => {
      this.#running--;
      this.#connections.end(socket);
      const milliseconds = now() - began;
      const { method } = request;
      const texts = this.#texts.get(request) ?? 0;
      const route = request.routeOptions.url ?? 'unmatched';
      // 499: the client disconnected before it was answered.
      const status = reply.raw.writableFinished ? reply.raw.statusCode : 499;
      this.#metrics.answered(method, route, status, milliseconds / 1_000);
      this.#settings.log?.({ event: 'request', method, route, status, milliseconds, texts });
    });
  }

  #refuse(error: FastifyError | RecurraError | Refusal, request: FastifyRequest, reply: FastifyReply): void {
    let failure = failureOf(error);
    if (!failure) {
      this.#settings.log?.({ event: 'fault', route: request.routeOptions?.url ?? 'unmatched', error });
      failure = serverFault();
    }
    if (failure.status === 503) reply.header('retry-after', RETRY_AFTER);
    const { code, message, status } = failure;
    const example = failure.example ? this.#example(request) : '';
    reply.code(status).send(failureBody({ code, message: message + example }));
  }

  /** A command that sends what a route takes; empty for a path that takes no body. */
  #example({ routeOptions, protocol, host }: FastifyRequest): string {
    const path = routeOptions?.url ?? '';
    const body = exampleOf(this.#kind, path);
    if (!body) return '';
    // The header Host is the client's own word, which must not add to the command.
    const at = /^[\w.-]+(:\d+)?$|^\[[\da-f:.]+\](:\d+)?$/i.test(host) ? `${protocol}://${host}` : (this.#url ?? '');
    return `; for example: curl -H 'content-type: application/json' -d '${JSON.stringify(body)}' ${at}${path}`;
  }

  #notFound(request: FastifyRequest, reply: FastifyReply): void {
    const url = request.url.replace(/\?.*$/s, '');
    const allowed = (['GET', 'POST'] as const).filter((method) => this.#app.hasRoute({ method, url }));
    if (allowed.length > 0) {
      const message = `Expected ${allowed.join(' or ')} for ${url} but received ${request.method}`;
      reply.header('allow', allowed.join(', ')).code(405);
      reply.send(failureBody({ code: 'METHOD_NOT_ALLOWED', message }));
    } else {
      reply.code(404).send(failureBody({ code: 'NOT_FOUND', message: `there is nothing at ${url}` }));
    }
  }
}

/** Why an address cannot be bound, and what to do. */
function listenProblem({ code, message }: NodeJS.ErrnoException, port: number): string {
  const other = 'choose another port (option port, --port on the command line; 0 takes a free one)';
  if (code === 'EADDRINUSE') return `port ${port} is already in use; stop the program that uses it, or ${other}`;
  if (code === 'EACCES') return `this user may not use port ${port}; ${other}, such as 8080`;
  return message;
}

/**
 * Makes a server that answers with a model over HTTP. All clients share the model, according to its `setServing`. A
 * classifier answers with labels, a tagger with spans. A language model writes texts as server-sent events, and
 * measures them.
 *
 * @param model - The model; the server does not close it.
 * @param options - See {@link ServerOptions}.
 * @throws `ArgumentError` for an invalid option.
 *
 * @example
 * ```ts
 * import { TextClassifier } from 'recurra';
 * import { createServer } from 'recurra/serve';
 *
 * const model = await TextClassifier.load('tickets.safetensors');
 * const server = await createServer(model, { port: 8080 });
 * console.log(await server.listen());
 * ```
 */
export async function createServer(
  model: TextClassifier | TextTagger | LanguageModel | Seq2Seq,
  options: ServerOptions = {},
): Promise<ModelServer> {
  const fits = [TextClassifier, TextTagger, LanguageModel, Seq2Seq].some((kind) => model instanceof kind);
  if (!fits) throw invalidArgument('model', 'a TextClassifier, a TextTagger, a LanguageModel or a Seq2Seq', model);
  const settings = serverSettings(options);
  if (settings.precision !== undefined) {
    if (!(model instanceof TextClassifier))
      throw constraint('precision', 'precision applies to a server of a classifier alone');
    // Better no server than one that answers every request with an error.
    model.thresholdFor(settings.precision);
  }
  return ModelServer.create(model, settings);
}
