import { TRANSLATE } from '../models/seq2seq/prediction.js';
import type { ServerSettings } from './options.js';
import { ERROR_AND_STATUS, TEXT_LIMITS } from './schemas.js';

/** Widest beam of a request: a step takes as many times as long. */
export const WIDEST_BEAM = 32;

/** Schemas of requests and answers of a model of pairs. */
export function sequenceSchemas({ maxTextLength, maxTexts }: Pick<ServerSettings, 'maxTextLength' | 'maxTexts'>) {
  const text = { type: 'string', maxLength: maxTextLength, description: 'What is read; it may be empty.' };
  const count = (help: string) => ({
    type: 'integer',
    minimum: 1,
    maximum: WIDEST_BEAM,
    description: `${help[0]!.toUpperCase()}${help.slice(1)}. Default: 1.`,
  });
  const search = {
    beamSize: count('hypotheses that are kept at each step'),
    nBest: count('answers to list, best first; at most `beamSize`'),
    lengthPenalty: {
      type: 'number',
      description: `Power of the length by which scores are divided: ${TRANSLATE.lengthPenalty.kind.expected}. Default: 1.`,
    },
    alignments: {
      type: 'boolean',
      description: 'Whether to tell how much each source unit counted for each unit. Default: false.',
    },
  };
  const strings = (description: string) => ({ type: 'array', items: { type: 'string' }, description });
  const written = {
    text: { type: 'string', description: 'What the model wrote.' },
    units: strings('Its units.'),
    score: { type: 'number', description: 'The natural logarithm of its probability.' },
    alignments: {
      type: 'array',
      items: { type: 'array', items: { type: 'number' } },
      description: 'For each unit how much each source unit counted, from 0 to 1.',
    },
  };
  const candidate = { type: 'object', required: ['text', 'units', 'score'], properties: written };
  const prediction = {
    type: 'object',
    required: ['text', 'units', 'score', 'sourceUnits', 'knownUnits', 'candidates'],
    properties: {
      ...written,
      sourceUnits: strings('The units of the source.'),
      knownUnits: { type: 'integer', description: 'How many of them the model knows.' },
      candidates: { type: 'array', items: candidate, description: 'The best answers, the best first.' },
    },
  };
  return {
    one: {
      type: 'object',
      required: ['text'],
      additionalProperties: false,
      properties: { text, ...search },
    },
    many: {
      type: 'object',
      required: ['texts'],
      additionalProperties: false,
      properties: { texts: { type: 'array', items: text, maxItems: maxTexts }, ...search },
    },
    prediction,
    predictions: {
      type: 'object',
      required: ['predictions'],
      properties: {
        predictions: { type: 'array', items: prediction, description: 'One for each text, in the order asked.' },
      },
    },
    ...ERROR_AND_STATUS,
    model: {
      type: 'object',
      required: ['kind', 'units', 'words', 'targetWords', 'cell', 'limits'],
      properties: {
        kind: { type: 'string', enum: ['seq2seq'], description: 'What the model does with a text.' },
        units: {
          type: 'object',
          required: ['source', 'target'],
          properties: { source: { type: 'string' }, target: { type: 'string' } },
          description: 'What the model reads and writes, one after the other.',
        },
        words: { type: 'integer', description: 'Different units that the model knows.' },
        targetWords: { type: 'integer', description: 'Different units that it can write.' },
        cell: { type: 'string', description: 'The recurrent layer.' },
        limits: TEXT_LIMITS,
      },
    },
  } as const;
}

/** What {@link sequenceSchemas} returns. */
export type SequenceSchemas = Record<keyof ReturnType<typeof sequenceSchemas>, object>;
