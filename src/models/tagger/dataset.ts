import type { Chunk } from '../../engine/engine.js';
import type { Forms } from '../../text/forms.js';
import type { TrainingSet } from '../../training/task.js';

/** Sentences as numbers, in one array each of tokens and tags. */
export class TagDataset implements TrainingSet {
  /** The id of each token's word; with {@link forms} the number of its form. `[tokens]` */
  readonly tokens: Int32Array;
  /** Where each sentence begins, followed by the number of tokens; `[length + 1]`. */
  readonly offsets: Uint32Array;
  /** The output of each token; a number beyond the outputs stands for a tag that the model does not have. */
  readonly tags: Int32Array;
  /** The forms of the tokens, if the network reads characters. */
  readonly forms: Forms | undefined;

  constructor(tokens: Int32Array, offsets: Uint32Array, tags: Int32Array, forms: Forms | undefined) {
    this.forms = forms;
    this.tokens = tokens;
    this.offsets = offsets;
    this.tags = tags;
  }

  get length(): number {
    return this.offsets.length - 1;
  }

  lengths(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, i) => this.offsets[i + 1]! - this.offsets[i]!);
  }

  /** Copies the sentences with these indices, concatenated, in the given order. */
  gather(indices: Int32Array): Omit<Chunk, 'batchSizes'> {
    const lengths = indices.map((index) => this.offsets[index + 1]! - this.offsets[index]!);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const [tokens, targets] = [new Int32Array(total), new Int32Array(total)];
    let at = 0;
    for (const [i, index] of indices.entries()) {
      const from = this.offsets[index]!;
      const to = from + lengths[i]!;
      tokens.set(this.tokens.subarray(from, to), at);
      targets.set(this.tags.subarray(from, to), at);
      at += lengths[i]!;
    }
    return { tokens, lengths, targets, forms: this.forms };
  }
}
