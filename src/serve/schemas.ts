import { ABOUT } from './about.js';
import type { ServerSettings } from './options.js';

/** Schemas that are the same for all kinds of models. */
export const ERROR_AND_STATUS = {
  error: {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { type: 'string', description: 'Stable error code.' },
          message: { type: 'string', description: 'Message for people.' },
        },
      },
    },
  },
  status: {
    type: 'object',
    required: ['status'],
    properties: { status: { type: 'string', enum: ['ok', 'ready', 'stopping'] } },
  },
} as const;

/** The limits of requests of models that answer texts. */
export const TEXT_LIMITS = {
  type: 'object',
  required: ['bodyBytes', 'textLength', 'texts'],
  properties: {
    bodyBytes: { type: 'integer', description: 'Largest body of a request.' },
    textLength: { type: 'integer', description: 'Longest text, in characters.' },
    texts: { type: 'integer', description: 'Maximum texts in one request.' },
  },
} as const;

const share = (description: string) => ({ type: 'number', minimum: 0, maximum: 1, description });

/** The schema of a threshold and what it gave on the validation rows. */
const PRECISION_THRESHOLD = {
  type: 'object',
  required: ['minProbability', 'coverage', 'precision', 'precisionLow', 'precisionHigh', 'rows'],
  properties: {
    minProbability: share('The threshold: labels that are less probable are not given.'),
    coverage: share('Share of the validation rows that have a label with it.'),
    precision: share('Share of these rows whose label is right.'),
    precisionLow: share('Lower bound of the 95 % interval of this precision.'),
    precisionHigh: share('Upper bound of that interval.'),
    rows: { type: 'integer', description: 'Number of validation rows that have a label with it.' },
  },
} as const;

/** Schemas that are the same for models that label texts. */
const COMMON = {
  ...ERROR_AND_STATUS,
  model: {
    type: 'object',
    required: ['name', 'kind', 'labels', 'words', 'cell', 'limits', 'training'],
    properties: {
      ...ABOUT,
      kind: { type: 'string', enum: ['classifier', 'tagger'], description: 'The kind of model.' },
      scheme: {
        type: ['string', 'null'],
        description: 'For taggers: the scheme of the tags; null for tags without one, which have no spans.',
      },
      multiLabel: { type: 'boolean', description: 'For classifiers: whether a text may have several labels.' },
      networkShare: {
        type: 'number',
        description:
          "For classifiers: the network's share of an answer, from 0 to 1; the rest comes from the linear model.",
      },
      precision: {
        type: ['number', 'null'],
        description:
          'For classifiers: the precision of requests with neither `precision` nor `minProbability`; null for none.',
      },
      precisionThresholds: {
        type: ['array', 'null'],
        items: PRECISION_THRESHOLD,
        description:
          'For classifiers: the thresholds that `precision` chooses from, by increasing precision. It takes the first one that is precise enough. Null if the model has none.',
      },
      outOfScope: {
        type: 'boolean',
        description: 'For classifiers: whether requests may ask for `outOfScope`.',
      },
      labels: { type: 'array', items: { type: 'string' } },
      words: { type: 'integer', description: 'Size of the vocabulary.' },
      cell: { type: 'string', description: 'The recurrent layer.' },
      limits: TEXT_LIMITS,
    },
  },
} as const;

/** Schemas of requests and answers of a classifier. The server checks requests by them, and the OpenAPI document shows them. */
export function schemas({ maxTextLength, maxTexts, topK, precision: usual }: ServerSettings, labels: number) {
  const text = { type: 'string', maxLength: maxTextLength, description: 'The text to label; it may be empty.' };
  const top = {
    type: 'integer',
    minimum: 1,
    description: `Number of most probable labels to list. Default: ${Math.min(topK, labels)}.`,
  };
  const least = {
    type: 'number',
    minimum: 0,
    maximum: 1,
    description: 'Minimum probability of a label; below it, `label` is null. Default: 0.',
  };
  const precision = {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
    description: `Gives no label below the threshold that reached this precision on the validation rows of the training. Default: ${usual === undefined ? 'none' : `${usual}, unless minProbability is given`}.`,
  };
  const outOfScope = {
    type: 'boolean',
    description:
      'Whether to find out if a text is unlike those of the training; needs a model that was trained with validation rows. Default: false.',
  };
  const labelProbability = {
    type: 'object',
    required: ['label', 'probability'],
    properties: {
      label: { type: 'string', description: 'A label of the training rows.' },
      probability: { type: 'number', minimum: 0, maximum: 1 },
    },
  };
  const prediction = {
    type: 'object',
    required: ['label', 'probability', 'labels', 'classes', 'tokens', 'knownTokens'],
    properties: {
      label: {
        type: ['string', 'null'],
        description:
          'The most probable label; null if it is less probable than `minProbability` or `precision` asks for.',
      },
      probability: { type: 'number', description: 'The largest probability, from 0 to 1.' },
      labels: {
        type: 'array',
        items: { type: 'string' },
        description: 'The assigned labels: `label`, or for a multi-label model any number.',
      },
      classes: {
        type: 'array',
        items: labelProbability,
        description: 'The most probable labels, in descending order.',
      },
      tokens: { type: 'integer', description: 'Number of tokens read.' },
      knownTokens: {
        type: 'integer',
        description: 'How many of them the model knows. If 0, the probabilities say nothing about the text.',
      },
      outOfScope: {
        type: 'boolean',
        description: 'Whether the text is unlike those of the training; there only if the request asks for it.',
      },
    },
  };
  return {
    one: {
      type: 'object',
      required: ['text'],
      additionalProperties: false,
      properties: { text, topK: top, minProbability: least, precision, outOfScope },
    },
    many: {
      type: 'object',
      required: ['texts'],
      additionalProperties: false,
      properties: {
        texts: { type: 'array', items: text, maxItems: maxTexts },
        topK: top,
        minProbability: least,
        precision,
        outOfScope,
      },
    },
    prediction,
    predictions: {
      type: 'object',
      required: ['predictions'],
      properties: {
        predictions: { type: 'array', items: prediction, description: 'One for each text, in request order.' },
      },
    },
    ...COMMON,
  } as const;
}

/** Schemas of requests and answers of a tagger. */
export function tagSchemas({ maxTextLength, maxTexts }: ServerSettings) {
  const text = { type: 'string', maxLength: maxTextLength, description: 'The text to tag; it may be empty.' };
  const tokens = {
    type: 'array',
    items: { type: 'string', maxLength: maxTextLength },
    maxItems: maxTextLength,
    description: `The tokens of a sentence, of ${maxTextLength} characters at most.`,
  };
  /** A request has one of two properties. */
  const either = (texts: string, sentences: string) => [{ required: [texts] }, { required: [sentences] }];
  const numbers = (description: string, type = 'number') => ({ type: 'array', items: { type }, description });
  const strings = (description: string) => ({ type: 'array', items: { type: 'string' }, description });
  const span = {
    type: 'object',
    required: ['start', 'end', 'label', 'text', 'probability'],
    properties: {
      start: {
        type: 'integer',
        description:
          'In a text, the index of its first UTF-16 code unit, as in JavaScript; in tokens, that of its first token.',
      },
      end: { type: 'integer', description: 'End, exclusive.' },
      label: { type: 'string', description: 'A label of the training rows.' },
      text: { type: 'string', description: 'The part of the text, or the tokens joined by spaces.' },
      probability: { type: 'number', minimum: 0, maximum: 1 },
    },
  };
  const prediction = {
    type: 'object',
    required: ['spans', 'tokens', 'tags', 'probabilities', 'knownTokens'],
    properties: {
      spans: {
        type: 'array',
        items: span,
        description: 'Labelled parts of the text or the tokens, in order and without overlaps.',
      },
      tokens: strings('The tokens of the text, or the given tokens.'),
      starts: numbers('Where each token begins in the text; absent if tokens were given.', 'integer'),
      tags: strings('The tag of each token.'),
      probabilities: numbers('Probability of each tag, from 0 to 1.'),
      knownTokens: { type: 'integer', description: 'Number of tokens that the model knows.' },
    },
  };
  return {
    one: {
      type: 'object',
      oneOf: either('text', 'tokens'),
      additionalProperties: false,
      properties: { text, tokens },
    },
    many: {
      type: 'object',
      oneOf: either('texts', 'sentences'),
      additionalProperties: false,
      properties: {
        texts: { type: 'array', items: text, maxItems: maxTexts },
        sentences: { type: 'array', items: tokens, maxItems: maxTexts },
      },
    },
    prediction,
    predictions: {
      type: 'object',
      required: ['predictions'],
      properties: {
        predictions: {
          type: 'array',
          items: prediction,
          description: 'One for each text or sentence, in request order.',
        },
      },
    },
    ...COMMON,
  } as const;
}

/** What {@link schemas} and {@link tagSchemas} return. */
export type Schemas = Record<keyof ReturnType<typeof schemas>, object>;
