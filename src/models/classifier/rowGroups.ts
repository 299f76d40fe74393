import { DataError } from '../../core/errors.js';
import { Int32List } from '../../core/growable.js';
import { type GivenRow, positionOf, type RowsOrigin } from '../../data/readers/rows.js';
import { GroupNumbers } from '../../data/sets/groups.js';

/** The groups of rows, as they are read. */
export class RowGroups {
  readonly #origin: RowsOrigin;
  readonly #groups = new GroupNumbers();
  /** A number for the group of each row; only from the first row with a group on, and for those before it. */
  #numbers: Int32List | undefined;
  #rows = 0;

  constructor(origin: RowsOrigin) {
    this.#origin = origin;
  }

  /**
   * Takes a row.
   *
   * @throws DataError `INVALID_ROW` for a group that is neither text nor a number.
   */
  add({ group, line }: { group?: unknown; line?: GivenRow['line'] }): void {
    this.#rows++;
    if (group === undefined || group === null) {
      this.#numbers?.push(this.#groups.of(group));
      return;
    }
    if (typeof group !== 'string' && typeof group !== 'number') {
      const place = line === undefined ? `row ${this.#rows}: ` : '';
      const message = `${place}expected a string or a number for group but found ${typeof group}`;
      throw new DataError('INVALID_ROW', message, positionOf(this.#origin, this.#rows, line));
    }
    const numbers = this.#numbers ?? this.#begin();
    numbers.push(this.#groups.of(group));
  }

  /** The numbers of the rows before the first with a group, each of which is separate. */
  #begin(): Int32List {
    this.#numbers = new Int32List();
    for (let row = 1; row < this.#rows; row++) this.#numbers.push(this.#groups.of(undefined));
    return this.#numbers;
  }

  /** Whether a row has a group. */
  get some(): boolean {
    return this.#numbers !== undefined;
  }

  /** A number for the group of each row; undefined if no row has one. To be called once, in pauses. */
  *finish(): Generator<void, Int32Array | undefined, undefined> {
    return this.#numbers && (yield* this.#numbers.finish());
  }
}
