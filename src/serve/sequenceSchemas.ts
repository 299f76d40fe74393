import { TRANSLATE } from '../models/seq2seq/prediction.js';
import { ABOUT } from './about.js';
import type { ServerSettings } from './options.js';
import { ERROR_AND_STATUS, TEXT_LIMITS } from './schemas.js';

/** Maximum beam of a request: the time of a step grows with it. */
export const WIDEST_BEAM = 32;

/** Schemas of requests and answers of a model of pairs. */
export function sequenceSchemas({ maxTextLength, maxTexts }: Pick<ServerSettings, 'maxTextLength' | 'maxTexts'>) {
  const text = { type: 'string', maxLength: maxTextLength, description: 'The source text; it may be empty.' };
  const count = (help: string) => ({
    type: 'integer',
    minimum: 1,
    maximum: WIDEST_BEAM,
    description: `${help[0]!.toUpperCase()}${help.slice(1)}. Default: 1.`,
  });
  const search = {
    beamSize: count('hypotheses kept at each step'),
    nBest: count('answers to list, best first; at most `beamSize`'),
    lengthPenalty: {
      type: 'number',
      description: `Power of the length by which scores are divided: ${TRANSLATE.lengthPenalty.kind.expected}. Default: 1.`,
    },
    alignments: {
      type: 'boolean',
      description: 'Whether to return the attention weights of the source units. Default: false.',
    },
  };
  const strings = (description: string) => ({ type: 'array', items: { type: 'string' }, description });
  const written = {
    text: { type: 'string', description: "The model's answer." },
    units: strings('Its units.'),
    score: { type: 'number', description: 'The natural logarithm of its probability.' },
    alignments: {
      type: 'array',
      items: { type: 'array', items: { type: 'number' } },
      description: 'For each unit, the attention weights of the source units, from 0 to 1.',
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
        predictions: { type: 'array', items: prediction, description: 'One for each text, in request order.' },
      },
    },
    ...ERROR_AND_STATUS,
    model: {
      type: 'object',
      required: ['name', 'kind', 'units', 'words', 'targetWords', 'cell', 'limits', 'training'],
      properties: {
        ...ABOUT,
        kind: { type: 'string', enum: ['seq2seq'], description: 'The kind of model.' },
        units: {
          type: 'object',
          required: ['source', 'target'],
          properties: { source: { type: 'string' }, target: { type: 'string' } },
          description: 'The units of both sides.',
        },
        words: { type: 'integer', description: 'Number of distinct source units.' },
        targetWords: { type: 'integer', description: 'Number of distinct target units.' },
        cell: { type: 'string', description: 'The recurrent layer.' },
        limits: TEXT_LIMITS,
      },
    },
  } as const;
}

/** What {@link sequenceSchemas} returns. */
export type SequenceSchemas = Record<keyof ReturnType<typeof sequenceSchemas>, object>;
