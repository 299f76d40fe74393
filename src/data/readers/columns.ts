import type { Column } from './fields.js';

/**
 * The columns that rows are read from, by the names of the readers' options. A model keeps those of its training rows,
 * so that `readRows('test.csv', model.columns)` reads other rows in the same way.
 */
export interface RowColumns {
  /** Column or field of the text, or several. */
  readonly text?: Column | readonly Column[];
  /** Column or field of the label. */
  readonly label?: Column;
  /** What separates the labels of a row. */
  readonly labelSeparator?: string;
  /** Column or field of the source of a pair. */
  readonly source?: Column;
  /** Column or field of the target of a pair. */
  readonly target?: Column;
  /** Column of the token, or field of the tokens. */
  readonly token?: Column;
  /** Column of the tag, or field of the tags. */
  readonly tag?: Column;
  /** Field of the spans. */
  readonly spans?: Column;
  /** Whether the first row has the names of the columns, if an option said so. */
  readonly header?: boolean;
}

const isColumn = (value: unknown): value is Column =>
  typeof value === 'string' || (Number.isSafeInteger(value) && (value as number) >= 1);

/** The checks of {@link RowColumns}. */
const CHECKS: { readonly [Name in keyof RowColumns]-?: (value: unknown) => boolean } = {
  text: (value) => isColumn(value) || (Array.isArray(value) && value.length > 0 && value.every(isColumn)),
  label: isColumn,
  labelSeparator: (value) => typeof value === 'string' && value !== '',
  source: isColumn,
  target: isColumn,
  token: isColumn,
  tag: isColumn,
  spans: isColumn,
  header: (value) => typeof value === 'boolean',
};

/**
 * The columns in an object of unknown contents, such as the description in a model's file; undefined if there are none.
 * What is not a column is left out: a model can be used without it.
 *
 * @internal
 */
export function columnsIn(value: unknown): RowColumns | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = Object.entries(CHECKS).flatMap(([name, fits]) => {
    const own = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
    return own !== undefined && fits(own) ? [[name, own] as const] : [];
  });
  return found.length === 0 ? undefined : (Object.fromEntries(found) as RowColumns);
}

/**
 * The columns among a reader's options: one text column without its array, and only what is given.
 *
 * @internal
 */
export function givenColumns({ text, ...others }: { [Name in keyof RowColumns]?: unknown }): RowColumns {
  const only = Array.isArray(text) && text.length === 1 ? text[0] : text;
  return columnsIn({ text: only, ...others }) ?? {};
}
