import { invalidArgument } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import { type Tensor, tensor } from '../torch/tensor/index.js';

/** A text as numbers with its class: the input of the functions in this file. */
export interface TokenRow {
  /** Index of the class. */
  label: number;
  /** Indices of the tokens, at least one. */
  tokens: ArrayLike<number>;
}

/** Options of {@link padify} and {@link padLength}. */
export interface PadOptions {
  /**
   * Padding of shorter texts. Default 1, the index of `<pad>`; the PyTorch lesson pads with 0, which is its `<unk>`.
   */
  paddingValue?: number | undefined;
}

/**
 * Makes a batch of texts by padding the shorter ones, as the lesson's `padify`.
 *
 * @param rows - Encoded texts with their classes, at least one.
 * @param options - See {@link PadOptions}.
 * @returns Labels, int64 `[batch]`, and tokens, int64 `[batch, time]`.
 * @throws `ArgumentError` if there are no rows, or one has no tokens or something that is not an index.
 *
 * @example
 * ```ts
 * const [labels, features] = padify([{ label: 0, tokens: [5, 2] }, { label: 1, tokens: [7] }]);
 * features.toArray(); // [[5, 2], [7, 1]]
 * ```
 */
export function padify(rows: readonly TokenRow[], options: PadOptions = {}): [labels: Tensor, features: Tensor] {
  checkOptionNames('padify', options, ['paddingValue']);
  const { features, labels } = pad(rows, options);
  return [labels, features];
}

/**
 * Makes a batch as {@link padify} does, with the lengths that `packPaddedSequence` needs, as the lesson's `padLength`.
 *
 * @param rows - Encoded texts with their classes, at least one.
 * @param options - See {@link PadOptions}.
 * @returns Labels, int64 `[batch]`, tokens, int64 `[batch, time]`, and the number of tokens of each text, `[batch]`.
 * @throws `ArgumentError` if there are no rows, or one has no tokens or something that is not an index.
 *
 * @example
 * ```ts
 * const [labels, features, lengths] = padLength([{ label: 0, tokens: [5, 2] }, { label: 1, tokens: [7] }]);
 * [...lengths]; // [2, 1]
 * ```
 */
export function padLength(
  rows: readonly TokenRow[],
  options: PadOptions = {},
): [labels: Tensor, features: Tensor, lengths: Int32Array] {
  checkOptionNames('padLength', options, ['paddingValue']);
  const { features, labels, lengths } = pad(rows, options);
  return [labels, features, lengths];
}

/**
 * Makes a batch of concatenated texts, for `EmbeddingBag`, as the lesson's `offsetify`.
 *
 * @param rows - Encoded texts with their classes, at least one.
 * @returns Labels, int64 `[batch]`, all tokens, int64 `[tokens]`, and where each text begins in them, int64 `[batch]`.
 * @throws `ArgumentError` if there are no rows, or one has no tokens or something that is not an index.
 *
 * @example
 * ```ts
 * const [labels, text, offsets] = offsetify([{ label: 0, tokens: [5, 2] }, { label: 1, tokens: [7] }]);
 * text.toArray(); // [5, 2, 7]
 * offsets.toArray(); // [0, 2]
 * ```
 */
export function offsetify(rows: readonly TokenRow[]): [labels: Tensor, text: Tensor, offsets: Tensor] {
  const lengths = checkRows(rows);
  const text = new Int64Words(lengths.reduce((sum, length) => sum + length, 0));
  const offsets = new Int64Words(rows.length);
  let at = 0;
  for (const [i, row] of rows.entries()) {
    offsets.set(i, at);
    text.setTokens(at, row.tokens, i);
    at += lengths[i]!;
  }
  return [labelsOf(rows), text.tensor([at]), offsets.tensor([rows.length])];
}

function pad(rows: readonly TokenRow[], { paddingValue = 1 }: PadOptions) {
  if (!isIndex(paddingValue)) throw invalidArgument('paddingValue', 'an index from 0', paddingValue);
  const lengths = checkRows(rows);
  const time = lengths.reduce((most, length) => Math.max(most, length), 0);
  const words = new Int64Words(rows.length * time);
  for (const [i, row] of rows.entries()) {
    words.setTokens(i * time, row.tokens, i);
    words.fill(i * time + lengths[i]!, (i + 1) * time, paddingValue);
  }
  return { labels: labelsOf(rows), features: words.tensor([rows.length, time]), lengths };
}

function checkRows(rows: readonly TokenRow[]): Int32Array {
  if (!Array.isArray(rows) || rows.length === 0)
    throw invalidArgument('rows', 'a non-empty array of { label, tokens }', rows);
  // Not `Int32Array.from`, which is several times slower for few elements.
  const lengths = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const tokens = rows[i]?.tokens;
    const length = tokens?.length ?? 0;
    if (!(length > 0)) {
      throw invalidArgument(`rows[${i}].tokens`, 'at least one token (an empty text is one unknown token)', tokens);
    }
    lengths[i] = length;
  }
  return lengths;
}

function labelsOf(rows: readonly TokenRow[]): Tensor {
  const labels = new Int64Words(rows.length);
  for (const [i, { label }] of rows.entries()) {
    if (!isIndex(label))
      throw invalidArgument(`rows[${i}].label`, 'the index of a class, from 0', label, 'OUT_OF_RANGE');
    labels.set(i, label);
  }
  return labels.tensor([rows.length]);
}

function isIndex(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
}

/**
 * An int64 array written as pairs of int32, low word first (libtorch's platforms are little-endian). This avoids a
 * bigint per element and a later conversion.
 */
class Int64Words {
  readonly #words: Int32Array<ArrayBuffer>;

  constructor(length: number) {
    this.#words = new Int32Array(2 * length);
  }

  /** Sets an element to an integer from 0 to 2^31 - 1. */
  set(index: number, value: number): void {
    this.#words[2 * index] = value;
  }

  /** Sets the elements in `[from, to)` to an integer from 0 to 2^31 - 1. */
  fill(from: number, to: number, value: number): void {
    for (let i = from; i < to; i++) this.#words[2 * i] = value;
  }

  /** Sets the elements from `at` on to the tokens of row `row`. */
  setTokens(at: number, tokens: ArrayLike<number>, row: number): void {
    const words = this.#words;
    if (tokens instanceof Int32Array) {
      // The tokens of an encoded data set: already integers.
      let wrong = -1;
      for (let i = 0; i < tokens.length; i++) {
        const token = tokens[i]!;
        words[2 * (at + i)] = token;
        if (token < 0) wrong = i;
      }
      if (wrong < 0) return;
    }
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i];
      if (!isIndex(token)) throw invalidArgument(`rows[${row}].tokens[${i}]`, 'an index from 0', token, 'OUT_OF_RANGE');
      words[2 * (at + i)] = token;
    }
  }

  tensor(shape: number[]): Tensor {
    return tensor(new BigInt64Array(this.#words.buffer), { shape });
  }
}
