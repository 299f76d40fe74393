import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ArgumentError } from '../core/errors.js';
import { plainTranslation } from '../models/seq2seq/plain.js';
import type { Seq2SeqPredictOptions, Translation } from '../models/seq2seq/prediction.js';
import type { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import { aboutModel } from './about.js';
import { type RouteContext, whenGone } from './context.js';
import { Refusal } from './failure.js';
import { PredictionMetrics } from './metrics.js';
import { sequenceSchemas } from './sequenceSchemas.js';

/** Maximum alignment weights in an answer, over all texts and candidates: some 10 MB of JSON. */
const MOST_WEIGHTS = 1_000_000;

/** Search options of a request. */
type Search = Omit<Seq2SeqPredictOptions, 'signal' | 'maxLength'>;

/** The routes of a sequence-to-sequence model. */
export function sequenceRoutes(
  app: FastifyInstance,
  model: Seq2Seq,
  { settings, metrics: common, labelled, config }: Omit<RouteContext, 'model'>,
): void {
  const shape = sequenceSchemas(settings);
  const metrics = new PredictionMetrics(common, model);
  const answer = async (
    texts: readonly string[],
    search: Search,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<object[]> => {
    let answers: Translation[];
    try {
      answers = await model.predict(texts, { ...search, signal: whenGone(reply) });
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      throw new Refusal({ status: 400, code: 'INVALID_ARGUMENT', message: error.message });
    }
    const weights = search.alignments ? weightsOf(answers) : 0;
    if (weights > MOST_WEIGHTS) {
      const message = `Expected at most ${MOST_WEIGHTS} weights of alignments in an answer but there are ${weights}: send fewer or shorter texts, or a smaller nBest`;
      throw new Refusal({ status: 413, code: 'TOO_LARGE', message });
    }
    labelled(request, answers.length);
    metrics.predicted(
      answers.map(({ sourceUnits, knownUnits }) => ({ tokens: sourceUnits.length, knownTokens: knownUnits })),
    );
    return answers.map(plainTranslation);
  };

  app.post<{ Body: { text: string } & Search }>(
    '/predict',
    { config, schema: { body: shape.one, response: { 200: shape.prediction } } },
    async (request, reply) => {
      const { text, ...search } = request.body;
      const [prediction] = await answer([text], search, request, reply);
      return prediction;
    },
  );

  app.post<{ Body: { texts: string[] } & Search }>(
    '/predict/many',
    { config, schema: { body: shape.many, response: { 200: shape.predictions } } },
    async (request, reply) => {
      const { texts, ...search } = request.body;
      return { predictions: await answer(texts, search, request, reply) };
    },
  );

  app.get('/model', { schema: { response: { 200: shape.model } } }, () => ({
    ...aboutModel(model, settings),
    kind: 'seq2seq',
    units: model.units,
    words: model.vocab.length,
    targetWords: model.targetVocab.length,
    cell: model.settings.cell,
    limits: { bodyBytes: settings.bodyLimit, textLength: settings.maxTextLength, texts: settings.maxTexts },
  }));
}

/** Number of alignment weights of the answers. */
function weightsOf(answers: readonly Translation[]): number {
  let weights = 0;
  for (const { sourceUnits, candidates } of answers)
    for (const { units } of candidates) weights += units.length * sourceUnits.length;
  return weights;
}
