import { DataError } from '../../core/errors.js';
import type { Column } from './fields.js';

/** `# global.columns = ID FORM UPOS`, which names columns in CoNLL-U Plus. */
const GLOBAL_COLUMNS = /^#\s*global\.columns\s*=\s*(.*)$/;

/** The columns of a file with one token per line: their separator, number and names. */
export class TokenColumns {
  names: readonly string[] | undefined;
  /** Number of columns of every line, taken from the first token; undefined before it. */
  count: number | undefined;
  #tabs: boolean | undefined;
  readonly #file: string | undefined;

  constructor(file: string | undefined, names: readonly string[] | undefined, tabs: boolean | undefined) {
    this.#file = file;
    this.names = names;
    this.#tabs = tabs;
  }

  /** Reads the names of the columns from a comment, if it has them. */
  readComment(line: string): void {
    const names = GLOBAL_COLUMNS.exec(line)?.[1]?.trim();
    if (names !== undefined && this.count === undefined) this.names = names.split(/\s+/);
  }

  /** Learns the separator and the number of columns from the header or the first token's line. */
  learn(line: string): void {
    if (this.count !== undefined) return;
    this.#tabs ??= line.includes('\t');
    this.count = this.split(line).length;
  }

  split(line: string): string[] {
    if (this.#tabs ?? line.includes('\t')) return line.split('\t');
    return line.split(/[ \t]+/).filter((field) => field !== '');
  }

  /** Fields of a token's line; their number must be that of the lines before. */
  fields(line: string, number: number): string[] {
    const fields = this.split(line);
    const expected = this.names?.length ?? this.count!;
    if (fields.length === expected) return fields;
    const separated = this.#tabs ? 'separated by tabs' : 'separated by blanks';
    const message = `the line has ${fields.length} ${fields.length === 1 ? 'column' : 'columns'} ${separated}; expected ${expected}`;
    throw new DataError('INVALID_ROW', message, { file: this.#file, line: number });
  }

  /**
   * Index of a column.
   *
   * @throws {@link DataError} `MISSING_COLUMN`.
   */
  index(column: Column, line: number): number {
    const count = this.names?.length ?? this.count!;
    const index = typeof column === 'number' ? column - 1 : (this.names ?? []).indexOf(column);
    if (index >= 0 && index < count) return index;
    const named = this.names === undefined ? '' : `: ${this.names.join(', ')}`;
    const message =
      typeof column === 'string' && this.names === undefined
        ? `there is no column ${JSON.stringify(column)}: the columns have no names; give a number from 1, or the option columns`
        : `there is no column ${JSON.stringify(column)}; the file has ${count}${named}`;
    throw new DataError('MISSING_COLUMN', message, { file: this.#file, line });
  }
}

/**
 * A field that must not be empty.
 *
 * @throws {@link DataError} `INVALID_ROW`.
 */
export function filled(
  fields: readonly string[],
  column: number,
  what: string,
  file: string | undefined,
  line: number,
) {
  const field = fields[column]!;
  if (field !== '') return field;
  throw new DataError('INVALID_ROW', `the ${what} is empty`, { file, line, column: column + 1 });
}
