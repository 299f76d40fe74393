import { DataError } from '../../core/errors.js';
import { type GivenRow, positionOf, type RowsOrigin } from '../../data/readers/rows.js';
import { numbersOfGroups } from '../../data/sets/groups.js';

/** The groups of rows, as they are read. */
export class RowGroups {
  readonly #origin: RowsOrigin;
  /** The groups from the first row that has one on. */
  readonly #groups: (string | number | undefined)[] = [];
  #before = 0;
  #some = false;

  constructor(origin: RowsOrigin) {
    this.#origin = origin;
  }

  /**
   * Takes a row.
   *
   * @throws DataError `INVALID_ROW` for a group that is neither text nor a number.
   */
  add({ group, line }: Pick<GivenRow, 'group' | 'line'>): void {
    if (!this.#some && (group === undefined || group === null)) {
      this.#before++;
      return;
    }
    const row = this.#before + this.#groups.length + 1;
    if (group !== undefined && group !== null && typeof group !== 'string' && typeof group !== 'number') {
      const message = `${line === undefined ? `row ${row}: ` : ''}expected a string or a number for group but found ${typeof group}`;
      throw new DataError('INVALID_ROW', message, positionOf(this.#origin, row, line));
    }
    this.#some = true;
    this.#groups.push(group ?? undefined);
  }

  /** A number for the group of each row; undefined if no row has one. */
  get numbers(): Int32Array | undefined {
    if (!this.#some) return undefined;
    return numbersOfGroups([...new Array<undefined>(this.#before), ...this.#groups]);
  }
}
