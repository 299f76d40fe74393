import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { counted } from '../core/counted.js';
import { ArgumentError } from '../core/errors.js';
import type { TextClassifier } from '../models/classifier/classifier.js';
import type { Prediction } from '../models/classifier/prediction.js';
import type { CautiousOptions } from '../models/classifier/predictOptions.js';
import { LanguageModel } from '../models/language/language.js';
import { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import type { Tagging } from '../models/tagger/prediction.js';
import { TextTagger } from '../models/tagger/tagger.js';
import { aboutModel } from './about.js';
import { type RouteContext, type ServedModel, whenGone } from './context.js';
import { explainRoute } from './explainRoute.js';
import { explainSchemas } from './explainSchemas.js';
import { failureBody, Refusal } from './failure.js';
import { languageRoutes } from './languageRoutes.js';
import { languageSchemas } from './languageSchemas.js';
import { PredictionMetrics } from './metrics.js';
import { type KindOfModel, openApi } from './openapi.js';
import type { ServerSettings } from './options.js';
import { pageRoutes } from './page.js';
import { ERROR_AND_STATUS, schemas, tagSchemas } from './schemas.js';
import { sequenceRoutes } from './sequenceRoutes.js';
import { sequenceSchemas } from './sequenceSchemas.js';

/** Maximum labels in an answer, over all texts: some 50 MB of JSON. */
const MOST_CLASSES = 1_000_000;

function taggingRoutes(
  app: FastifyInstance,
  model: TextTagger,
  { settings, metrics: common, labelled, config }: Omit<RouteContext, 'model'>,
): void {
  const shape = tagSchemas(settings);
  const metrics = new PredictionMetrics(common, model);
  const done = (request: FastifyRequest, taggings: readonly Tagging[]) => {
    labelled(request, taggings.length);
    metrics.predicted(taggings.map(({ tokens, knownTokens }) => ({ tokens: tokens.length, knownTokens })));
  };
  const fitting = (tokens: readonly string[], where: string) => {
    const most = settings.maxTextLength;
    if (tokens.reduce((sum, { length }) => sum + length, 0) <= most) return tokens;
    const message = `Expected at most ${counted(most, 'character')} in ${where}`;
    throw new Refusal({ status: 413, code: 'TOO_LARGE', message });
  };
  app.post<{ Body: { text?: string; tokens?: string[] } }>(
    '/predict',
    { config, schema: { body: shape.one, response: { 200: shape.prediction } } },
    async (request, reply) => {
      const { text, tokens } = request.body;
      const asked = text ?? fitting(tokens!, 'body.tokens');
      const tagging = await model.predict(asked, { signal: whenGone(reply) });
      done(request, [tagging]);
      return tagging;
    },
  );
  app.post<{ Body: { texts?: string[]; sentences?: string[][] } }>(
    '/predict/many',
    { config, schema: { body: shape.many, response: { 200: shape.predictions } } },
    async (request, reply) => {
      const { texts, sentences } = request.body;
      const asked = texts ?? sentences!.map((tokens, i) => fitting(tokens, `body.sentences[${i}]`));
      const predictions = await model.predictMany(asked, { signal: whenGone(reply) });
      done(request, predictions);
      return { predictions };
    },
  );
}

/** A request's settings of its answer. */
interface Answered {
  topK?: number;
  minProbability?: number;
  precision?: number;
  outOfScope?: boolean;
}

/** Refuses what the model cannot tell for lack of validation rows: that is not a server error. */
function checkAsked(model: TextClassifier, precision: number | undefined, outOfScope: boolean): void {
  try {
    if (precision !== undefined) model.thresholdFor(precision);
    if (outOfScope) model.checkScope();
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    throw new Refusal({ status: 400, code: error.code, message: error.message });
  }
}

function predictionRoutes(
  app: FastifyInstance,
  model: TextClassifier,
  { settings, metrics: common, labelled, config }: Omit<RouteContext, 'model'>,
): void {
  const shape = schemas(settings, model.labels.length);
  const metrics = new PredictionMetrics(common, model);
  const options = (
    { topK = settings.topK, minProbability, precision: asked, outOfScope = false }: Answered,
    reply: FastifyReply,
  ): CautiousOptions => {
    const precision = asked ?? (minProbability === undefined ? settings.precision : undefined);
    checkAsked(model, precision, outOfScope);
    const caution = { minProbability, precision, outOfScope };
    return { topK: Math.min(topK, model.labels.length), ...caution, signal: whenGone(reply) };
  };
  const done = (request: FastifyRequest, predictions: Prediction<string | null>[]) => {
    labelled(request, predictions.length);
    metrics.predicted(predictions);
  };
  app.post<{ Body: { text: string } & Answered }>(
    '/predict',
    { config, schema: { body: shape.one, response: { 200: shape.prediction } } },
    async (request, reply) => {
      const prediction = await model.predict(request.body.text, options(request.body, reply));
      done(request, [prediction]);
      return prediction;
    },
  );
  app.post<{ Body: { texts: string[] } & Answered }>(
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

/** How much of an answer is the network's, from 0 to 1. */
function networkShare({ mix, recurrent }: TextClassifier): number {
  if (!recurrent) return 0;
  return mix?.network ?? 1;
}

/** The routes of models that label texts. */
function labelRoutes(app: FastifyInstance, model: TextClassifier | TextTagger, { settings }: RouteContext): void {
  const { model: answer } = tagSchemas(settings);
  const own =
    model instanceof TextTagger
      ? { kind: 'tagger', scheme: model.scheme ?? null }
      : {
          kind: 'classifier',
          multiLabel: model.thresholds !== undefined,
          networkShare: networkShare(model),
          precision: settings.precision ?? null,
          precisionThresholds: model.precisionThresholds ?? null,
          outOfScope: model.tellsScope,
        };
  app.get('/model', { schema: { response: { 200: answer } } }, () => ({
    ...aboutModel(model, settings),
    ...own,
    labels: model.labels,
    words: model.vocab.length,
    cell: model.settings.cell,
    limits: { bodyBytes: settings.bodyLimit, textLength: settings.maxTextLength, texts: settings.maxTexts },
  }));
}

function stateRoutes(app: FastifyInstance, { model, settings, metrics, stopping }: RouteContext): void {
  const { status } = ERROR_AND_STATUS;
  const answers = { schema: { response: { '2xx': status, 503: status } } };
  app.get('/health', answers, () => ({ status: 'ok' }));
  app.get('/ready', answers, (_, reply) => {
    if (stopping()) reply.code(503);
    return { status: stopping() ? 'stopping' : 'ready' };
  });
  app.get('/metrics', async (_, reply) => {
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  const document = openApi(documented(model, settings), settings.page);
  app.get('/openapi.json', () => document);
}

/** The model description for the OpenAPI document. */
export function documented(model: ServedModel, settings: ServerSettings): KindOfModel {
  if (model instanceof LanguageModel) return { kind: 'language', schemas: languageSchemas(settings) };
  if (model instanceof Seq2Seq) return { kind: 'seq2seq', schemas: sequenceSchemas(settings) };
  if (model instanceof TextTagger) return { kind: 'tagger', schemas: tagSchemas(settings) };
  return {
    kind: 'classifier',
    schemas: { ...schemas(settings, model.labels.length), ...explainSchemas(settings) },
  };
}

/** Adds all routes. */
export function addRoutes(app: FastifyInstance, context: RouteContext): void {
  const { model, ...rest } = context;
  if (model instanceof LanguageModel) languageRoutes(app, model, rest);
  else if (model instanceof Seq2Seq) sequenceRoutes(app, model, rest);
  else {
    if (model instanceof TextTagger) taggingRoutes(app, model, rest);
    else {
      predictionRoutes(app, model, rest);
      explainRoute(app, model, rest);
    }
    labelRoutes(app, model, context);
  }
  stateRoutes(app, context);
  if (context.settings.page) pageRoutes(app);
}
