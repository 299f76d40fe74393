import { DataError, type FilePosition } from '../../core/errors.js';
import { aboutMissing, type Column } from './fields.js';
import { otherwiseWritten, there } from './hints.js';

/** The columns to read. */
export interface Selected {
  /** Their indices in a row, from 0. */
  at: readonly number[];
  /** Whether the first row is a header. */
  header: boolean;
  /** Warnings about ambiguous columns. */
  warnings: readonly string[];
}

/**
 * Finds columns in a file's first row. A number is the position of a column, or, if it is beyond the last one, its name
 * in the header.
 *
 * @param header - Whether the first row is a header; if undefined, it is one when a column is given by name.
 * @param fields - The first row.
 * @param delimiter - The delimiter it was split by, for the message.
 * @throws {@link DataError} `MISSING_COLUMN`, or `INVALID_FILE` for a duplicate name.
 *
 * @internal
 */
export function selectColumns(
  columns: readonly Column[],
  header: boolean | undefined,
  fields: readonly string[],
  delimiter: string,
  position: FilePosition,
): Selected {
  const byDigits = (column: Column) =>
    header !== false && typeof column === 'number' && column > fields.length && fields.includes(String(column));
  const headed = header ?? columns.some((column) => typeof column === 'string' || byDigits(column));
  const warnings: string[] = [];
  const at = columns.map((column) => {
    if (typeof column === 'string' || byDigits(column)) return find(String(column), fields, delimiter, position);
    if (column > fields.length) {
      const hint = otherwiseWritten(column, fields, delimiter);
      const message = `there is no column ${column}: the rows have ${fields.length}${hint}`;
      throw aboutMissing(new DataError('MISSING_COLUMN', message, position), column);
    }
    const named = headed ? fields.indexOf(String(column)) : -1;
    if (named >= 0 && named !== column - 1) {
      warnings.push(
        `${column} is taken as the number of a column; the column with the name "${column}" is column ${named + 1}: ` +
          `give ${named + 1}, or the name as a string (on the command line '"${column}"')`,
      );
    }
    return column - 1;
  });
  return { at, header: headed, warnings };
}

function find(column: string, names: readonly string[], delimiter: string, position: FilePosition): number {
  const index = names.indexOf(column);
  if (index < 0) {
    const hint = otherwiseWritten(column, names, delimiter);
    const message = `there is no column ${JSON.stringify(column)}${there(column, names)}${hint}`;
    throw aboutMissing(new DataError('MISSING_COLUMN', message, position), column);
  }
  const again = names.indexOf(column, index + 1);
  if (again >= 0) {
    const message = `the header has ${JSON.stringify(column)} twice, as column ${index + 1} and ${again + 1}: choose by number`;
    throw new DataError('INVALID_FILE', message, { ...position, column: again + 1 });
  }
  return index;
}
