import { invalidArgument } from '../errors.js';

/** One text of an {@link EncodedDataset}. */
export interface EncodedRow {
  /** Index of its class in `classes`. */
  label: number;
  /** Indices of its tokens, at least one: a view of the data set, not a copy. */
  tokens: Int32Array;
}

/** Texts picked from an {@link EncodedDataset}, one after the other, as a whole chunk of work goes to native code. */
export interface GatheredRows {
  /** Tokens of all texts. */
  tokens: Int32Array;
  /** Number of tokens of each text. */
  lengths: Int32Array;
  /** Class of each text. */
  labels: Int32Array;
}

/** The arrays of an {@link EncodedDataset}. */
export interface EncodedParts {
  /** Indices of the tokens of all texts, one text after the other. */
  tokens: Int32Array;
  /** Where each text begins in `tokens`, and at last the number of tokens: one more than there are texts. */
  offsets: Uint32Array;
  /** Class of each text, an index in `classes`. */
  labels: Int32Array;
  /** Names of the classes. */
  classes: readonly string[];
}

/**
 * Texts as numbers, in flat typed arrays: 4 bytes a token and 8 a text, no object per token or text.
 *
 * @example
 * ```ts
 * const dataset = await encodeDataset(readCsv('test.csv', columns), { tokenizer: basicEnglish, vocab, classes });
 * const { label, tokens } = dataset.row(0);
 * ```
 */
export class EncodedDataset {
  /** Indices of the tokens of all texts, one text after the other. */
  readonly tokens: Int32Array;
  /** Where each text begins in {@link tokens}, and at last the number of tokens; `[length + 1]`. */
  readonly offsets: Uint32Array;
  /** Class of each text, `[length]`. */
  readonly labels: Int32Array;
  /** Names of the classes. */
  readonly classes: readonly string[];

  /**
   * Wraps arrays without copying them.
   *
   * @throws {@link ArgumentError} if the offsets do not rise from 0 to the number of tokens by at least 1, if there is not
   * one label for each text, or if a label is not the index of a class.
   */
  constructor({ tokens, offsets, labels, classes }: EncodedParts) {
    if (!(tokens instanceof Int32Array)) throw invalidArgument('tokens', 'an Int32Array', tokens);
    if (!(labels instanceof Int32Array)) throw invalidArgument('labels', 'an Int32Array', labels);
    if (!(offsets instanceof Uint32Array) || offsets.length !== labels.length + 1) {
      throw invalidArgument(
        'offsets',
        `a Uint32Array of ${labels.length + 1}, one more than there are labels`,
        offsets,
      );
    }
    if (!Array.isArray(classes)) throw invalidArgument('classes', 'an array of names', classes);
    if (offsets[0] !== 0 || offsets[labels.length] !== tokens.length) {
      throw invalidArgument(
        'offsets',
        `offsets from 0 to ${tokens.length}`,
        `${offsets[0]} to ${offsets[labels.length]}`,
      );
    }
    for (let i = 0; i < labels.length; i++) {
      if (offsets[i + 1]! <= offsets[i]!) {
        throw invalidArgument(`offsets[${i + 1}]`, `more than the one before, ${offsets[i]}`, offsets[i + 1]);
      }
      if (labels[i]! < 0 || labels[i]! >= classes.length) {
        throw invalidArgument(
          `labels[${i}]`,
          `the index of one of ${classes.length} classes`,
          labels[i],
          'OUT_OF_RANGE',
        );
      }
    }
    this.tokens = tokens;
    this.offsets = offsets;
    this.labels = labels;
    this.classes = classes;
  }

  /** Number of texts. */
  get length(): number {
    return this.labels.length;
  }

  /**
   * One text.
   *
   * @throws {@link ArgumentError} with code `OUT_OF_RANGE` if there is no such text.
   */
  row(index: number): EncodedRow {
    const label = this.labels[index];
    if (label === undefined) {
      throw invalidArgument('index', `an integer from 0 to ${this.length - 1}`, index, 'OUT_OF_RANGE');
    }
    return { label, tokens: this.tokens.subarray(this.offsets[index], this.offsets[index + 1]) };
  }

  /** All texts in order. */
  *[Symbol.iterator](): Generator<EncodedRow, void, undefined> {
    for (let i = 0; i < this.length; i++) yield this.row(i);
  }

  /** Number of tokens of each text; a new array, `[length]`. */
  lengths(): Int32Array {
    return Int32Array.from(this.labels, (_, i) => this.offsets[i + 1]! - this.offsets[i]!);
  }

  /** Number of texts of each class, in the order of {@link classes}. */
  classCounts(): Int32Array {
    const counts = new Int32Array(this.classes.length);
    for (const label of this.labels) counts[label]!++;
    return counts;
  }

  /**
   * Copies the texts with these indices one after the other, in the order given; one may come several times.
   *
   * @throws {@link ArgumentError} with code `OUT_OF_RANGE` if there is no such text.
   */
  gather(indices: ArrayLike<number>): GatheredRows {
    const count = indices.length;
    const lengths = new Int32Array(count);
    const labels = new Int32Array(count);
    let total = 0;
    for (let i = 0; i < count; i++) {
      const index = indices[i]!;
      const label = this.labels[index];
      if (label === undefined) {
        throw invalidArgument(`indices[${i}]`, `an integer from 0 to ${this.length - 1}`, index, 'OUT_OF_RANGE');
      }
      labels[i] = label;
      lengths[i] = this.offsets[index + 1]! - this.offsets[index]!;
      total += lengths[i]!;
    }
    const tokens = new Int32Array(total);
    for (let i = 0, at = 0; i < count; at += lengths[i++]!) {
      const from = this.offsets[indices[i]!]!;
      tokens.set(this.tokens.subarray(from, from + lengths[i]!), at);
    }
    return { tokens, lengths, labels };
  }

  /**
   * A data set of the texts with these indices: a copy, with the same classes.
   *
   * @throws {@link ArgumentError} with code `OUT_OF_RANGE` if there is no such text.
   */
  subset(indices: ArrayLike<number>): EncodedDataset {
    const { tokens, lengths, labels } = this.gather(indices);
    const offsets = new Uint32Array(lengths.length + 1);
    for (let i = 0; i < lengths.length; i++) offsets[i + 1] = offsets[i]! + lengths[i]!;
    return new EncodedDataset({ tokens, offsets, labels, classes: this.classes });
  }
}
