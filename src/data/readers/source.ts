import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { checkChoice } from '../../core/checks.js';
import { constraint, DataError, invalidArgument } from '../../core/errors.js';
import { decompressed } from './decompress.js';

/** Where a reader takes its bytes from: the path of a file, `-` for standard input, or a stream. */
export type Input = string | Readable;

/** Rows of a file, read again each time they are iterated over; rows of a stream can be iterated over once. */
export interface FileRows<Row> extends AsyncIterable<Row> {
  /** Path of the file as it was given, `stdin` for standard input, undefined for a stream. */
  readonly file: string | undefined;
  /** Number of rows that the last iteration left out for `onBadRow: 'skip'`, so far. */
  readonly skipped: number;
}

/** What a reader does with a row that does not fit: end with the error, or leave it out and count it. */
export type OnBadRow = 'error' | 'skip';

/**
 * An input that readers open.
 *
 * @internal
 */
export interface Source {
  /** The name for messages. */
  readonly file: string | undefined;
  /** The path, if it is a file, which can be read at any place. */
  readonly path: string | undefined;
  /** Throws if the input was read before and cannot be again. */
  check(): void;
  /** The bytes, decompressed if they are gzip or zstd. */
  open(): AsyncIterable<Uint8Array | string>;
}

/**
 * Checks an input and makes it one that readers open.
 *
 * @internal
 */
export function sourceOf(input: Input): Source {
  if (typeof input === 'string' && input !== '-') {
    return { file: input, path: input, check() {}, open: () => decompressed(() => createReadStream(input), input) };
  }
  const isStream = typeof input === 'object' && input !== null && typeof input.pipe === 'function';
  if (!isStream && input !== '-') throw invalidArgument('input', 'a path, - or a stream', input);
  const stream = () => (input === '-' ? process.stdin : (input as Readable));
  const file = input === '-' ? 'stdin' : undefined;
  return {
    file,
    path: undefined,
    check() {
      if (!stream().readableDidRead) return;
      throw constraint('input', 'The stream was read before; its rows can be iterated over once');
    },
    open: () => decompressed(stream, file),
  };
}

/**
 * Counts the rows that are left out, or refuses them.
 *
 * @internal
 */
export class BadRows {
  readonly skip: boolean;
  count = 0;

  constructor(onBadRow: OnBadRow | undefined) {
    if (onBadRow !== undefined) checkChoice('onBadRow', onBadRow, ['error', 'skip']);
    this.skip = onBadRow === 'skip';
  }

  /** What `make` makes; undefined if that is a row to leave out. */
  make<Row>(make: () => Row): Row | undefined {
    try {
      return make();
    } catch (error) {
      if (!this.skip || !(error instanceof DataError) || error.code !== 'INVALID_ROW') throw error;
      this.count++;
      return undefined;
    }
  }
}

/**
 * Makes rows of a reader.
 *
 * @internal
 */
export function fileRows<Row>(
  source: Source,
  onBadRow: OnBadRow | undefined,
  read: (source: Source, bad: BadRows) => AsyncIterator<Row>,
): FileRows<Row> {
  let bad = new BadRows(onBadRow);
  return {
    file: source.file,
    get skipped() {
      return bad.count;
    },
    [Symbol.asyncIterator]: () => {
      source.check();
      bad = new BadRows(onBadRow);
      return read(source, bad);
    },
  };
}
