import { DataError } from '../../core/errors.js';
import type { ReadingSettings, ReadProgress } from './options.js';

/** Milliseconds between two reports of progress. */
const BETWEEN_REPORTS = 100;

/** Warnings that one reading of a file keeps: the first ones say what is wrong. */
const MOST_WARNINGS = 10;

/**
 * Counts the bytes of a file as they are read.
 *
 * @internal
 */
export interface ByteCounter {
  /** Whether somebody wants to know how far it has come. */
  readonly watched: boolean;
  /** Bytes of the file, where they are known. */
  totalBytes: number | undefined;
  /** Counts bytes. */
  read(bytes: number): void;
}

/**
 * Counts for a reading that is not known yet, since the content decides how it is read.
 *
 * @internal
 */
export class LateCounter implements ByteCounter {
  readonly watched = true;
  totalBytes: number | undefined;
  #bytes = 0;
  #reading: ByteCounter | undefined;

  read(bytes: number): void {
    if (this.#reading) this.#reading.read(bytes);
    else this.#bytes += bytes;
  }

  /** Hands over to the reading what was counted before. */
  pass(reading: ByteCounter): void {
    this.#reading = reading;
    reading.totalBytes = this.totalBytes;
    reading.read(this.#bytes);
  }
}

/**
 * What one reading of a file counts and notes: rows, bytes, rows that were left out, and what may be read otherwise than meant.
 *
 * @internal
 */
export class Reading implements ByteCounter {
  /** Rows that were left out. */
  skipped = 0;
  /** Why the first of them was. */
  firstSkipped: DataError | undefined;
  /** What may be read otherwise than meant. */
  readonly warnings: DataError[] = [];
  totalBytes: number | undefined;
  readonly #file: string | undefined;
  readonly #skip: boolean;
  readonly #onProgress: ((progress: ReadProgress) => void) | undefined;
  #rows = 0;
  #bytes = 0;
  #last = performance.now();

  constructor(file: string | undefined, { onBadRow, onProgress }: ReadingSettings) {
    this.#file = file;
    this.#skip = onBadRow === 'skip';
    this.#onProgress = onProgress;
  }

  get watched(): boolean {
    return this.#onProgress !== undefined;
  }

  /** What `make` makes; undefined if that is a row to leave out. */
  make<Row>(make: () => Row): Row | undefined {
    const row = this.check(make);
    if (row !== undefined) this.#rows++;
    return row;
  }

  /** As {@link make}, of a row that is counted already. */
  check<Row>(make: () => Row): Row | undefined {
    try {
      return make();
    } catch (error) {
      if (!this.#skip || !(error instanceof DataError) || error.code !== 'INVALID_ROW') throw error;
      this.firstSkipped ??= error;
      this.skipped++;
      return undefined;
    }
  }

  /** Counts a row that fits whatever it has. */
  row<Row>(row: Row): Row {
    this.#rows++;
    return row;
  }

  /** Notes what may be read otherwise than meant. */
  warn(message: string, line?: number): void {
    if (this.warnings.length < MOST_WARNINGS) {
      this.warnings.push(new DataError('INVALID_ROW', message, { file: this.#file, line }));
    }
  }

  read(bytes: number): void {
    this.#bytes += bytes;
    if (!this.#onProgress) return;
    const now = performance.now();
    if (now - this.#last < BETWEEN_REPORTS) return;
    this.#last = now;
    this.#report();
  }

  /** Says that the file was read to its end. */
  end(): void {
    this.#report();
  }

  #report(): void {
    this.#onProgress?.({ file: this.#file, bytes: this.#bytes, totalBytes: this.totalBytes, rows: this.#rows });
  }
}
