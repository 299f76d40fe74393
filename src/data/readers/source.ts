import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { fileURLToPath } from 'node:url';
import { constraint, type DataError, invalidArgument } from '../../core/errors.js';
import type { RowColumns } from './columns.js';
import { decompressed } from './decompress.js';
import type { ReadingSettings } from './options.js';
import { type ByteCounter, Reading } from './reading.js';

/**
 * Where a reader takes its bytes from: the path of a file or its `file:` URL, `-` for standard input, a stream of Node, or a web stream
 * such as the body of a `Response`.
 */
export type Input = string | URL | Readable | ReadableStream<Uint8Array>;

/** Rows of a file, read again for each iteration; rows of a stream can be iterated only once. */
export interface FileRows<Row> extends AsyncIterable<Row> {
  /** Path of the file as given, `stdin` for standard input, undefined for a stream and for several files. */
  readonly file: string | undefined;
  /** Paths of the files, if there are several. */
  readonly files?: readonly string[] | undefined;
  /** Of several files the one that a row of the last iteration comes from, by the number of the row, from 1. */
  readonly fileOf?: ((row: number) => string | undefined) | undefined;
  /** The columns that the rows are read from, which a trained model keeps; undefined for formats without columns. */
  readonly columns?: RowColumns | undefined;
  /** Number of rows that the last iteration has skipped so far, with `onBadRow: 'skip'`. */
  readonly skipped: number;
  /** Why the first of them was skipped. */
  readonly firstSkipped: DataError | undefined;
  /** Why the first ten of them were skipped. */
  readonly whySkipped: readonly DataError[];
  /** With several columns of text: rows of the last iteration in which a column is empty, by column. */
  readonly emptyCells: ReadonlyMap<string, number>;
  /**
   * Data that the last iteration may have misread so far: a header that is read as a row or that a later row repeats, a
   * quote that swallows rows.
   * Each warning says what to do. A training reports them as `warning` events.
   */
  readonly warnings: readonly DataError[];
}

/**
 * An input that readers open.
 *
 * @internal
 */
export interface Source {
  /** The name for messages. */
  readonly file: string | undefined;
  /** The path, if it is a file that can be read at any position. */
  readonly path: string | undefined;
  /** Throws if the input was read before and cannot be again. */
  check(): void;
  /** The bytes, decompressed if they are gzip or zstd. `counter` counts the bytes read. */
  open(counter?: ByteCounter): AsyncIterable<Uint8Array | string>;
}

const INPUT = 'a path, a file: URL, - or a stream';

/** The path of an input, if it is a file. */
function pathOf(input: Input): string | undefined {
  if (typeof input === 'string') {
    if (input === '-') return undefined;
    return /^file:\/\//i.test(input) ? pathOf(new URL(input)) : input;
  }
  if (!(input instanceof URL)) return undefined;
  if (input.protocol !== 'file:') {
    throw constraint(
      'input',
      `Expected ${INPUT} for input but received a URL of ${input.protocol.slice(0, -1)}: give the body of its response, (await fetch(url)).body`,
    );
  }
  return fileURLToPath(input);
}

/** A stream of Node. */
function isReadable(input: unknown): input is Readable {
  return typeof input === 'object' && input !== null && typeof (input as Readable).pipe === 'function';
}

/** A web stream of any implementation. */
function isWebStream(input: unknown): input is ReadableStream<Uint8Array> {
  return typeof input === 'object' && input !== null && typeof (input as ReadableStream).getReader === 'function';
}

/**
 * Checks an input and turns it into a source.
 *
 * @internal
 */
export function sourceOf(input: Input): Source {
  const path = pathOf(input);
  if (path !== undefined) {
    const open = async function* (counter?: ByteCounter) {
      if (counter?.watched) {
        counter.totalBytes = await stat(path).then(
          (found) => (found.isFile() ? found.size : undefined),
          () => undefined,
        );
      }
      yield* decompressed(() => createReadStream(path), path, counter);
    };
    return { file: path, path, check() {}, open };
  }
  const web = isWebStream(input);
  if (!web && !isReadable(input) && input !== '-') throw invalidArgument('input', INPUT, input);
  let taken = false;
  const stream = (): Readable => {
    if (input === '-') return process.stdin;
    taken = true;
    return web ? Readable.fromWeb(input as NodeReadableStream) : (input as Readable);
  };
  const read = () => {
    if (web) return taken || (input as ReadableStream).locked;
    return (input === '-' ? process.stdin : (input as Readable)).readableDidRead;
  };
  const file = input === '-' ? 'stdin' : undefined;
  return {
    file,
    path: undefined,
    check() {
      if (read()) throw constraint('input', 'The stream has already been read; its rows can be iterated only once');
    },
    open: (counter) => decompressed(stream, file, counter),
  };
}

/**
 * Makes the rows of a reader.
 *
 * @param columns - The columns that they are read from.
 *
 * @internal
 */
export function fileRows<Row>(
  source: Source,
  settings: ReadingSettings,
  read: (source: Source, reading: Reading) => AsyncIterator<Row>,
  columns?: RowColumns,
): FileRows<Row> {
  let reading = new Reading(source.file, settings);
  return {
    file: source.file,
    columns,
    get skipped() {
      return reading.skipped;
    },
    get firstSkipped() {
      return reading.firstSkipped;
    },
    get whySkipped() {
      return reading.whySkipped;
    },
    get emptyCells() {
      return reading.emptyCells;
    },
    get warnings() {
      return reading.warnings;
    },
    [Symbol.asyncIterator]: () => {
      source.check();
      reading = new Reading(source.file, settings);
      return read(source, reading);
    },
  };
}
