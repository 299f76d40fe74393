import { checkObject } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { isTyped } from '../../core/realms.js';

/** One text of an {@link EncodedDataset}. */
export interface EncodedRow {
  /** Index of its class in `classes`; -1 in a multi-label set, which losses and `padify` do not accept as a class. */
  label: number;
  /** In a multi-label set, the indices of its classes, ascending: a view of the data set, not a copy. */
  labels?: Int32Array | undefined;
  /** Indices of its tokens, at least one: a view of the data set, not a copy. */
  tokens: Int32Array;
}

/** Texts picked from an {@link EncodedDataset}, concatenated, as passed to native code. */
export interface GatheredRows {
  /** Tokens of all texts. */
  tokens: Int32Array;
  /** Number of tokens of each text. */
  lengths: Int32Array;
  /** Class of each text; in a multi-label set, the classes of all texts, concatenated. */
  labels: Int32Array;
  /** In a multi-label set, where the classes of each text begin in `labels`, followed by their total number. */
  labelOffsets?: Uint32Array | undefined;
}

/** The arrays of an {@link EncodedDataset}. */
export interface EncodedParts {
  /** Indices of the tokens of all texts, concatenated. */
  tokens: Int32Array;
  /** Where each text begins in `tokens`, followed by the number of tokens: one entry more than texts. */
  offsets: Uint32Array;
  /** Class of each text, an index in `classes`; with `labelOffsets`, the classes of all texts, concatenated. */
  labels: Int32Array;
  /**
   * Makes it a multi-label set: where the classes of each text begin in `labels`, followed by their total number. One
   * entry more than texts; a text may have no class.
   */
  labelOffsets?: Uint32Array | undefined;
  /** Names of the classes. */
  classes: readonly string[];
}

/**
 * Texts as numbers in flat typed arrays: 4 bytes per token and 8 per text, without objects. In a multi-label set, made
 * with `multiLabel: true`, a text has any number of classes, 4 bytes each.
 *
 * @example
 * ```ts
 * const dataset = await encodeDataset(rows, { tokenizer: basicEnglish, vocab });
 * const { label, tokens } = dataset.row(0);
 * ```
 */
export class EncodedDataset {
  /** Indices of the tokens of all texts, concatenated. */
  readonly tokens: Int32Array;
  /** Where each text begins in {@link tokens}, followed by the number of tokens; `[length + 1]`. */
  readonly offsets: Uint32Array;
  /** Class of each text, `[length]`; in a multi-label set, the classes of all texts, concatenated. */
  readonly labels: Int32Array;
  /**
   * In a multi-label set, where the classes of each text begin in {@link labels}, `[length + 1]`; otherwise undefined.
   */
  readonly labelOffsets: Uint32Array | undefined;
  /** Names of the classes. */
  readonly classes: readonly string[];

  /**
   * Wraps arrays without copying them.
   *
   * @throws {@link ArgumentError} if the offsets do not increase from 0 to the number of tokens in steps of at least 1,
   * if there is not one label per text, if `labelOffsets` do not increase from 0 to the number of labels, or if a label
   * is not the index of a class.
   */
  constructor(parts: EncodedParts) {
    checkObject('parts', parts, 'an object with tokens, offsets, labels and classes');
    const { tokens, offsets, labels, labelOffsets, classes } = parts;
    if (!isTyped('Int32Array', tokens)) throw invalidArgument('tokens', 'an Int32Array', tokens);
    if (!isTyped('Int32Array', labels)) throw invalidArgument('labels', 'an Int32Array', labels);
    if (labelOffsets !== undefined) checkLabelOffsets(labelOffsets, labels);
    const length = labelOffsets ? labelOffsets.length - 1 : labels.length;
    if (!isTyped('Uint32Array', offsets) || offsets.length !== length + 1) {
      const than = labelOffsets ? 'as there are labelOffsets' : 'one more than there are labels';
      throw invalidArgument('offsets', `a Uint32Array of ${length + 1}, ${than}`, offsets);
    }
    if (!Array.isArray(classes)) throw invalidArgument('classes', 'an array of names', classes);
    if (offsets[0] !== 0 || offsets[length] !== tokens.length) {
      throw invalidArgument('offsets', `offsets from 0 to ${tokens.length}`, `${offsets[0]} to ${offsets[length]}`);
    }
    for (let i = 0; i < length; i++) {
      if (offsets[i + 1]! <= offsets[i]!) {
        throw invalidArgument(`offsets[${i + 1}]`, `more than the one before, ${offsets[i]}`, offsets[i + 1]);
      }
    }
    for (let i = 0; i < labels.length; i++) {
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
    this.labelOffsets = labelOffsets;
    this.classes = classes;
  }

  /** Whether a text may have any number of classes. */
  get multiLabel(): boolean {
    return this.labelOffsets !== undefined;
  }

  /** Number of texts. */
  get length(): number {
    return this.offsets.length - 1;
  }

  /**
   * One text.
   *
   * @throws {@link ArgumentError} with code `OUT_OF_RANGE` if there is no such text.
   */
  row(index: number): EncodedRow {
    this.#check('index', index);
    const tokens = this.tokens.subarray(this.offsets[index], this.offsets[index + 1]);
    return this.labelOffsets
      ? { label: -1, labels: this.labelsOf(index), tokens }
      : { label: this.labels[index]!, tokens };
  }

  /**
   * Indices of the classes of a text, ascending: a view of the data set. Exactly one, unless this is a multi-label set.
   *
   * @throws {@link ArgumentError} with code `OUT_OF_RANGE` if there is no such text.
   */
  labelsOf(index: number): Int32Array {
    this.#check('index', index);
    const { labelOffsets } = this;
    return this.labels.subarray(labelOffsets?.[index] ?? index, labelOffsets?.[index + 1] ?? index + 1);
  }

  /** All texts in order. */
  *[Symbol.iterator](): Generator<EncodedRow, void, undefined> {
    for (let i = 0; i < this.length; i++) yield this.row(i);
  }

  /** Number of tokens of each text; a new array, `[length]`. */
  lengths(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, i) => this.offsets[i + 1]! - this.offsets[i]!);
  }

  /**
   * Number of texts of each class, in the order of {@link classes}; in a multi-label set, a text counts for each of its
   * classes.
   */
  classCounts(): Int32Array {
    const counts = new Int32Array(this.classes.length);
    for (const label of this.labels) counts[label]!++;
    return counts;
  }

  /**
   * Copies the texts with these indices, concatenated, in the given order; an index may be repeated.
   *
   * @throws {@link ArgumentError} with code `OUT_OF_RANGE` if there is no such text.
   */
  gather(indices: ArrayLike<number>): GatheredRows {
    const count = indices.length;
    const lengths = new Int32Array(count);
    let total = 0;
    for (let i = 0; i < count; i++) {
      const index = indices[i]!;
      this.#check(`indices[${i}]`, index);
      lengths[i] = this.offsets[index + 1]! - this.offsets[index]!;
      total += lengths[i]!;
    }
    const tokens = new Int32Array(total);
    for (let i = 0, at = 0; i < count; at += lengths[i++]!) {
      const from = this.offsets[indices[i]!]!;
      tokens.set(this.tokens.subarray(from, from + lengths[i]!), at);
    }
    return { tokens, lengths, ...this.#gatherLabels(indices) };
  }

  #gatherLabels(indices: ArrayLike<number>): Pick<GatheredRows, 'labels' | 'labelOffsets'> {
    const count = indices.length;
    const { labelOffsets: from } = this;
    if (!from) {
      const labels = new Int32Array(count);
      for (let i = 0; i < count; i++) labels[i] = this.labels[indices[i]!]!;
      return { labels };
    }
    const labelOffsets = new Uint32Array(count + 1);
    for (let i = 0; i < count; i++) {
      labelOffsets[i + 1] = labelOffsets[i]! + from[indices[i]! + 1]! - from[indices[i]!]!;
    }
    const labels = new Int32Array(labelOffsets[count]!);
    for (let i = 0; i < count; i++) labels.set(this.labelsOf(indices[i]!), labelOffsets[i]!);
    return { labels, labelOffsets };
  }

  /**
   * A data set of the texts with these indices: a copy, with the same classes.
   *
   * @throws {@link ArgumentError} with code `OUT_OF_RANGE` if there is no such text.
   */
  subset(indices: ArrayLike<number>): EncodedDataset {
    const { tokens, lengths, labels, labelOffsets } = this.gather(indices);
    const offsets = new Uint32Array(lengths.length + 1);
    for (let i = 0; i < lengths.length; i++) offsets[i + 1] = offsets[i]! + lengths[i]!;
    return new EncodedDataset({ tokens, offsets, labels, labelOffsets, classes: this.classes });
  }

  #check(name: string, index: number): void {
    if (this.offsets[index] === undefined || index === this.length) {
      throw invalidArgument(name, `an integer from 0 to ${this.length - 1}`, index, 'OUT_OF_RANGE');
    }
  }
}

function checkLabelOffsets(labelOffsets: Uint32Array, labels: Int32Array): void {
  if (!isTyped('Uint32Array', labelOffsets) || labelOffsets.length === 0) {
    throw invalidArgument('labelOffsets', 'a Uint32Array of one more than there are texts', labelOffsets);
  }
  const last = labelOffsets.length - 1;
  if (labelOffsets[0] !== 0 || labelOffsets[last] !== labels.length) {
    const found = `${labelOffsets[0]} to ${labelOffsets[last]}`;
    throw invalidArgument('labelOffsets', `offsets from 0 to ${labels.length}`, found);
  }
  for (let i = 0; i < last; i++) {
    if (labelOffsets[i + 1]! < labelOffsets[i]!) {
      const expected = `at least the one before, ${labelOffsets[i]}`;
      throw invalidArgument(`labelOffsets[${i + 1}]`, expected, labelOffsets[i + 1]);
    }
  }
}
