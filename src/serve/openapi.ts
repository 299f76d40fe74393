import { packageVersion } from '../native/addon.js';
import type { explainSchemas } from './explainSchemas.js';
import type { LanguageSchemas } from './languageSchemas.js';
import { PAGE_FILES } from './page.js';
import type { Schemas } from './schemas.js';
import type { SequenceSchemas } from './sequenceSchemas.js';

const REFUSALS: Record<string, string> = {
  400: 'The request is invalid: `INVALID_JSON` or `INVALID_ARGUMENT`.',
  408: 'The request took too long to arrive: `TIMEOUT`.',
  413: 'The body, a text, or the number of texts is too large: `TOO_LARGE`.',
  415: 'The body is not plain JSON: `UNSUPPORTED_MEDIA_TYPE`.',
  429: 'This client has sent too many requests: `RATE_LIMITED`. `Retry-After` says when to try again.',
  500: 'Internal server error: `INTERNAL`.',
  503: 'Too many texts are waiting: `OVERLOADED`, with `Retry-After`. Or the server is shutting down: `STOPPING`.',
};

/** The kind of a model, with its schemas. */
export type KindOfModel =
  | { kind: 'classifier'; schemas: Schemas & ReturnType<typeof explainSchemas> }
  | { kind: 'tagger'; schemas: Schemas }
  | { kind: 'language'; schemas: LanguageSchemas }
  | { kind: 'seq2seq'; schemas: SequenceSchemas };

const of = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (name: string) => ({ 'application/json': { schema: of(name) } });
const plain = (description: string, type: string) => ({
  200: { description, content: { [type]: { schema: { type: 'string' } } } },
});

/** A POST operation. `content` is the answer, by content type. */
function post(operationId: string, summary: string, body: string, content: object, example: object) {
  const refusals = Object.entries(REFUSALS).map(([status, description]) => [
    status,
    { description, content: json('error') },
  ]);
  return {
    post: {
      operationId,
      summary,
      requestBody: { required: true, content: { 'application/json': { schema: of(body), example } } },
      responses: { 200: { description: 'The answer.', content }, ...Object.fromEntries(refusals) },
    },
  };
}

function get(operationId: string, summary: string, responses: object) {
  return { get: { operationId, summary, responses } };
}

/** The document of models that label texts. */
function predictions(one: string, many: string, example: string, examples: object) {
  return {
    '/predict': post('predict', one, 'one', json('prediction'), { text: example }),
    '/predict/many': post('predictMany', many, 'many', json('predictions'), examples),
  };
}

const EVENTS =
  'Server-sent events: `text` for each piece (`textEvent`), and finally `end` with the reason and counts (`endEvent`), or `error` (`error`).';

/** The document's parts for each kind of model. */
const KINDS = {
  classifier: {
    description: 'A recurrent text classifier: texts in, labels with probabilities out.',
    paths: {
      ...predictions('Label one text.', 'Label many texts.', 'My invoice is wrong', {
        texts: ['My invoice is wrong', 'The printer is on fire'],
        topK: 1,
      }),
      '/explain': post(
        'explain',
        'Say what each token of a text contributed to a label.',
        'explain',
        json('explanation'),
        { text: 'My invoice is wrong' },
      ),
    },
  },
  tagger: {
    description: 'A recurrent tagger: texts or tokens in, labelled spans and tags of tokens out.',
    paths: predictions(
      'Find the spans of one text, or tag the tokens of a sentence.',
      'Find the spans of many texts, or tag the tokens of many sentences.',
      'Ada Lovelace was born in London.',
      { texts: ['Ada Lovelace was born in London.', 'She lived there.'] },
    ),
  },
  seq2seq: {
    description: 'A recurrent sequence-to-sequence model: a text in, its target out.',
    paths: predictions('Write the target of one text.', 'Write the targets of many texts.', '4 July 2026', {
      texts: ['4 July 2026', '1 May 2025'],
      beamSize: 5,
      nBest: 2,
    }),
  },
  language: {
    description: 'A recurrent language model: it continues texts and scores them.',
    paths: {
      '/generate': post(
        'generate',
        'Continue a prompt, as a stream or as a whole.',
        'generate',
        { 'text/event-stream': { schema: { type: 'string', description: EVENTS } }, ...json('generated') },
        { prompt: 'My invoice', maxNewTokens: 60, temperature: 0.8 },
      ),
      '/score': post('score', 'Score a text, unit by unit.', 'score', json('scored'), {
        text: 'My invoice is wrong',
      }),
    },
  },
} as const;

/** An example of a body for a route; undefined for a path that takes none. */
export function exampleOf(kind: KindOfModel['kind'], path: string): object | undefined {
  const paths: Readonly<Record<string, ReturnType<typeof post>>> = KINDS[kind].paths;
  if (!Object.hasOwn(paths, path)) return undefined;
  return paths[path]!.post.requestBody.content['application/json'].example;
}

/** The OpenAPI document of a server with a model of a kind. */
export function openApi({ kind, schemas }: KindOfModel, page: boolean): object {
  const { description, paths } = KINDS[kind];
  return {
    openapi: '3.1.0',
    info: {
      title: 'recurra',
      version: packageVersion(),
      description,
      license: { name: 'MIT OR Apache-2.0' },
    },
    paths: {
      ...paths,
      '/model': get('model', 'Facts about the model, and the limits of requests.', {
        200: { description: 'The model.', content: json('model') },
      }),
      '/health': get('health', 'Whether the process is alive.', {
        200: { description: 'It does.', content: json('status') },
      }),
      '/ready': get('ready', 'Whether the server accepts requests.', {
        200: { description: 'They should.', content: json('status') },
        503: { description: 'It does not: the server is shutting down.', content: json('status') },
      }),
      '/metrics': get('metrics', 'Metrics for Prometheus.', plain('The metrics.', 'text/plain')),
      '/openapi.json': get('openapi', 'This document.', {
        200: { description: 'The document.', content: { 'application/json': { schema: { type: 'object' } } } },
      }),
      ...(page
        ? Object.fromEntries(
            PAGE_FILES.map(({ path, file, type, what }) => [
              path,
              get(file === 'index.html' ? 'page' : file.replace('.', '_'), what, plain('The file.', type)),
            ]),
          )
        : {}),
    },
    components: { schemas },
  };
}
