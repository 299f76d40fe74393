import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ArgumentError, RecurraError } from '../core/errors.js';
import type { LanguageModel } from '../models/language/language.js';
import type { GeneratedText, GenerateOptions } from '../models/language/sampling.js';
import { aboutModel } from './about.js';
import { type RouteContext, whenGone } from './context.js';
import { sendEvents, serverSentEvent } from './events.js';
import { failureBody, failureOf, Refusal, serverFault } from './failure.js';
import { defaultNewTokens, languageSchemas } from './languageSchemas.js';
import { LanguageMetrics } from './metrics.js';
import { UnderWay } from './underWay.js';

/** Body of `POST /generate`. */
interface GenerateBody extends Omit<GenerateOptions, 'signal'> {
  prompt?: string;
  stream?: boolean;
}

type Writing = AsyncGenerator<string, GeneratedText, undefined>;

/** Whether a request wants events: as its body says, otherwise unless it accepts only JSON. */
function wantsEvents({ stream }: GenerateBody, { headers }: FastifyRequest): boolean {
  const { accept = '' } = headers;
  return stream ?? (accept.includes('text/event-stream') || !accept.includes('application/json'));
}

function isAborted(error: unknown): boolean {
  return error instanceof RecurraError && error.code === 'ABORTED';
}

/** The routes of a language model: writing texts, and measuring them. */
export function languageRoutes(
  app: FastifyInstance,
  model: LanguageModel,
  { settings, metrics: common, labelled, config, fault }: Omit<RouteContext, 'model'>,
): void {
  const shape = languageSchemas(settings);
  const underWay = new UnderWay(settings.maxConcurrent, 'written or measured');
  const metrics = new LanguageMetrics(common, () => underWay.texts, settings.maxConcurrent);

  /** Counts a running text until `done`; refuses texts beyond the limit. */
  const begin = (request: FastifyRequest) => {
    try {
      const done = underWay.begin();
      labelled(request, 1);
      return done;
    } catch (error) {
      metrics.refused();
      throw error;
    }
  };

  /** Starts a text that ends at the latest with the client's connection. */
  const write = ({ prompt, stream: _, ...options }: GenerateBody, reply: FastifyReply): Writing => {
    const given = { maxNewTokens: defaultNewTokens(settings), ...options, signal: whenGone(reply) };
    try {
      return model.generate(prompt, given);
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      throw new Refusal({ status: 400, code: 'INVALID_ARGUMENT', message: error.message });
    }
  };

  /** A text that is counted, whatever its end. */
  async function* counted(writing: Writing): Writing {
    let gone = true;
    try {
      const end = yield* writing;
      gone = false;
      metrics.wrote(end);
      return end;
    } catch (error) {
      gone = isAborted(error);
      throw error;
    } finally {
      if (gone) metrics.gone();
    }
  }

  /** The events of a text whose first piece is already available. */
  async function* events(first: IteratorResult<string, GeneratedText>, writing: Writing): AsyncGenerator<string> {
    try {
      let next = first;
      for (; !next.done; next = await writing.next()) yield serverSentEvent('text', { text: next.value });
      yield serverSentEvent('end', next.value);
    } catch (error) {
      // The client has gone.
      if (isAborted(error)) return;
      const failure = failureOf(error as RecurraError);
      if (!failure) fault('/generate', error);
      yield serverSentEvent('error', failureBody(failure ?? serverFault()));
    }
  }

  app.post<{ Body: GenerateBody }>(
    '/generate',
    { config, schema: { body: shape.generate } },
    async (request, reply) => {
      const written = write(request.body, reply);
      const done = begin(request);
      const writing = counted(written);
      // Resolves when the computation has ended.
      reply.raw.once('close', () => writing.return(undefined as never).then(done, done));
      // An error before the first piece gets its own status.
      const first = await writing.next();
      if (wantsEvents(request.body, request)) return sendEvents(reply, events(first, writing), settings.requestTimeout);
      let text = '';
      let next = first;
      for (; !next.done; next = await writing.next()) text += next.value;
      return { text, ...next.value };
    },
  );

  app.post<{ Body: { text: string } }>(
    '/score',
    { config, schema: { body: shape.score, response: { 200: shape.scored } } },
    async (request, reply) => {
      const done = begin(request);
      try {
        const { logProbabilities, ...score } = await model.score(request.body.text, { signal: whenGone(reply) });
        metrics.scored(score.rows);
        return { ...score, logProbabilities: [...logProbabilities] };
      } finally {
        done();
      }
    },
  );

  app.get('/model', { schema: { response: { 200: shape.model } } }, () => ({
    ...aboutModel(model, settings),
    kind: 'language',
    units: model.units,
    words: model.vocab.length,
    cell: model.settings.cell,
    limits: {
      bodyBytes: settings.bodyLimit,
      textLength: settings.maxTextLength,
      newTokens: settings.maxNewTokens,
      concurrent: settings.maxConcurrent,
    },
  }));
}
