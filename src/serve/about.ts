import type { ServedModel } from './context.js';
import type { ServerSettings } from './options.js';

/** What a model is called, and how it did in its training: the part of `GET /model` that is the same for all kinds. */
export interface About {
  /** What it is called; null if it has no name. */
  name: string | null;
  /** How it was trained; null if its file does not tell. */
  training: TrainingSummary | null;
}

/** The public part of a model's card, without options and the fingerprint of the data. */
export interface TrainingSummary {
  version: string;
  rows: number;
  validationRows: number;
  epochs: number;
  /** Measures on the validation rows, by name; empty without such rows. */
  measures: Record<string, number>;
}

/** Schemas of {@link About}. */
export const ABOUT = {
  name: { type: ['string', 'null'], description: 'What the model is called; null if it has no name.' },
  training: {
    type: ['object', 'null'],
    required: ['version', 'rows', 'validationRows', 'epochs', 'measures'],
    description: 'How the model was trained; null if its file does not tell.',
    properties: {
      version: { type: 'string', description: 'The version of recurra that trained it.' },
      rows: { type: 'integer', description: 'Rows of the training.' },
      validationRows: { type: 'integer', description: 'Rows that it was measured on.' },
      epochs: { type: 'integer', description: 'Epochs of the training.' },
      measures: {
        type: 'object',
        additionalProperties: { type: 'number' },
        description: 'Measures on the validation rows, by name.',
      },
    },
  },
} as const;

/** Counts among the numbers of the validation, which do not measure the model. */
const COUNTS: readonly string[] = ['rows', 'tokens', 'units', 'edits'];

/** Tells what a model is called, and how it did. */
export function aboutModel({ card }: Pick<ServedModel, 'card'>, { name }: Pick<ServerSettings, 'name'>): About {
  if (!card) return { name: name ?? null, training: null };
  const { version, data, history, keptEpoch } = card;
  const { validation = {} } = history.find(({ epoch }) => epoch === keptEpoch) ?? history.at(-1) ?? {};
  const measures: Record<string, number> = {};
  for (const [measure, value] of Object.entries(validation)) {
    // BLEU comes with its parts.
    const score = value !== null && typeof value === 'object' && 'score' in value ? value.score : value;
    if (typeof score === 'number' && !COUNTS.includes(measure)) measures[measure] = score;
  }
  const { rows, validationRows } = data;
  return { name: name ?? null, training: { version, rows, validationRows, epochs: history.length, measures } };
}
