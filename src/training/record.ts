import type { Plain } from '../core/plain.js';
import { packageVersion } from '../native/addon.js';

/** The figures of a training at the end of an epoch. */
export interface RecordedEpoch {
  /** The epoch, from 1. */
  epoch: number;
  /** Mean loss per row of the epoch, in nats, as minimised by the training. */
  loss: number;
  /** Share of the epoch's rows answered correctly, before the respective step. */
  accuracy: number;
  /** Learning rate of its last step. */
  learningRate: number;
  /** Validation figures, if there were validation rows. */
  validation?: Readonly<Record<string, Plain>>;
}

/** Fingerprint of a training's data: enough to tell whether another training had the same rows. */
export interface RecordedData {
  /** Rows of the training set. */
  rows: number;
  /** Rows of the validation set; 0 for none. */
  validationRows: number;
  /** SHA-256 over the encoded rows and their vocabulary, in hexadecimal digits, as in checkpoints. */
  sha256: string;
  /** The same for the unlabelled texts that word vectors were learned from, if any. */
  unlabelled?: string;
}

/**
 * How a model was made, as stored in its file. It contains no clock time and no path: the same training gives the same
 * record.
 */
export interface TrainingRecord {
  /** Format version of this record: 1. */
  formatVersion: number;
  /** The version of this package that trained the model. */
  version: string;
  /**
   * All settings of the training by option name, including defaults. Values that a file cannot store, such as rows and
   * functions, are `{ given: true }`.
   */
  options: Readonly<Record<string, Plain>>;
  /** The rows. */
  data: RecordedData;
  /** The epochs, in order; the last may have been interrupted. Empty for a model without a network. */
  history: readonly RecordedEpoch[];
  /** The epoch whose weights the model has, if chosen by validation rows; otherwise null. */
  keptEpoch: number | null;
}

/** Format version of a record. */
export const RECORD_VERSION = 1;

/** Settings of the machine and of files, which do not affect the model. */
const LEFT_OUT: readonly string[] = ['threads', 'checkpoint', 'tensorboard', 'memoryUnits', 'wholeTexts'];

const GIVEN = { given: true } as const;

/** The settings without paths and settings of the machine. */
function recordedOptions({
  embeddings,
  ...settings
}: Readonly<Record<string, Plain>>): Readonly<Record<string, Plain>> {
  const kept = Object.entries(settings).filter(([name]) => !LEFT_OUT.includes(name));
  if (embeddings !== undefined) kept.push(['embeddings', GIVEN]);
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The epochs of a record. */
export type RecordedCourse = Pick<TrainingRecord, 'history' | 'keptEpoch'>;

/**
 * Starts the record of a training.
 *
 * @param settings - All of its settings, as stored in checkpoints.
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

/** A training's report of an epoch. */
export interface EpochReport extends Pick<RecordedEpoch, 'epoch' | 'loss' | 'accuracy'> {
  validation?: object;
}

/** Interrupted sums are rounded differently: this many digits are the same. */
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

/** Metadata key of a file's training record. */
export const CARD_KEY = 'card';

/** Metadata of a model's file with the record of its training, if there is one. */
export function withCard(metadata: Record<string, string>, card: TrainingRecord | undefined): Record<string, string> {
  return card === undefined ? metadata : { ...metadata, [CARD_KEY]: JSON.stringify(card) };
}
