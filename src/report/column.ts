import { checkFilled, isSource } from '../core/checks.js';
import { invalidArgument } from '../core/errors.js';
import type { RowsOrigin, UnlabelledText } from '../data/readers/rows.js';
import { withOrigin } from '../data/readers/rows.js';

/** Rows of any kind, as from readers. */
export type AnyRows<R> = (Iterable<R> | AsyncIterable<R>) & RowsOrigin;

/** Throws unless a value can be iterated, at once or step by step. */
function checkRows(name: string, value: unknown): void {
  if (!isSource(value)) throw invalidArgument(name, 'rows: an iterable or async iterable', value);
}

/** The number of the file that a row comes from, from 0, if the rows come from several. */
function fileNumber({ fileOf, files }: RowsOrigin, row: number): number {
  const file = fileOf?.(row);
  return file === undefined ? 0 : (files?.indexOf(file) ?? 0);
}

/** Joins rows and values: by file and line if both have lines, otherwise by position. */
async function* joined<R extends object>(rows: AnyRows<R>, name: string, values: AnyRows<UnlabelledText>) {
  const source = (values as AsyncIterable<UnlabelledText>)[Symbol.asyncIterator]?.();
  const iterator = source ?? (values as Iterable<UnlabelledText>)[Symbol.iterator]();
  try {
    let number = 0;
    let taken = 0;
    let next: IteratorResult<UnlabelledText, unknown>;
    const take = async () => {
      next = await iterator.next();
      taken++;
    };
    /** Where the next value is, compared with a row: before it, there, or after it. */
    const order = (line: number | undefined) => {
      if (next.done) return 1;
      const value = next.value.line;
      if (line === undefined || value === undefined) return 0;
      return fileNumber(values, taken) - fileNumber(rows, number) || value - line;
    };
    await take();
    for await (const row of rows as AsyncIterable<R>) {
      number++;
      const { line } = row as { line?: number };
      // Either reader may have skipped a row.
      while (order(line) < 0) await take();
      const here = order(line) === 0;
      yield here ? { ...row, [name]: (next!.value as UnlabelledText).text } : row;
      if (here) await take();
    }
  } finally {
    await iterator.return?.();
  }
}

/**
 * Rows of a file with an added column, which {@link reportModel} can group results by. The file is read twice in
 * parallel.
 *
 * @param rows - Rows, such as those of {@link readCsv}.
 * @param name - Name of the column in the rows.
 * @param values - The column as texts, such as from {@link readTexts}.
 * @returns rows that can be read again as often as both can.
 * @throws {@link ArgumentError} for arguments of other kinds.
 *
 * @example
 * ```ts
 * const rows = withColumn(readCsv('test.csv', { text: 'body', label: 'queue' }), 'channel', readTexts('test.csv', { text: 'channel' }));
 * const report = await reportModel(model, rows, { by: 'channel' });
 * ```
 */
export function withColumn<R extends object>(
  rows: AnyRows<R>,
  name: string,
  values: AnyRows<UnlabelledText>,
): AsyncIterable<R> & RowsOrigin {
  checkRows('rows', rows);
  checkFilled('name', name, 'the name of a column');
  checkRows('values', values);
  return withOrigin({ [Symbol.asyncIterator]: () => joined(rows, name, values) }, rows);
}
