import { invalidArgument } from '../core/errors.js';
import { type RowsOrigin, withOrigin } from '../data/readers/rows.js';

/** A source of rows. */
type RowsOf<R> = (Iterable<R> | AsyncIterable<R>) & RowsOrigin;

/** Rows encoded and measured together: enough to keep the engine busy, few enough to bound memory. */
const BLOCK = 4_096;
/** Scores kept in memory at once: 32 MB. */
const SCORES = 1 << 23;

/** Rows of a block, by the number of scores per row: fewer with thousands of labels. */
export function rowsPerBlock(outputs: number): number {
  return Math.max(16, Math.min(BLOCK, Math.floor(SCORES / outputs)));
}

/** Cuts a source of rows into blocks, reading no further than each needs. */
export class Blocks<R> {
  ended = false;
  rows = 0;
  readonly #size: number;
  readonly #origin: RowsOrigin;
  readonly #sync: Iterator<R> | undefined;
  readonly #async: AsyncIterator<R> | undefined;

  /**
   * @param expected - Description of a row, for messages.
   * @param size - Rows of a block.
   */
  constructor(rows: RowsOf<R>, expected: string, size: number = BLOCK) {
    this.#size = size;
    const source = rows as Partial<Iterable<R> & AsyncIterable<R>> | null | undefined;
    this.#async = source?.[Symbol.asyncIterator]?.();
    if (!this.#async && typeof rows !== 'string') this.#sync = source?.[Symbol.iterator]?.();
    if (!this.#async && !this.#sync) {
      throw invalidArgument('rows', `an iterable or async iterable of ${expected}`, rows);
    }
    this.#origin = rows;
  }

  /** The next rows, as a separate source; each is also added to `kept`. */
  next(kept: R[] | undefined): RowsOf<R> {
    const take = ({ done, value }: IteratorResult<R>): boolean => {
      if (done) {
        this.ended = true;
        return false;
      }
      this.rows++;
      kept?.push(value);
      return true;
    };
    const { rows: from } = this;
    const sync = this.#sync;
    if (sync) {
      const read = function* (more: () => boolean): Generator<R> {
        while (more()) {
          const result = sync.next();
          if (!take(result)) return;
          yield result.value;
        }
      };
      return withOrigin(
        read(() => this.rows - from < this.#size),
        this.#origin,
      );
    }
    const source = this.#async!;
    const read = async function* (more: () => boolean): AsyncGenerator<R> {
      while (more()) {
        const result = await source.next();
        if (!take(result)) return;
        yield result.value;
      }
    };
    return withOrigin(
      read(() => this.rows - from < this.#size),
      this.#origin,
    );
  }

  /** Closes the source. */
  async close(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    await (this.#async ?? this.#sync)!.return?.();
  }
}
