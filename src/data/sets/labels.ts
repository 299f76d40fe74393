import { describe } from '../../core/errors.js';
import { closest } from '../../core/options/names.js';
import type { GivenRow, Row } from '../readers/rows.js';

/** A label as text; undefined for an invalid label. Numbers and booleans are written as in the JSON reader. */
function labelText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'number' || Number.isNaN(value)) return undefined;
  // Larger integers have already lost digits.
  return Number.isSafeInteger(value) || !Number.isInteger(value) ? String(value) : undefined;
}

/**
 * A row with labels as text; undefined if its text is not a string or a label is invalid.
 *
 * @internal
 */
export function labelled(row: GivenRow): Row | undefined {
  if (typeof row?.text !== 'string') return undefined;
  const { label } = row;
  if (typeof label === 'string') return row as Row;
  if (!Array.isArray(label)) {
    const text = labelText(label);
    return text === undefined ? undefined : { ...row, label: text };
  }
  if (label.every((name) => typeof name === 'string')) return row as Row;
  const names = label.map(labelText);
  return names.every((name) => name !== undefined) ? { ...row, label: names } : undefined;
}

/**
 * The field of a row without a label that is probably meant as one, such as `labels` or `Label`.
 *
 * @internal
 */
export function misspelled(row: object): string | undefined {
  return 'label' in row ? undefined : Object.keys(row).find((name) => closest(name, ['label']) !== undefined);
}

/**
 * Describes an invalid row, for a message.
 *
 * @internal
 */
export function foundIn(row: unknown): string {
  if (row === null || typeof row !== 'object' || Array.isArray(row)) return describe(row);
  const { text, label } = row as Partial<GivenRow>;
  if (text === undefined || label === undefined) {
    const names = Object.keys(row);
    const meant = label === undefined ? misspelled(row) : undefined;
    const hint = meant === undefined ? '' : `; rename ${JSON.stringify(meant)} to "label"`;
    const fields = names.map((name) => JSON.stringify(name)).join(', ');
    return `${names.length === 1 ? 'the field' : 'the fields'} ${fields || 'none'}${hint}`;
  }
  const wrong = Array.isArray(label) ? label.findIndex((name) => labelText(name) === undefined) : -1;
  const found = wrong < 0 ? describe(label) : `${describe(label)} with ${describe((label as unknown[])[wrong])}`;
  return `text: ${describe(text)}, label: ${found}`;
}
