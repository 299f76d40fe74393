import { packageVersion } from '../native/addon.js';
import type { Schemas } from './schemas.js';

const REFUSALS: Record<string, string> = {
  400: 'The request does not fit: `INVALID_JSON` or `INVALID_ARGUMENT`.',
  408: 'The request took too long to arrive: `TIMEOUT`.',
  413: 'The body, a text, or the number of texts is too large: `TOO_LARGE`.',
  415: 'The body is not plain JSON: `UNSUPPORTED_MEDIA_TYPE`.',
  429: 'This client has asked too often: `RATE_LIMITED`. `Retry-After` says when to come back.',
  500: 'A fault of the server: `INTERNAL`.',
  503: 'Too many texts are waiting: `OVERLOADED`, with `Retry-After`. Or the server is ending: `STOPPING`.',
};

const of = (name: keyof Schemas) => ({ $ref: `#/components/schemas/${name}` });
const json = (name: keyof Schemas) => ({ 'application/json': { schema: of(name) } });
const plain = (description: string, type: string) => ({
  200: { description, content: { [type]: { schema: { type: 'string' } } } },
});

function prediction(operationId: string, summary: string, body: keyof Schemas, answer: keyof Schemas, example: object) {
  const refusals = Object.entries(REFUSALS).map(([status, description]) => [
    status,
    { description, content: json('error') },
  ]);
  return {
    post: {
      operationId,
      summary,
      requestBody: { required: true, content: { 'application/json': { schema: of(body), example } } },
      responses: { 200: { description: 'The answer.', content: json(answer) }, ...Object.fromEntries(refusals) },
    },
  };
}

function get(operationId: string, summary: string, responses: object) {
  return { get: { operationId, summary, responses } };
}

/** What the document says of each kind of model. */
const KINDS = {
  classifier: {
    description: 'A recurrent text classifier: texts in, labels with probabilities out.',
    one: 'Label one text.',
    many: 'Label many texts.',
    example: 'My invoice is wrong',
    examples: { texts: ['My invoice is wrong', 'The printer is on fire'], topK: 1 },
  },
  tagger: {
    description: 'A recurrent tagger: texts in, labelled spans and tags of tokens out.',
    one: 'Find the spans of one text.',
    many: 'Find the spans of many texts.',
    example: 'Ada Lovelace was born in London.',
    examples: { texts: ['Ada Lovelace was born in London.', 'She lived there.'] },
  },
} as const;

/** The OpenAPI document of a server with a model of a kind. */
export function openApi(components: Schemas, page: boolean, kind: keyof typeof KINDS): object {
  const { description, one, many, example, examples } = KINDS[kind];
  return {
    openapi: '3.1.0',
    info: {
      title: 'recurra',
      version: packageVersion(),
      description,
      license: { name: 'MIT OR Apache-2.0' },
    },
    paths: {
      '/predict': prediction('predict', one, 'one', 'prediction', { text: example }),
      '/predict/many': prediction('predictMany', many, 'many', 'predictions', examples),
      '/model': get('model', 'What the model knows, and the limits of requests.', {
        200: { description: 'The model.', content: json('model') },
      }),
      '/health': get('health', 'Whether the process lives.', {
        200: { description: 'It does.', content: json('status') },
      }),
      '/ready': get('ready', 'Whether requests should be sent here.', {
        200: { description: 'They should.', content: json('status') },
        503: { description: 'They should not: the server is ending.', content: json('status') },
      }),
      '/metrics': get('metrics', 'Metrics for Prometheus.', plain('The metrics.', 'text/plain')),
      '/openapi.json': get('openapi', 'This document.', {
        200: { description: 'The document.', content: { 'application/json': { schema: { type: 'object' } } } },
      }),
      ...(page
        ? {
            '/': get('page', 'A page for trying texts by hand.', plain('The page.', 'text/html')),
            '/page.js': get('pageScript', 'Its script.', plain('The script.', 'text/javascript')),
            '/page.css': get('pageStyle', 'Its style.', plain('The style.', 'text/css')),
          }
        : {}),
    },
    components: { schemas: components },
  };
}
