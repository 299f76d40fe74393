import { DataError } from '../../core/errors.js';
import { Int32List } from '../../core/growable.js';
import { type GivenRow, positionOf, type RowsOrigin } from '../../data/readers/rows.js';

/** The groups of rows, as they are read. */
export class RowGroups {
  readonly #origin: RowsOrigin;
  readonly #known = new Map<string, number>();
  /** A number for the group of each row; only from the first row with a group on, and for those before it. */
  #numbers: Int32List | undefined;
  #rows = 0;
  #groups = 0;

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
      this.#numbers?.push(this.#groups++);
      return;
    }
    if (typeof group !== 'string' && typeof group !== 'number') {
      const place = line === undefined ? `row ${this.#rows}: ` : '';
      const message = `${place}expected a string or a number for group but found ${typeof group}`;
      throw new DataError('INVALID_ROW', message, positionOf(this.#origin, this.#rows, line));
    }
    const numbers = this.#numbers ?? this.#begin();
    const key = String(group);
    const number = this.#known.get(key) ?? this.#groups++;
    this.#known.set(key, number);
    numbers.push(number);
  }

  /** The numbers of the rows before the first with a group, each of which is separate. */
  #begin(): Int32List {
    this.#numbers = new Int32List();
    for (; this.#groups < this.#rows - 1; this.#groups++) this.#numbers.push(this.#groups);
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
