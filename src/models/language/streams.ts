import type { RandomState } from '../../core/random.js';
import type { Chunk } from '../../engine/engine.js';
import type { UnitText } from '../../text/units/index.js';
import { rangeOf, type Share, WHOLE } from '../../training/distributed/share.js';
import type { BatchPlan } from '../../training/plan.js';
import type { TrainingSet } from '../../training/task.js';

/**
 * A text cut into streams of equal length that are read in parallel, window by window, as PyTorch's example of a word
 * language model does: a row is a window of a stream, and each batch has the next window of every stream. The remainder
 * at the end is dropped.
 */
export class Streams implements TrainingSet {
  /** The text: each unit is predicted from those before it. */
  readonly units: UnitText;
  /** Number of streams, and of rows in a batch. */
  readonly streams: number;
  /** Units of a stream that are predicted. */
  readonly steps: number;
  readonly #window: number;
  readonly #most: number;

  /** Makes at most `most` streams; fewer if they would be shorter than `window` units. */
  constructor(units: UnitText, most: number, window: number) {
    const predicted = units.length - 1;
    this.units = units;
    this.streams = Math.max(1, Math.min(most, Math.floor(predicted / window)));
    this.steps = Math.floor(predicted / this.streams);
    this.#window = window;
    this.#most = most;
  }

  /** The same text with this number of streams for each of `ranks`. */
  for(ranks: number): Streams {
    return ranks === 1 ? this : new Streams(this.units, this.#most * ranks, this.#window);
  }

  /** Number of batches in an epoch. */
  get batches(): number {
    return Math.ceil(this.steps / this.#window);
  }

  get length(): number {
    return this.streams * this.batches;
  }

  lengths(): Int32Array {
    const lengths = new Int32Array(this.length).fill(this.#window);
    lengths.fill(this.steps - (this.batches - 1) * this.#window, (this.batches - 1) * this.streams);
    return lengths;
  }

  /** The windows of consecutive batches, for the streams of a share. */
  async gather(first: number, end: number, share: Share = WHOLE): Promise<Omit<Chunk, 'batchSizes'>> {
    const { units, steps } = this;
    const [begin, stop] = rangeOf(this.streams, share);
    const streams = stop - begin;
    const from = first * this.#window;
    const to = Math.min(steps, end * this.#window);
    const tokens = new Int32Array((to - from) * streams);
    const targets = new Int32Array(tokens.length);
    const lengths: number[] = [];
    // One after the other: each read is a part of a file in order.
    const own: Int32Array[] = [];
    for (let stream = begin; stream < stop; stream++)
      own.push(await units.read(stream * steps + from, stream * steps + to + 1));
    let at = 0;
    for (let start = from; start < to; start += this.#window) {
      const length = Math.min(this.#window, to - start);
      for (let stream = 0; stream < streams; stream++, at += length) {
        const place = start - from;
        tokens.set(own[stream]!.subarray(place, place + length), at);
        targets.set(own[stream]!.subarray(place + 1, place + length + 1), at);
        lengths.push(length);
      }
    }
    return { tokens, targets, lengths: Int32Array.from(lengths) };
  }
}

/** The batches of an epoch over {@link Streams}: in order, each continuing from the states of the one before. */
export class StreamPlan implements BatchPlan {
  readonly epoch: number;
  readonly batchSizes: Int32Array;
  readonly next: RandomState;
  readonly #train: Streams;
  readonly #share: Share;

  constructor(epoch: number, streams: Streams, random: RandomState, share: Share = WHOLE) {
    const train = streams.for(share.size);
    this.#share = share;
    this.epoch = epoch;
    this.batchSizes = new Int32Array(train.batches).fill(train.streams);
    this.next = random;
    this.#train = train;
  }

  async chunk(batch: number, batches: number, tokens: number): Promise<Chunk> {
    const each = this.#train.units.length / this.#train.batches;
    const end = batch + Math.max(1, Math.min(batches, Math.floor((tokens * this.#share.size) / each)));
    const [first, stop] = rangeOf(this.#train.streams, this.#share);
    const batchSizes = new Int32Array(end - batch).fill(stop - first);
    return { ...(await this.#train.gather(batch, end, this.#share)), batchSizes };
  }

  initial(batch: number): 'begin' | 'continue' {
    return batch === 0 ? 'begin' : 'continue';
  }
}
