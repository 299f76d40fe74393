/**
 * The lines where rows begin. Where each row has the same number of lines, only the first of such rows is stored.
 *
 * @internal
 */
export class RowLines {
  /** The first row of each stretch, by rising number. */
  readonly #rows: number[] = [];
  /** Line minus row number within each stretch; NaN if the lines are not known. */
  readonly #shifts: number[] = [];

  /**
   * Takes a row.
   *
   * @param row - Its number, above those of the rows before.
   * @param line - Its line; undefined if it is not known.
   */
  add(row: number, line: number | undefined): void {
    const shift = line === undefined ? Number.NaN : line - row;
    if (Object.is(shift, this.#shifts.at(-1))) return;
    this.#rows.push(row);
    this.#shifts.push(shift);
  }

  /** The line of a row; undefined if it is not known. */
  lineOf(row: number): number | undefined {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#rows[middle]! <= row) low = middle + 1;
      else high = middle;
    }
    const shift = this.#shifts[low - 1];
    return shift === undefined || Number.isNaN(shift) ? undefined : row + shift;
  }
}
