import type { OptionTable } from '../core/options/table.js';
import { GENERATE } from '../models/language/sampling.js';
import { ABOUT } from './about.js';
import type { ServerSettings } from './options.js';
import { ERROR_AND_STATUS } from './schemas.js';

/** Maximum number and length of `stop` strings in a request: each piece of the text is searched for all of them. */
const MOST_STOPS = 16;
const LONGEST_STOP = 1_000;

const { stop: _, signal: __, maxNewTokens, ...NUMBERS } = GENERATE;

/** Maximum beams of a request: each takes as much time as one text. */
const MOST_BEAMS = 16;

/** The schema of a number among the options of `generate`; its range is checked by the option itself. */
function numeric({ kind, help, default: value, defaultText }: OptionTable[string]): object {
  const description = `${help[0]!.toUpperCase()}${help.slice(1)}: ${kind.expected}. Default: ${defaultText ?? value}.`;
  return { type: kind.typed, description };
}

/** Default number of units of a request. */
export function defaultNewTokens({ maxNewTokens: limit }: Pick<ServerSettings, 'maxNewTokens'>): number {
  return Math.min(maxNewTokens.default, limit);
}

/** Schemas of requests and answers of a language model. */
export function languageSchemas(settings: ServerSettings) {
  const { maxTextLength } = settings;
  const numbers = Object.fromEntries(Object.entries(NUMBERS).map(([name, row]) => [name, numeric(row)]));
  const counts = {
    reason: {
      type: 'string',
      enum: ['stop', 'end', 'length'],
      description: 'Why the text ended: at a string of `stop`, by the model itself, or at `maxNewTokens`.',
    },
    promptTokens: { type: 'integer', description: 'Units of the prompt.' },
    tokens: { type: 'integer', description: 'Units written.' },
    seed: { type: 'integer', description: 'Seed of the draws, which reproduces the text.' },
  };
  return {
    generate: {
      type: 'object',
      additionalProperties: false,
      properties: {
        prompt: {
          type: 'string',
          maxLength: maxTextLength,
          description: 'The beginning of the text. Default: empty.',
        },
        maxNewTokens: {
          type: 'integer',
          minimum: 1,
          maximum: settings.maxNewTokens,
          description: `Maximum units to write. Default: ${defaultNewTokens(settings)}.`,
        },
        ...numbers,
        beamSize: { ...numbers.beamSize, maximum: MOST_BEAMS },
        stop: {
          type: ['string', 'array'],
          minLength: 1,
          maxLength: LONGEST_STOP,
          maxItems: MOST_STOPS,
          items: { type: 'string', minLength: 1, maxLength: LONGEST_STOP },
          description: 'Ends the text before the first of these strings. Default: none.',
        },
        stream: {
          type: 'boolean',
          description:
            'Whether the answer is a stream of events. Default: true, unless `Accept` asks for `application/json`.',
        },
      },
    },
    generated: {
      type: 'object',
      required: ['text', ...Object.keys(counts)],
      properties: { text: { type: 'string', description: 'The continuation of the prompt.' }, ...counts },
    },
    textEvent: {
      type: 'object',
      required: ['text'],
      properties: { text: { type: 'string', description: 'The next piece of the text.' } },
    },
    endEvent: { type: 'object', required: Object.keys(counts), properties: counts },
    score: {
      type: 'object',
      required: ['text'],
      additionalProperties: false,
      properties: {
        text: { type: 'string', minLength: 1, maxLength: maxTextLength, description: 'The text to measure.' },
      },
    },
    scored: {
      type: 'object',
      required: ['rows', 'loss', 'perplexity', 'bitsPerCharacter', 'units', 'logProbabilities'],
      properties: {
        rows: { type: 'integer', description: 'Units of the text.' },
        loss: { type: 'number', description: 'Mean negative log-probability, in nats.' },
        perplexity: { type: 'number', description: '`exp(loss)`.' },
        bitsPerCharacter: { type: 'number', description: 'Bits per character.' },
        units: { type: 'array', items: { type: 'string' }, description: 'The units of the text.' },
        logProbabilities: {
          type: 'array',
          items: { type: 'number' },
          description: 'The natural logarithm of the probability of each unit, given those before it.',
        },
      },
    },
    ...ERROR_AND_STATUS,
    model: {
      type: 'object',
      required: ['name', 'kind', 'units', 'words', 'cell', 'limits', 'training'],
      properties: {
        ...ABOUT,
        kind: { type: 'string', enum: ['language'], description: 'The kind of model.' },
        units: {
          type: 'string',
          enum: ['characters', 'bytes', 'words', 'pieces'],
          description: "The model's units.",
        },
        words: { type: 'integer', description: 'Number of distinct units.' },
        cell: { type: 'string', description: 'The recurrent layer.' },
        limits: {
          type: 'object',
          required: ['bodyBytes', 'textLength', 'newTokens', 'concurrent'],
          properties: {
            bodyBytes: { type: 'integer', description: 'Largest body of a request.' },
            textLength: { type: 'integer', description: 'Longest prompt or text, in characters.' },
            newTokens: { type: 'integer', description: 'Maximum units of a generated text.' },
            concurrent: { type: 'integer', description: 'Maximum texts written or measured at the same time.' },
          },
        },
      },
    },
  } as const;
}

/** What {@link languageSchemas} returns. */
export type LanguageSchemas = Record<keyof ReturnType<typeof languageSchemas>, object>;
