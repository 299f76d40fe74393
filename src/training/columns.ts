import { columnsIn, type RowColumns } from '../data/readers/columns.js';

/** The metadata with added fields in the description; the existing JSON may be large and is not parsed again. */
export function withFields(metadata: Record<string, string>, fields: object): Record<string, string> {
  const more = JSON.stringify(fields).slice(1);
  return more === '}' ? metadata : { ...metadata, model: `${metadata.model!.slice(0, -1)},${more}` };
}

/**
 * The metadata of a model's file with the columns of its training rows, if there are any. Versions of the package that
 * do not know the field ignore it.
 */
export function withColumns(metadata: Record<string, string>, columns: RowColumns | undefined): Record<string, string> {
  return columns === undefined || metadata.model === undefined ? metadata : withFields(metadata, { columns });
}

/** The columns of rows in a form that a file can store; undefined for rows without columns. */
export function columnsOf(rows: { readonly columns?: RowColumns | undefined } | undefined): RowColumns | undefined {
  return columnsIn(rows?.columns);
}
