import type { Plain } from '../core/plain.js';
import { packageVersion } from '../native/addon.js';

/** How a training stood at the end of an epoch. */
export interface RecordedEpoch {
  /** The epoch, from 1. */
  epoch: number;
  /** Mean loss per row of the epoch, in nats, as the training minimized it. */
  loss: number;
  /** Share of the epoch's rows that the model, as it was then, answered correctly. */
  accuracy: number;
  /** Learning rate of its last step. */
  learningRate: number;
  /** How the model did on the validation rows, where there were any. */
  validation?: Readonly<Record<string, Plain>>;
}

/** What a training was given: enough to tell whether another one had the same rows. */
export interface RecordedData {
  /** Rows of the training set. */
  rows: number;
  /** Rows of the validation set; 0 for none. */
  validationRows: number;
  /** SHA-256 over the encoded rows and their vocabulary, in hexadecimal digits, as checkpoints have it. */
  sha256: string;
  /** The same over the texts without labels that word vectors were learned from, where there were any. */
  unlabelled?: string;
}

/**
 * How a model was made, as its file tells. It holds neither a clock time nor a path: the same training gives the same record.
 */
export interface TrainingRecord {
  /** Version of the form of this record: 1. */
  formatVersion: number;
  /** The version of this package that trained the model. */
  version: string;
  /**
   * All settings of the training by the names of their options, defaults included. What a file cannot hold, such as rows and functions, is
   * `{ given: true }`.
   */
  options: Readonly<Record<string, Plain>>;
  /** The rows. */
  data: RecordedData;
  /** The epochs, in order; the last may have been interrupted. Empty for a model without a network. */
  history: readonly RecordedEpoch[];
  /** The epoch whose weights the model has, if validation rows chose one; else null. */
  keptEpoch: number | null;
}

/** Version of the form of a record. */
export const RECORD_VERSION = 1;

/** Settings of the machine and of files, which say nothing of the model. */
const LEFT_OUT: readonly string[] = ['threads', 'checkpoint', 'tensorboard', 'memoryUnits'];

const GIVEN = { given: true } as const;

/** The settings without what is a path or belongs to the machine. */
function recordedOptions({
  embeddings,
  ...settings
}: Readonly<Record<string, Plain>>): Readonly<Record<string, Plain>> {
  const kept = Object.entries(settings).filter(([name]) => !LEFT_OUT.includes(name));
  if (embeddings !== undefined) kept.push(['embeddings', GIVEN]);
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a record tells of the epochs. */
export type RecordedCourse = Pick<TrainingRecord, 'history' | 'keptEpoch'>;

/**
 * Begins the record of a training.
 *
 * @param settings - All of its settings, as checkpoints keep them.
 */
export function recordFrame(
  settings: Readonly<Record<string, Plain>>,
  { rows, validationRows, sha256, unlabelled }: Omit<RecordedData, 'unlabelled'> & { unlabelled?: string | undefined },
): Omit<TrainingRecord, keyof RecordedCourse> {
  return {
    formatVersion: RECORD_VERSION,
    version: packageVersion(),
    options: recordedOptions(settings),
    data: { rows, validationRows, sha256, ...(unlabelled !== undefined && { unlabelled }) },
  };
}

/** What a training reports of an epoch. */
export interface EpochReport extends Pick<RecordedEpoch, 'epoch' | 'loss' | 'accuracy'> {
  validation?: object;
}

/** A sum that was interrupted is rounded otherwise: so many digits are the same. */
const DIGITS = 9;

const rounded = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(DIGITS)) : 0);

/** What is recorded of an epoch, from a report of it. */
export function recordedEpoch({ epoch, loss, accuracy, validation }: EpochReport, learningRate: number): RecordedEpoch {
  return {
    epoch,
    loss: rounded(loss),
    accuracy: rounded(accuracy),
    learningRate: rounded(learningRate),
    ...(validation && { validation: { ...validation } as Record<string, Plain> }),
  };
}

/** The key of a file's metadata under which it tells how the model was made. */
export const CARD_KEY = 'card';

/** Metadata of a model's file with the record of its training, if there is one. */
export function withCard(metadata: Record<string, string>, card: TrainingRecord | undefined): Record<string, string> {
  return card === undefined ? metadata : { ...metadata, [CARD_KEY]: JSON.stringify(card) };
}
