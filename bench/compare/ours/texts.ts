import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EncodedDataset, type LabelledText, type Tokenizer } from 'recurra';
import { wordName } from '../data.js';

/** Reads a file of 32-bit integers. */
export function readInts(file: string): Int32Array {
  const bytes = readFileSync(file);
  return new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** The made-up data of a folder, as tokens and as texts. */
export class Texts {
  readonly dataset: EncodedDataset;
  readonly #names: string[] = [];
  readonly #words: (string[] | undefined)[];

  constructor(folder: string) {
    const [tokens, lengths, labels] = ['tokens', 'lengths', 'labels'].map((name) =>
      readInts(join(folder, `${name}.i32`)),
    );
    const offsets = new Uint32Array(lengths!.length + 1);
    for (const [i, length] of lengths!.entries()) offsets[i + 1] = offsets[i]! + length;
    const classes = Array.from({ length: 1 + labels!.reduce((a, b) => Math.max(a, b), 0) }, (_, i) => `class ${i}`);
    this.dataset = new EncodedDataset({ tokens: tokens!, offsets, labels: labels!, classes });
    this.#words = new Array<string[] | undefined>(this.dataset.length);
  }

  /** The words of some tokens; equal words are the same string. */
  words(tokens: Int32Array): string[] {
    return Array.from(tokens, (index) => {
      this.#names[index] ??= wordName(index);
      return this.#names[index]!;
    });
  }

  /** The texts as {@link ids} understands them: the number of a text stands for its words. */
  *numbers(): Generator<LabelledText> {
    for (let i = 0; i < this.dataset.length; i++) yield this.#labelled(i, String(i));
  }

  /** The texts with their words written out. */
  *sentences(): Generator<LabelledText> {
    for (let i = 0; i < this.dataset.length; i++) {
      yield this.#labelled(i, this.words(this.dataset.row(i).tokens).join(' '));
    }
  }

  #labelled(i: number, text: string): LabelledText {
    return { text, label: this.dataset.classes[this.dataset.labels[i]!]! };
  }

  /** A tokenizer that only looks the words up, so that next to nothing but the numeric work is timed. */
  readonly ids: Tokenizer = (text) => {
    const i = Number(text);
    this.#words[i] ??= this.words(this.dataset.row(i).tokens);
    return this.#words[i]!;
  };
}
