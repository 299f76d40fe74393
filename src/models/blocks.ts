import { invalidArgument } from '../core/errors.js';
import type { RowsOrigin } from '../data/readers/rows.js';

/** A source of rows. */
type RowsOf<R> = (Iterable<R> | AsyncIterable<R>) & RowsOrigin;

/** Rows that are encoded and measured together: enough to keep the engine busy, few enough for any number of rows. */
const BLOCK = 4_096;
/** Scores that are held at once: 32 MB of them. */
const SCORES = 1 << 23;

/** Rows of a block whose scores have so many numbers each: fewer where there are thousands of labels. */
export function rowsPerBlock(outputs: number): number {
  return Math.max(16, Math.min(BLOCK, Math.floor(SCORES / outputs)));
}

/** Cuts a source of rows into blocks, reading no further than each needs. */
export class Blocks<R> {
  ended = false;
  rows = 0;
  readonly #size: number;
  readonly #file: string | undefined;
  readonly #sync: Iterator<R> | undefined;
  readonly #async: AsyncIterator<R> | undefined;

  /**
   * @param expected - What a row looks like, for the message about something else.
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
    this.#file = rows.file;
  }

  /** The next rows, as a source of their own; each is also put into `kept`. */
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
      return Object.assign(
        read(() => this.rows - from < this.#size),
        { file: this.#file },
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
    return Object.assign(
      read(() => this.rows - from < this.#size),
      { file: this.#file },
    );
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    await (this.#async ?? this.#sync)!.return?.();
  }
}
