import { invalidArgument } from '../../core/errors.js';

/** A column by its name in the header, or by its number: 1 is the first, as in the positions that errors name. */
export type Column = string | number;

/** Makes the error for an invalid field. */
export type Refuse = (message: string) => Error;

/**
 * Checks the columns of a text.
 *
 * @internal
 */
export function textColumns(text: Column | readonly Column[]): Column[] {
  const columns = Array.isArray(text) ? text : [text];
  if (columns.length === 0) throw invalidArgument('text', 'at least one column', text);
  return columns.map((column) => checkColumn('text', column));
}

/**
 * Checks a column.
 *
 * @internal
 */
export function checkColumn(name: string, column: Column): Column {
  if (typeof column === 'string' || (Number.isSafeInteger(column) && column >= 1)) return column;
  throw invalidArgument(name, 'the name of a column or its number, from 1', column);
}

/**
 * The labels of a field: its trimmed parts, without empty ones.
 *
 * @internal
 */
export function separated(field: string, separator: string): string[] {
  return field
    .split(separator)
    .map((label) => label.trim())
    .filter((label) => label !== '');
}

/**
 * The text of a row of named values: one field, or several joined by a space; of several, some may be null.
 *
 * @param empty - Called for each of several fields that is null or empty.
 *
 * @internal
 */
export function textOf(fields: readonly Field[], refuse: Refuse, empty?: (name: string) => void): string {
  let text = '';
  let found = false;
  for (const [i, field] of fields.entries()) {
    if (i > 0) text += ' ';
    if (fields.length > 1 && (field.value === null || field.value === '')) {
      empty?.(field.name);
      if (field.value === null) continue;
    }
    text += scalar(field, 'a string', refuse);
    found = true;
  }
  if (!found) throw refuse(`the fields ${fields.map(({ name }) => JSON.stringify(name)).join(', ')} are all null`);
  return text;
}

/**
 * The label of a row of named values, or its labels.
 *
 * @internal
 */
export function labelOf(field: Field, separator: string | undefined, refuse: Refuse): string | string[] {
  const { name, value } = field;
  const expected = 'a string, or an array of strings for several labels';
  if (Array.isArray(value)) {
    return value.map((each, i) => {
      const part = { name: `${name}[${i}]`, value: each };
      return nonEmpty(part.name, scalar(part, expected, refuse), refuse);
    });
  }
  const label = scalar(field, expected, refuse);
  return separator === undefined ? nonEmpty(name, label, refuse) : separated(label, separator);
}

/**
 * A side of a pair of named values.
 *
 * @internal
 */
export function sideOf(field: Field, refuse: Refuse): string {
  return scalar(field, 'a string', refuse);
}

/** A value with its name. */
export interface Field {
  name: string;
  value: unknown;
  /** What to say if it is missing: the fields that exist. */
  hint?: string;
}

/** Errors about columns and fields that are not there at all, with their names. */
const missing = new WeakMap<object, readonly string[]>();

/**
 * Notes that an error is about columns or fields that are not there, and returns it.
 *
 * @internal
 */
export function aboutMissing<E extends Error>(error: E, ...names: Column[]): E {
  missing.set(error, names.map(String));
  return error;
}

/**
 * The columns or fields that an error says are not there; none for other errors.
 *
 * @internal
 */
export function missingColumns(error: unknown): readonly string[] {
  return (typeof error === 'object' && error !== null && missing.get(error)) || [];
}

/**
 * The group of a row of named values; undefined for a row that is a separate group, with null or an empty text.
 *
 * @internal
 */
export function groupOf(field: Field, refuse: Refuse): string | undefined {
  if (field.value === null) return undefined;
  return scalar(field, 'a string or a number', refuse) || undefined;
}

/**
 * The values of columns that are carried over, by their names.
 *
 * @internal
 */
export function keptOf(fields: readonly Field[], refuse: Refuse): Readonly<Record<string, unknown>> {
  return Object.fromEntries(fields.map((field) => [field.name, keptValue(field, refuse)]));
}

function keptValue(field: Field, refuse: Refuse): unknown {
  const { value } = field;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  // A number that loses digits no longer identifies its row.
  if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)))
    scalar(field, 'a string', refuse);
  return value;
}

function nonEmpty(name: string, label: string, refuse: Refuse): string {
  if (label === '') throw refuse(`the label in ${JSON.stringify(name)} is empty`);
  return label;
}

/** Strings unchanged; numbers and booleans as JavaScript writes them. */
function scalar({ name, value, hint = '' }: Field, expected: string, refuse: Refuse): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) || !(Number.isInteger(value) || Number.isNaN(value))) return String(value);
    const problem = Number.isNaN(value) ? 'is not a number (NaN)' : `is a number beyond 2^53, which loses digits`;
    throw refuse(`the field ${JSON.stringify(name)} ${problem}: write it as ${expected}`);
  }
  const found =
    value === undefined
      ? 'is missing'
      : value === null
        ? 'is null'
        : `is ${Array.isArray(value) ? 'an array' : 'an object'}`;
  const error = refuse(`the field ${JSON.stringify(name)} ${found}: expected ${expected}${hint}`);
  throw value === undefined ? aboutMissing(error, name) : error;
}
