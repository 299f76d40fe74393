import { DataError } from '../../core/errors.js';
import type { ReadingSettings, ReadProgress } from './options.js';

/** Milliseconds between two reports of progress. */
const BETWEEN_REPORTS = 100;

/** Says how to leave out invalid rows, at the end of the message about one. */
const SKIP = " (onBadRow: 'skip' or --skip-bad-rows skips such rows)";

/** Maximum skipped rows of which the reason is kept. */
export const MOST_REASONS = 10;

/** Maximum warnings kept for one reading of a file: the first ones show what is wrong. */
export const MOST_WARNINGS = 10;

/**
 * Counts the bytes of a file as they are read.
 *
 * @internal
 */
export interface ByteCounter {
  /** Whether progress is reported. */
  readonly watched: boolean;
  /** Size of the file in bytes, if known. */
  totalBytes: number | undefined;
  /** Counts bytes. */
  read(bytes: number): void;
}

/**
 * Counts for a reading that does not exist yet, because the content decides the format.
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

  /** Passes the counts so far to the reading. */
  pass(reading: ByteCounter): void {
    this.#reading = reading;
    reading.totalBytes = this.totalBytes;
    reading.read(this.#bytes);
  }
}

/**
 * Counts and warnings of one reading of a file: rows, bytes, skipped rows, and data that may be misread.
 *
 * @internal
 */
export class Reading implements ByteCounter {
  /** Skipped rows. */
  skipped = 0;
  /** Why the first of them were skipped. */
  readonly whySkipped: DataError[] = [];
  /** Data that may be misread. */
  readonly warnings: DataError[] = [];
  totalBytes: number | undefined;
  /** Rows whose text column is empty, by the name or number of the column; counted if there are several. */
  readonly emptyCells = new Map<string, number>();
  readonly #emptyNow: string[] = [];
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

  /** Why the first row was skipped. */
  get firstSkipped(): DataError | undefined {
    return this.whySkipped[0];
  }

  /** The result of `make`; undefined for a row to skip. */
  make<Row>(make: () => Row): Row | undefined {
    this.#emptyNow.length = 0;
    const row = this.check(make);
    if (row === undefined) return undefined;
    this.#rows++;
    for (const column of this.#emptyNow) this.emptyCells.set(column, (this.emptyCells.get(column) ?? 0) + 1);
    return row;
  }

  /** Like {@link make}, for a row that is already counted. */
  check<Row>(make: () => Row): Row | undefined {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof DataError) || error.code !== 'INVALID_ROW') throw error;
      if (!this.#skip) {
        error.message += SKIP;
        throw error;
      }
      if (this.whySkipped.length < MOST_REASONS) this.whySkipped.push(error);
      this.skipped++;
      return undefined;
    }
  }

  /** Counts a row that needs no check. */
  row<Row>(row: Row): Row {
    this.#rows++;
    return row;
  }

  /** Notes that a column of the row that is being made is empty. */
  readonly emptyCell = (column: string): void => {
    this.#emptyNow.push(column);
  };

  /** Records a warning about data that may be misread. */
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

  /** Reports that the file was read to its end. */
  end(): void {
    this.#report();
  }

  #report(): void {
    this.#onProgress?.({ file: this.#file, bytes: this.#bytes, totalBytes: this.totalBytes, rows: this.#rows });
  }
}
