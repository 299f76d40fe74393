/** Some rows in their order, at least one. */
type Block<R> = R[];

/** A step of a source: a row, its end, or the error that ended it. */
type Step<R> = { row: R } | 'end' | { error: unknown };

/** A timer that starts with the first row of a block. */
class Patience {
  #timer: NodeJS.Timeout | undefined;
  readonly over: Promise<'over'>;

  constructor(milliseconds: number) {
    this.over = new Promise((resolve) => {
      this.#timer = setTimeout(resolve, milliseconds, 'over');
    });
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Gathers rows into blocks of a size. With `patience`, a block is yielded early if the next row is late: a slow source
 * is answered row by row, a fast one in full blocks.
 *
 * An error of the source is thrown after the rows before it were yielded. A caller that stops early while a row is
 * pending has to end the source itself.
 *
 * @param patience - Milliseconds that the first row of a block waits for others; undefined: until the block is full.
 */
export async function* gathered<R>(
  rows: AsyncIterable<R> | Iterable<R>,
  size: number,
  patience?: number,
): AsyncGenerator<Block<R>, void, undefined> {
  const iterator = Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
  const step = async (): Promise<Step<R>> => {
    try {
      const { done, value } = await iterator.next();
      return done ? 'end' : { row: value };
    } catch (error) {
      return { error };
    }
  };
  let waiting: Promise<Step<R>> | undefined;
  let last: Step<R> | undefined;
  try {
    while (last === undefined) {
      const block: R[] = [];
      let wait: Patience | undefined;
      while (block.length < size) {
        waiting ??= step();
        const found = await (wait ? Promise.race([waiting, wait.over]) : waiting);
        if (found === 'over') break;
        waiting = undefined;
        if (found === 'end' || 'error' in found) {
          last = found;
          break;
        }
        block.push(found.row);
        if (patience !== undefined) wait ??= new Patience(patience);
      }
      wait?.end();
      if (block.length > 0) yield block;
    }
    if (last !== 'end' && 'error' in last) throw last.error;
  } finally {
    // A generator that is waiting for its source cannot be ended here.
    if (last === undefined && waiting === undefined) await iterator.return?.();
  }
}
