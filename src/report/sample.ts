import { Random } from '../core/random.js';

/** Maximum texts of a cell. */
const PER_CELL = 10;
/** Texts kept while rows are read, for each one that will be shown. */
const HELD = 5;
/** Maximum bytes of all texts, so that a report stays below 2 MB. */
const BUDGET = 900_000;

/** A text that may be shown. */
interface Held {
  text: string;
}

/** The texts of one cell. */
interface Cell<T> {
  /** Rows of the cell so far. */
  rows: number;
  kept: T[];
}

/**
 * Samples texts for the cells of a table in one pass: every cell gets some, and within a cell all rows are equally
 * likely. Memory does not grow with the rows.
 */
export class CellSample<T extends Held> {
  readonly #random: Random;
  readonly #most: number;
  readonly #cells = new Map<string, Cell<T>>();
  #held = 0;

  /**
   * @param most - Number of texts.
   * @param seed - Seed of the sample.
   */
  constructor(most: number, seed: number) {
    this.#most = most;
    this.#random = new Random(seed, 1);
  }

  /**
   * Adds a row.
   *
   * @param cell - Its cell.
   * @param make - Makes the text to keep; called if it is drawn.
   */
  add(cell: string, make: () => T): void {
    if (this.#most === 0) return;
    let own = this.#cells.get(cell);
    const full = this.#held >= HELD * this.#most;
    if (!own) {
      if (full) return;
      own = { rows: 0, kept: [] };
      this.#cells.set(cell, own);
    }
    own.rows++;
    if (own.kept.length < PER_CELL && !full) {
      own.kept.push(make());
      this.#held++;
      return;
    }
    const place = this.#random.int(own.rows);
    if (place < own.kept.length) own.kept[place] = make();
  }

  /** The texts: the first of each cell, then the second ones and so on, larger cells first. */
  finish(): T[] {
    const cells = [...this.#cells.values()].sort((a, b) => b.rows - a.rows);
    const shown: T[] = [];
    let bytes = 0;
    for (let place = 0; place < PER_CELL; place++) {
      for (const { kept } of cells) {
        const text = kept[place];
        if (!text) continue;
        bytes += Buffer.byteLength(text.text) + 100;
        if (shown.length >= this.#most || bytes > BUDGET) return shown;
        shown.push(text);
      }
    }
    return shown;
  }
}
