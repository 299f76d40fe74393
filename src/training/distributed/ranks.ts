import { setTimeout as sleep } from 'node:timers/promises';
import { DistributedError, RecurraError } from '../../core/errors.js';
import type { OpenProcessGroup } from '../../native/processGroup.js';

/** The process group of the ranks. All ranks must make the same calls in the same order. */
export type ProcessGroup = Pick<OpenProcessGroup, 'rank' | 'size' | 'table' | 'allGatherBytes' | 'close'>;

/** Milliseconds between heartbeats while each rank works alone. */
const SIGN_OF_LIFE = 1_000;

/** State of a rank's own work. */
interface Sign {
  state: 'working' | 'done' | 'failed';
  code?: string;
  message?: string;
}

/** The ranks of a training, and their communication. */
export class Ranks {
  readonly rank: number;
  readonly size: number;
  readonly table: bigint;
  readonly #group: ProcessGroup;

  constructor(group: ProcessGroup) {
    this.#group = group;
    this.rank = group.rank;
    this.size = group.size;
    this.table = group.table;
  }

  /** The bytes of all ranks. */
  gatherBytes(bytes: Uint8Array): Promise<Uint8Array[]> {
    return this.#group.allGatherBytes(bytes);
  }

  /** Gathers a value of each rank, which must survive JSON. */
  async gather<T>(value: T): Promise<T[]> {
    const all = await this.gatherBytes(Buffer.from(JSON.stringify(value ?? null)));
    return all.map((bytes) => JSON.parse(Buffer.from(bytes).toString()) as T);
  }

  /** Rank 0's value, on all ranks. */
  async ofFirst<T>(value: T): Promise<T> {
    const [first] = await this.gather(this.rank === 0 ? value : null);
    return first as T;
  }

  /**
   * Refuses ranks that differ in values that must be equal.
   *
   * @param parts - The values, by their names in messages.
   * @throws {@link DistributedError} naming the first rank that differs from rank 0, and both values.
   */
  async agree(parts: Readonly<Record<string, unknown>>): Promise<void> {
    const plain = JSON.parse(JSON.stringify(parts)) as Record<string, unknown>;
    const all = await this.gather(plain);
    const words = (value: unknown) =>
      value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
    for (const [rank, other] of all.entries()) {
      const names = new Set([...Object.keys(all[0]!), ...Object.keys(other)]);
      for (const name of names) {
        const [first, own] = [words(all[0]![name]), words(other[name])];
        if (first === own) continue;
        throw new DistributedError(
          `the ranks do not train the same: ${name} is ${first} on rank 0 and ${own} on rank ${rank}; give all ranks the same rows, options and version`,
          { rank },
        );
      }
    }
  }

  /**
   * Lets every rank work alone until all are done. They send heartbeats, so that a rank with long work does not count
   * as lost.
   *
   * @throws what the work throws; {@link DistributedError} naming another rank whose work failed, `ABORTED` if it was aborted.
   */
  async together<T>(work: () => Promise<T>): Promise<T> {
    const sign: Sign = { state: 'working' };
    const result = work();
    const over = result.then(
      () => {
        sign.state = 'done';
      },
      (error: unknown) => {
        sign.state = 'failed';
        sign.message = error instanceof Error ? error.message : String(error);
        if (error instanceof RecurraError) sign.code = error.code;
      },
    );
    for (;;) {
      await Promise.race([over, sleep(SIGN_OF_LIFE, undefined, { ref: false })]);
      const signs = await this.gather(sign);
      const failed = signs.findIndex(({ state }) => state === 'failed');
      if (failed >= 0) {
        // This rank's own error is more specific. Running work ends by itself and is not awaited.
        if (sign.state === 'failed') return result;
        result.catch(() => {});
        const { message, code } = signs[failed]!;
        const text = `rank ${failed} failed: ${message}`;
        throw code === 'ABORTED' ? new RecurraError('ABORTED', text) : new DistributedError(text, { rank: failed });
      }
      if (signs.every(({ state }) => state === 'done')) return result;
    }
  }

  /** Leaves the group. */
  async close(): Promise<void> {
    await this.#group.close();
  }
}
