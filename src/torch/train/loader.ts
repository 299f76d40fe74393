import { checkFlag, checkFunction, checkInteger } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { Random } from '../../core/random.js';
import { isTensor } from '../tensor/base.js';
import type { Tensor } from '../tensor/tensor.js';

/** Rows that are asked for one by one, as an `EncodedDataset` gives them. */
export interface RowSource<Row> {
  /** Number of rows. */
  readonly length: number;
  /** The row with this index. */
  row(index: number): Row;
}

/** What a {@link DataLoader} takes its rows from: an array, or a {@link RowSource}. */
export type Dataset<Row> = ArrayLike<Row> | RowSource<Row>;

/** Options of a {@link DataLoader}. */
export interface DataLoaderOptions<Row, Batch> {
  /** Rows in a batch. Default 1. */
  batchSize?: number | undefined;
  /** Whether each epoch has the rows in another order. Default false. */
  shuffle?: boolean | undefined;
  /** Seed of the orders, a non-negative safe integer. Default 0. */
  seed?: number | undefined;
  /** Whether a last batch of fewer rows is left out. Default false. */
  dropLast?: boolean | undefined;
  /** Rows to take, as indices in the data set: one side of a split, or an order such as `randperm(n)`. Default all. */
  indices?: ArrayLike<number> | Tensor | undefined;
  /** Makes a batch of rows, as `padLength` does. Default: the array of rows itself. */
  collate?: ((rows: Row[]) => Batch) | undefined;
}

/** The indices as an array. */
function indicesOf(given: ArrayLike<number> | Tensor): ArrayLike<number> {
  const indices = isTensor(given) ? given.toArray() : given;
  if (typeof indices === 'object' && indices !== null && Number.isSafeInteger(indices.length)) {
    return indices as ArrayLike<number>;
  }
  throw invalidArgument('indices', 'an array of integers or a tensor of one dimension', given);
}

/**
 * Gives a data set's rows in batches, epoch after epoch.
 *
 * Each `for` loop over it is an epoch. With `shuffle` the order of an epoch depends on the seed and the epoch's number
 * alone, so that a training can be repeated, or continued from {@link setEpoch}.
 *
 * @example
 * ```ts
 * const loader = new DataLoader(data, { batchSize: 16, shuffle: true, seed: 1, collate: padLength });
 * for (const [labels, features, lengths] of loader) console.log(labels.shape, features.shape, lengths);
 * ```
 */
export class DataLoader<Row, Batch = Row[]> implements Iterable<Batch> {
  /** Rows in a batch. */
  readonly batchSize: number;
  readonly #dataset: Dataset<Row>;
  readonly #indices: Int32Array | undefined;
  readonly #shuffle: boolean;
  readonly #seed: number;
  readonly #dropLast: boolean;
  readonly #collate: (rows: Row[]) => Batch;
  #epoch = 0;

  /**
   * @param dataset - Where the rows come from.
   * @param options - See {@link DataLoaderOptions}.
   * @throws `ArgumentError` for invalid options.
   */
  constructor(dataset: Dataset<Row>, options: DataLoaderOptions<Row, Batch> = {}) {
    checkOptionNames('DataLoader', options, ['batchSize', 'shuffle', 'seed', 'dropLast', 'indices', 'collate']);
    const { batchSize = 1, shuffle = false, seed = 0, dropLast = false, collate } = options;
    const indices = options.indices === undefined ? undefined : indicesOf(options.indices);
    if (!(Number.isSafeInteger(dataset?.length) && dataset.length >= 0)) {
      throw invalidArgument('dataset', 'an array or an object with length and row(index)', dataset);
    }
    checkInteger('batchSize', batchSize, 1);
    checkFlag('shuffle', shuffle);
    checkFlag('dropLast', dropLast);
    checkInteger('seed', seed, 0);
    if (collate !== undefined) checkFunction('collate', collate);
    for (let i = 0; i < (indices?.length ?? 0); i++) {
      const index = indices![i]!;
      if (!Number.isInteger(index) || index < 0 || index >= dataset.length) {
        throw invalidArgument(`indices[${i}]`, `an integer from 0 to ${dataset.length - 1}`, index, 'OUT_OF_RANGE');
      }
    }
    this.batchSize = batchSize;
    this.#dataset = dataset;
    this.#indices = indices && Int32Array.from(indices);
    this.#shuffle = shuffle;
    this.#seed = seed;
    this.#dropLast = dropLast;
    // Without `collate` a batch is the array of rows, as the type's default says.
    this.#collate = collate ?? ((rows) => rows as Batch);
  }

  /** Number of batches in an epoch. */
  get length(): number {
    const batches = this.rows / this.batchSize;
    return this.#dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** Number of rows that an epoch takes from, those of a batch that is left out included. */
  get rows(): number {
    return this.#indices?.length ?? this.#dataset.length;
  }

  /** Number of the epoch that the next loop will be; the first is 0. */
  get epoch(): number {
    return this.#epoch;
  }

  /**
   * Sets the number of the epoch that the next loop will be.
   *
   * @throws `ArgumentError` if it is not a non-negative integer.
   */
  setEpoch(epoch: number): void {
    checkInteger('epoch', epoch, 0);
    this.#epoch = epoch;
  }

  /** Begins an epoch. */
  [Symbol.iterator](): Generator<Batch, void, undefined> {
    return this.#batches(this.#epoch++);
  }

  *#batches(epoch: number): Generator<Batch, void, undefined> {
    let order = this.#indices;
    if (this.#shuffle) {
      const random = new Random(this.#seed, epoch);
      order = order ? random.shuffle(order.slice()) : random.permutation(this.rows);
    }
    const dataset = this.#dataset;
    const take = 'row' in dataset ? (index: number) => dataset.row(index) : (index: number) => dataset[index]!;
    const batches = this.length;
    for (let b = 0; b < batches; b++) {
      const from = b * this.batchSize;
      const rows: Row[] = [];
      for (let i = from; i < Math.min(from + this.batchSize, this.rows); i++) rows.push(take(order ? order[i]! : i));
      yield this.#collate(rows);
    }
  }
}
