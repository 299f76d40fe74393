import { invalidArgument } from '../core/errors.js';
import type { RowsOrigin } from '../data/readers/rows.js';

/** A source of rows. */
type RowsOf<R> = (Iterable<R> | AsyncIterable<R>) & RowsOrigin;

/** Rows that are encoded and measured in one go: enough to keep the engine busy, few enough for any number of rows. */
const BLOCK = 4_096;

/** Cuts a source of rows into blocks, reading no further than each needs. */
export class Blocks<R> {
  ended = false;
  rows = 0;
  readonly #file: string | undefined;
  readonly #sync: Iterator<R> | undefined;
  readonly #async: AsyncIterator<R> | undefined;

  /** @param expected - What a row looks like, for the message about something else. */
  constructor(rows: RowsOf<R>, expected: string) {
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
        read(() => this.rows - from < BLOCK),
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
      read(() => this.rows - from < BLOCK),
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
