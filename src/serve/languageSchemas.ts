import type { OptionTable } from '../core/options/table.js';
import { GENERATE } from '../models/language/sampling.js';
import type { ServerSettings } from './options.js';
import { ERROR_AND_STATUS } from './schemas.js';

/** Most strings of `stop` in a request, and their longest: each piece of the text is searched for all of them. */
const MOST_STOPS = 16;
const LONGEST_STOP = 1_000;

const { stop: _, signal: __, maxNewTokens, ...NUMBERS } = GENERATE;

/** Texts that a request may have continued side by side: each takes as much time as one. */
const MOST_BEAMS = 16;

/** The schema of a number among the options of `generate`; its range is checked by the option itself. */
function numeric({ kind, help, default: value, defaultText }: OptionTable[string]): object {
  const description = `${help[0]!.toUpperCase()}${help.slice(1)}: ${kind.expected}. Default: ${defaultText ?? value}.`;
  return { type: kind.typed, description };
}

/** How many units a request gets that does not say. */
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
    tokens: { type: 'integer', description: 'Units that were written.' },
    seed: { type: 'integer', description: 'Seed of the draws: it gives the same text again.' },
  };
  return {
    generate: {
      type: 'object',
      additionalProperties: false,
      properties: {
        prompt: {
          type: 'string',
          maxLength: maxTextLength,
          description: 'Where the text begins. Default: the model begins.',
        },
        maxNewTokens: {
          type: 'integer',
          minimum: 1,
          maximum: settings.maxNewTokens,
          description: `Most units to write. Default: ${defaultNewTokens(settings)}.`,
        },
        ...numbers,
        beamSize: { ...numbers.beamSize, maximum: MOST_BEAMS },
        stop: {
          type: ['string', 'array'],
          minLength: 1,
          maxLength: LONGEST_STOP,
          maxItems: MOST_STOPS,
          items: { type: 'string', minLength: 1, maxLength: LONGEST_STOP },
          description: 'The text ends before the one of these strings that is complete first. Default: none.',
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
      properties: { text: { type: 'string', description: 'The text behind the prompt.' }, ...counts },
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
        loss: { type: 'number', description: 'Mean of the negative logarithm of their probabilities, in nats.' },
        perplexity: { type: 'number', description: '`exp(loss)`.' },
        bitsPerCharacter: { type: 'number', description: 'Bits that the model needs for a character.' },
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
      required: ['kind', 'units', 'words', 'cell', 'limits'],
      properties: {
        kind: { type: 'string', enum: ['language'], description: 'What the model does with a text.' },
        units: {
          type: 'string',
          enum: ['characters', 'bytes', 'words', 'pieces'],
          description: 'What the model reads and writes.',
        },
        words: { type: 'integer', description: 'How many different units it knows.' },
        cell: { type: 'string', description: 'The recurrent layer.' },
        limits: {
          type: 'object',
          required: ['bodyBytes', 'textLength', 'newTokens', 'concurrent'],
          properties: {
            bodyBytes: { type: 'integer', description: 'Largest body of a request.' },
            textLength: { type: 'integer', description: 'Longest prompt or text, in characters.' },
            newTokens: { type: 'integer', description: 'Most units of a text that is written.' },
            concurrent: { type: 'integer', description: 'Texts that are written or measured at the same time.' },
          },
        },
      },
    },
  } as const;
}

/** What {@link languageSchemas} returns. */
export type LanguageSchemas = Record<keyof ReturnType<typeof languageSchemas>, object>;
