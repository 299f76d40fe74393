import { constraint, type DataError, invalidArgument } from '../../core/errors.js';
import { MOST_REASONS, MOST_WARNINGS } from './reading.js';
import type { FileRows, Input } from './source.js';

/** One file, or several whose rows follow one another. */
export type Inputs = Input | readonly Input[];

/**
 * Opens one input, or several as one source of rows: those of the first input, then those of the second, and so on. An
 * input is opened when the rows of the one before have been read.
 *
 * @param inputs - An input, or an array of at least one.
 * @param open - Opens an input; invalid options are reported at once.
 * @throws ArgumentError for an empty array, and for a file that is given twice.
 *
 * @internal
 */
export function severalRows<R, F extends FileRows<R> = FileRows<R>>(
  inputs: Inputs,
  open: (input: Input) => F,
): F | FileRows<R> {
  if (!Array.isArray(inputs)) return open(inputs as Input);
  const list = inputs as readonly Input[];
  if (list.length === 0) throw invalidArgument('input', 'at least one file', inputs);
  checkDifferent(list);
  if (list.length === 1) return open(list[0]!);
  return joined(list.map(open));
}

/** Refuses a file that is given twice: each of its rows would count twice. */
function checkDifferent(inputs: readonly Input[]): void {
  const seen = new Set<unknown>();
  for (const input of inputs) {
    const name = input instanceof URL ? input.href : input;
    if (seen.has(name))
      throw constraint('input', `${typeof name === 'string' ? name : 'a stream'} is given twice; give each file once`);
    seen.add(name);
  }
}

/** The rows of several readers, one after the other. */
function joined<R>(parts: readonly FileRows<R>[]): FileRows<R> {
  /** Number of the last row of each part that was read to its end. */
  let ends: number[] = [];
  /** Parts of which the last iteration has read something; the others may still have the figures of one before. */
  let opened = 0;
  const now = () => parts.slice(0, opened);
  const files = parts.flatMap(({ file }) => (file === undefined ? [] : [file]));
  return {
    file: undefined,
    files,
    get columns() {
      return parts.find(({ columns }) => columns)?.columns;
    },
    fileOf(row) {
      const at = ends.findIndex((end) => row <= end);
      return parts[at < 0 ? Math.min(ends.length, parts.length - 1) : at]!.file;
    },
    get skipped() {
      return now().reduce((sum, { skipped }) => sum + skipped, 0);
    },
    get firstSkipped() {
      return now().find(({ firstSkipped }) => firstSkipped)?.firstSkipped;
    },
    get whySkipped() {
      return firstOf(now(), ({ whySkipped }) => whySkipped, MOST_REASONS);
    },
    get emptyCells() {
      const all = new Map<string, number>();
      for (const { emptyCells } of now())
        for (const [column, rows] of emptyCells) all.set(column, (all.get(column) ?? 0) + rows);
      return all;
    },
    get warnings() {
      return firstOf(now(), ({ warnings }) => warnings, MOST_WARNINGS);
    },
    async *[Symbol.asyncIterator]() {
      ends = [];
      opened = 0;
      let rows = 0;
      for (const part of parts) {
        // Its figures are those of this iteration only once that has started.
        const iterator = part[Symbol.asyncIterator]();
        opened++;
        for await (const row of { [Symbol.asyncIterator]: () => iterator }) {
          rows++;
          yield row;
        }
        ends.push(rows);
      }
    },
  };
}

function firstOf<R>(
  parts: readonly FileRows<R>[],
  of: (part: FileRows<R>) => readonly DataError[],
  most: number,
): DataError[] {
  return parts.flatMap((part) => of(part)).slice(0, most);
}
