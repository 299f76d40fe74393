import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TextClassifier } from '../models/classifier/classifier.js';
import type { Prediction } from '../models/classifier/prediction.js';
import type { TextTagging } from '../models/tagger/prediction.js';
import { TextTagger } from '../models/tagger/tagger.js';
import { packageRoot } from '../native/addon.js';
import { failureBody } from './failure.js';
import type { Metrics } from './metrics.js';
import { openApi } from './openapi.js';
import type { ServerSettings } from './options.js';
import { type Schemas, schemas, tagSchemas } from './schemas.js';

/** What the routes need to know. */
export interface RouteContext {
  model: TextClassifier | TextTagger;
  settings: ServerSettings;
  metrics: Metrics;
  /** Whether the server is ending. */
  stopping(): boolean;
  /** Told how many texts were labelled for a request. */
  labelled(request: FastifyRequest, texts: number): void;
}

/** Labels in an answer, over all texts: some 50 MB of JSON. */
const MOST_CLASSES = 1_000_000;

/** Nothing but this server's own script and style, and questions to this server. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE_FILES = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
] as const;

/** Aborted when a client goes before it was answered. (Fastify's `request.signal` is so, too, when a body has been read.) */
function whenGone({ raw }: FastifyReply): AbortSignal {
  const abort = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) abort.abort();
  });
  return abort.signal;
}

/** What limits the routes that compute. */
function limits({ rateLimit }: ServerSettings): object {
  return rateLimit > 0 ? { rateLimit: { max: rateLimit, timeWindow: 60_000 } } : {};
}

function taggingRoutes(
  app: FastifyInstance,
  model: TextTagger,
  { settings, metrics, labelled }: Omit<RouteContext, 'model'>,
): void {
  const shape = tagSchemas(settings);
  const config = limits(settings);
  const done = (request: FastifyRequest, taggings: readonly TextTagging[]) => {
    labelled(request, taggings.length);
    metrics.predicted(taggings.map(({ tokens, knownTokens }) => ({ tokens: tokens.length, knownTokens })));
  };
  app.post<{ Body: { text: string } }>(
    '/predict',
    { config, schema: { body: shape.one, response: { 200: shape.prediction } } },
    async (request, reply) => {
      const tagging = await model.predict(request.body.text, { signal: whenGone(reply) });
      done(request, [tagging]);
      return tagging;
    },
  );
  app.post<{ Body: { texts: string[] } }>(
    '/predict/many',
    { config, schema: { body: shape.many, response: { 200: shape.predictions } } },
    async (request, reply) => {
      const predictions = await model.predictMany(request.body.texts, { signal: whenGone(reply) });
      done(request, predictions);
      return { predictions };
    },
  );
}

function predictionRoutes(
  app: FastifyInstance,
  model: TextClassifier,
  { settings, metrics, labelled }: Omit<RouteContext, 'model'>,
): void {
  const shape = schemas(settings, model.labels.length);
  const config = limits(settings);
  const options = ({ topK = settings.topK }: { topK?: number }, reply: FastifyReply) => ({
    topK: Math.min(topK, model.labels.length),
    signal: whenGone(reply),
  });
  const done = (request: FastifyRequest, predictions: Prediction[]) => {
    labelled(request, predictions.length);
    metrics.predicted(predictions);
  };
  app.post<{ Body: { text: string; topK?: number } }>(
    '/predict',
    { config, schema: { body: shape.one, response: { 200: shape.prediction } } },
    async (request, reply) => {
      const prediction = await model.predict(request.body.text, options(request.body, reply));
      done(request, [prediction]);
      return prediction;
    },
  );
  app.post<{ Body: { texts: string[]; topK?: number } }>(
    '/predict/many',
    { config, schema: { body: shape.many, response: { 200: shape.predictions } } },
    async (request, reply) => {
      const { texts, topK = settings.topK } = request.body;
      const classes = texts.length * Math.min(topK, model.labels.length);
      if (classes > MOST_CLASSES) {
        const message = `Expected at most ${MOST_CLASSES} labels in an answer but received topK ${topK} for ${texts.length} texts`;
        return reply.code(413).send(failureBody({ code: 'TOO_LARGE', message }));
      }
      const predictions = await model.predictMany(request.body.texts, options(request.body, reply));
      done(request, predictions);
      return { predictions };
    },
  );
}

function stateRoutes(app: FastifyInstance, { model, settings, metrics, stopping }: RouteContext): void {
  const kind = model instanceof TextTagger ? 'tagger' : 'classifier';
  const shape: Schemas = kind === 'tagger' ? tagSchemas(settings) : schemas(settings, model.labels.length);
  const answers = (body: object) => ({ schema: { response: { '2xx': body, 503: body } } });
  app.get('/health', answers(shape.status), () => ({ status: 'ok' }));
  app.get('/ready', answers(shape.status), (_, reply) => {
    if (stopping()) reply.code(503);
    return { status: stopping() ? 'stopping' : 'ready' };
  });
  app.get('/metrics', async (_, reply) => {
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  app.get('/model', answers(shape.model), () => ({
    kind,
    ...(model instanceof TextTagger && { scheme: model.scheme ?? null }),
    labels: model.labels,
    words: model.vocab.length,
    cell: model.settings.cell,
    limits: { bodyBytes: settings.bodyLimit, textLength: settings.maxTextLength, texts: settings.maxTexts },
  }));
  const document = openApi(shape, settings.page, kind);
  app.get('/openapi.json', () => document);
}

function pageRoutes(app: FastifyInstance): void {
  for (const [path, file, type] of PAGE_FILES) {
    const content = readFileSync(join(packageRoot(), 'web', file), 'utf8');
    app.get(path, (_, reply: FastifyReply) => {
      reply.type(type).header('content-security-policy', PAGE_POLICY).header('referrer-policy', 'no-referrer');
      return content;
    });
  }
}

/** Adds all routes. */
export function addRoutes(app: FastifyInstance, context: RouteContext): void {
  const { model, ...rest } = context;
  if (model instanceof TextTagger) taggingRoutes(app, model, rest);
  else predictionRoutes(app, model, rest);
  stateRoutes(app, context);
  if (context.settings.page) pageRoutes(app);
}
