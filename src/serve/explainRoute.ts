import type { FastifyInstance } from 'fastify';
import { ArgumentError } from '../core/errors.js';
import type { TextClassifier } from '../models/classifier/classifier.js';
import type { ExplainMethod } from '../models/classifier/explain.js';
import { type RouteContext, whenGone } from './context.js';
import { explainSchemas } from './explainSchemas.js';
import { Refusal } from './failure.js';
import { UnderWay } from './underWay.js';

/** The route that says what each token of a text contributed to a label. */
export function explainRoute(
  app: FastifyInstance,
  model: TextClassifier,
  { settings, labelled, config }: Omit<RouteContext, 'model'>,
): void {
  const shape = explainSchemas(settings);
  const underWay = new UnderWay(settings.maxConcurrent, 'explained');
  app.post<{ Body: { text: string; label?: string; method?: ExplainMethod } }>(
    '/explain',
    { config, schema: { body: shape.explain, response: { 200: shape.explanation } } },
    async (request, reply) => {
      const { text, label, method } = request.body;
      const done = underWay.begin();
      try {
        const explanation = await model.explain(text, { label, method, signal: whenGone(reply) });
        labelled(request, 1);
        return explanation;
      } catch (error) {
        if (!(error instanceof ArgumentError)) throw error;
        throw new Refusal({ status: 400, code: 'INVALID_ARGUMENT', message: error.message });
      } finally {
        done();
      }
    },
  );
}
