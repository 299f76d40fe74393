import { createHash } from 'node:crypto';
import { counted } from '../../core/counted.js';
import { DataError } from '../../core/errors.js';
import { Turns } from '../../core/turns.js';
import type { Contents, TrainingData } from '../task.js';

/** Identifies the rows that a checkpoint was made with. */
export interface Fingerprint {
  /** Rows of the training set. */
  rows: number;
  /** Rows of the validation set; 0 for none. */
  validationRows: number;
  /** SHA-256 of all contents in order, in hexadecimal digits. */
  sha256: string;
  /**
   * The same for the unlabelled texts that word vectors were learned from; undefined without them, and in earlier
   * checkpoints.
   */
  unlabelled?: string | undefined;
}

/** Bytes hashed between two checks of the clock: about a millisecond. */
const PIECE = 1 << 20;
const WORDS = 4_096;

/** The SHA-256 of consecutive texts. */
export class TextsHash {
  readonly #hash = createHash('sha256');

  add(text: string): void {
    this.#hash.update(`${text.length}\n`).update(text);
  }

  /** In hexadecimal digits; call it once, after the last text. */
  finish(): string {
    return this.#hash.digest('hex');
  }
}

/**
 * Refuses unlabelled texts that differ from those of the checkpoint.
 *
 * @param now - Their hash.
 * @throws {@link DataError} `DATA_MISMATCH`
 */
export function checkUnlabelled(
  path: string,
  { unlabelled }: Fingerprint,
  now: string,
  file: string | undefined,
): void {
  if (unlabelled === undefined || unlabelled === now) return;
  throw new DataError(
    'DATA_MISMATCH',
    `${path} was written by a training that learned its word vectors from other unlabelled texts; give the same ones, or leave ` +
      'unlabelled: a resumed training does not need them',
    { file },
  );
}

/** Computes the fingerprint of data from their contents, yielding to the event loop. */
export async function fingerprintOf(
  { train, validation }: TrainingData,
  contents: Iterable<Contents>,
): Promise<Fingerprint> {
  const hash = createHash('sha256');
  const turns = new Turns();
  const words = async (list: readonly string[]) => {
    hash.update(`${list.length}\n`);
    for (let from = 0; from < list.length; from += WORDS) {
      hash.update(JSON.stringify(list.slice(from, from + WORDS)));
      if (turns.due) await turns.next();
    }
  };
  const numbers = async (array: Int32Array | Uint32Array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let from = 0; from < bytes.length; from += PIECE) {
      hash.update(bytes.subarray(from, from + PIECE));
      if (turns.due) await turns.next();
    }
  };
  for (const part of contents) {
    if (Array.isArray(part)) await words(part);
    else {
      const list = part as Exclude<Contents, readonly string[]>;
      hash.update(`${list?.length ?? -1}\n`);
      if (list && 'parts' in list) for await (const some of list.parts()) await numbers(some);
      else if (list) await numbers(list);
    }
  }
  return { rows: train.length, validationRows: validation?.length ?? 0, sha256: hash.digest('hex') };
}

/**
 * Refuses rows that differ from those of the checkpoint.
 *
 * @throws {@link DataError} `DATA_MISMATCH`
 */
export function checkFingerprint(path: string, stored: Fingerprint, now: Fingerprint, file: string | undefined): void {
  if (stored.sha256 === now.sha256) return;
  const count = ({ rows, validationRows }: Fingerprint) =>
    `${counted(rows)} to train on${validationRows > 0 ? ` and ${validationRows} to validate on` : ''}`;
  const difference =
    count(stored) === count(now)
      ? `the same number as now (${count(now)}), but with other rows, another order or another tokenizer`
      : `${count(stored)}; these are ${count(now)}`;
  throw new DataError(
    'DATA_MISMATCH',
    `${path} was written by a training on other data: ${difference}. A training can only resume with exactly the same rows`,
    { file },
  );
}
