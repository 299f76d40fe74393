import type { RowsOrigin } from '../data/readers/rows.js';
import type { Found, RowPlace, RowShown } from './found.js';
import { Finding } from './found.js';
import { HashTable } from './hashTable.js';
import { RowLines } from './rowLines.js';
import { textHash } from './textKey.js';

/** A repeated text. */
export interface Repeated extends RowShown {
  /** Number of the row that had it first. */
  first: number;
  /** Line of the file where that row begins, if known. */
  firstLine?: number | undefined;
  /** Its file, if the rows come from several. */
  firstFile?: string | undefined;
  /** Labels of that row, if they differ. */
  firstLabels?: readonly string[] | undefined;
}

/**
 * Finds repeated texts, and those whose labels differ.
 *
 * @internal
 */
export class DuplicateFinder {
  readonly #fileOf: RowsOrigin['fileOf'];
  readonly #table = new HashTable();
  readonly #lines = new RowLines();
  readonly #names: string[] = [];
  readonly #ids = new Map<string, number>();
  readonly #repeated: Finding<Repeated>;
  readonly #conflicting: Finding<Repeated>;

  /** @param fileOf - The file of a row, if the rows come from several. */
  constructor(examples: number, fileOf?: RowsOrigin['fileOf']) {
    this.#fileOf = fileOf;
    this.#repeated = new Finding(examples);
    this.#conflicting = new Finding(examples);
  }

  /**
   * Takes a row.
   *
   * @param key - The result of `comparable` for its text.
   * @returns whether the text is new.
   */
  add(key: string, labels: readonly string[] | undefined, shown: () => RowShown, place: RowPlace): boolean {
    const { row, line } = place;
    this.#lines.add(row, line);
    const slot = this.#table.slot(textHash(key));
    const first = this.#table.rowAt(slot);
    const id = labels === undefined ? 0 : this.#idOf(labels);
    if (first === 0) {
      this.#table.set(slot, row, id);
      return true;
    }
    const before = this.#table.noteAt(slot);
    const repeated = () => ({
      ...shown(),
      ...this.#placeOf(first),
      ...(before === id ? {} : { firstLabels: JSON.parse(this.#names[before]!) as string[] }),
    });
    this.#repeated.add(repeated);
    if (before !== id) this.#conflicting.add(repeated);
    return false;
  }

  /** The row that has the text. */
  firstOf(key: string): Pick<Repeated, 'first' | 'firstLine' | 'firstFile'> | undefined {
    const slot = this.#table.found(textHash(key));
    return slot === undefined ? undefined : this.#placeOf(this.#table.rowAt(slot));
  }

  #placeOf(first: number): Pick<Repeated, 'first' | 'firstLine' | 'firstFile'> {
    const firstLine = this.#lines.lineOf(first);
    const file = this.#fileOf && { firstFile: this.#fileOf(first) };
    return firstLine === undefined ? { first, ...file } : { first, firstLine, ...file };
  }

  /** Number of different texts. */
  get distinct(): number {
    return this.#table.size;
  }

  /** Rows whose text an earlier row has. */
  get repeated(): Found<Repeated> {
    return this.#repeated.found;
  }

  /** Repeated rows whose labels differ from the first row with the text. */
  get conflicting(): Found<Repeated> {
    return this.#conflicting.found;
  }

  #idOf(labels: readonly string[]): number {
    const name = JSON.stringify([...new Set(labels)].sort());
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    this.#ids.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }
}
