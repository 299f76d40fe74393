/**
 * Made-up texts as numbers, the same for both sides.
 *
 * Lengths `news` are drawn from a log-normal distribution with the spread that AG News has under `basic_english` (standard deviation of
 * the logarithm 0.28; its 1st, 50th and 99th percentiles are 20, 42 and 88 tokens), `uneven` from one with standard deviation 1.
 *
 * Words are drawn from the law of Zipf and Mandelbrot, p(rank) ~ 1 / (rank + 2.7)^s. The exponent s is chosen for each vocabulary so that
 * 702 tokens, a batch of the lesson, have 475 different words; so the work of a batch does not depend on the vocabulary's size. Words
 * that were never drawn then replace a token each of a word that is there more than once: the vocabulary has exactly the size that was
 * asked for. Labels are random.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bucketBatches, Random } from 'recurra';
import type { Lengths, Order } from './types.js';

/** Indices 0 and 1 are `<unk>` and `<pad>`, as in every vocabulary of recurra. */
export const SPECIALS = 2;
const TOKENS_PER_BATCH = 702;
const DIFFERENT_PER_BATCH = 475;
const MANDELBROT_SHIFT = 2.7;
const SHORTEST = { news: 8, even: 1, uneven: 1 } as const;
const LOG_SPREAD = { news: 0.28, even: 0, uneven: 1 } as const;
const LONGEST_OF_MEAN = 5;
/** Tokens of a data set: as many texts as it takes. */
const TOKENS = 1_500_000;
/** A large vocabulary gets more, otherwise every other token would be a word that occurs once. */
const TOKENS_PER_WORD = 6;

/** Texts, one after the other. */
export interface TokenData {
  /** Words from 2 on by descending frequency. */
  tokens: Int32Array;
  /** Tokens of each text. */
  lengths: Int32Array;
  /** Class of each text. */
  labels: Int32Array;
}

/** Draws texts; the same arguments give the same texts. */
export function makeTexts(vocabulary: number, lengths: Lengths, classes: number): TokenData {
  const random = new Random(20, vocabulary);
  const wanted = Math.max(TOKENS, TOKENS_PER_WORD * vocabulary);
  const textLengths = drawLengths(lengths, wanted, random);
  const tokens = drawWords(
    vocabulary - SPECIALS,
    textLengths.reduce((sum, length) => sum + length, 0),
    random,
  );
  return { tokens, lengths: textLengths, labels: textLengths.map(() => random.int(classes)) };
}

function drawLengths({ mean, spread }: Lengths, tokens: number, random: Random): Int32Array {
  const sigma = LOG_SPREAD[spread];
  const drawn: number[] = [];
  for (let total = 0; total < tokens; ) {
    const length = Math.round(mean * Math.exp(sigma * random.normal() - sigma ** 2 / 2));
    const kept = Math.min(Math.max(length, SHORTEST[spread]), LONGEST_OF_MEAN * mean);
    drawn.push(kept);
    total += kept;
  }
  return Int32Array.from(drawn);
}

function probabilities(words: number, exponent: number): Float64Array {
  const p = Float64Array.from({ length: words }, (_, rank) => (rank + 1 + MANDELBROT_SHIFT) ** -exponent);
  const sum = p.reduce((a, b) => a + b, 0);
  return p.map((value) => value / sum);
}

/** Expected number of different words in a batch of the lesson, those included that replace others. */
function expectedDifferent(p: Float64Array, tokens: number): number {
  let unseen = 0;
  for (const value of p) unseen += Math.exp(tokens * Math.log1p(-value));
  const replaced = Math.min(1, unseen / tokens) * TOKENS_PER_BATCH;
  let different = replaced;
  for (const value of p) different -= Math.expm1((TOKENS_PER_BATCH - replaced) * Math.log1p(-value));
  return different;
}

function exponentFor(words: number, tokens: number): number {
  let [low, high] = [0, 3];
  while (high - low > 1e-3) {
    const middle = (low + high) / 2;
    if (expectedDifferent(probabilities(words, middle), tokens) > DIFFERENT_PER_BATCH) low = middle;
    else high = middle;
  }
  return low;
}

function drawWords(words: number, count: number, random: Random): Int32Array {
  const p = probabilities(words, exponentFor(words, count));
  const cumulative = p.slice();
  for (let i = 1; i < words; i++) cumulative[i]! += cumulative[i - 1]!;
  const frequency = new Int32Array(words);
  const drawn = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const at = random.float() * cumulative[words - 1]!;
    let [low, high] = [0, words - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! > at) high = middle;
      else low = middle + 1;
    }
    drawn[i] = low;
    frequency[low]!++;
  }
  for (let word = 0; word < words; word++) {
    if (frequency[word]! > 0) continue;
    let place = random.int(count);
    while (frequency[drawn[place]!]! < 2) place = random.int(count);
    frequency[drawn[place]!]!--;
    drawn[place] = word;
    frequency[word] = 1;
  }
  // The vocabulary numbers words by descending frequency, ties by name; names (see `wordName`) are in the order of the numbers.
  const byFrequency = Int32Array.from({ length: words }, (_, word) => word).sort(
    (a, b) => frequency[b]! - frequency[a]! || a - b,
  );
  const index = new Int32Array(words);
  for (const [rank, word] of byFrequency.entries()) index[word] = rank + SPECIALS;
  return drawn.map((word) => index[word]!);
}

/** The word with an index, as it stands in a text: four letters or digits, in the order of the indices. */
export function wordName(index: number): string {
  return (index - SPECIALS).toString(36).padStart(4, '0');
}

/** A data set in files, and what the works need to know about it. */
export class DataSet {
  readonly folder: string;
  readonly lengths: Int32Array;
  /** Different words in a random batch of the lesson's size, on the average; for the report. */
  readonly differentPerBatch: number;

  constructor(folder: string, data: TokenData) {
    mkdirSync(folder, { recursive: true });
    for (const name of ['tokens', 'lengths', 'labels'] as const) writeFileSync(join(folder, `${name}.i32`), data[name]);
    this.folder = folder;
    this.lengths = data.lengths;
    const batches = Math.min(500, Math.floor(data.tokens.length / TOKENS_PER_BATCH));
    let different = 0;
    for (let i = 0; i < batches; i++) {
      different += new Set(data.tokens.subarray(i * TOKENS_PER_BATCH, (i + 1) * TOKENS_PER_BATCH)).size;
    }
    this.differentPerBatch = different / batches;
  }

  /** File with an order of the texts for batches of this size, without a last smaller one. `sorted`: all texts by length. */
  order(kind: Order | 'sorted', batch: number): string {
    const file = join(this.folder, `order-${kind}-${batch}.i32`);
    const whole = Math.floor(this.lengths.length / batch) * batch;
    const window = { random: 1, bucketed: 50, sorted: whole }[kind];
    const { order } = bucketBatches(this.lengths, {
      batchSize: batch,
      window,
      indices: Int32Array.from({ length: whole }, (_, i) => i),
      random: new Random(3),
    });
    writeFileSync(file, order);
    return file;
  }
}

/** Makes each data set once. */
export class DataSets {
  readonly #folder: string;
  readonly #made = new Map<string, DataSet>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  get({ vocabulary, lengths, classes }: { vocabulary: number; lengths: Lengths; classes: number }): DataSet {
    const name = `${vocabulary}-${lengths.mean}-${lengths.spread}-${classes}`;
    let made = this.#made.get(name);
    if (made === undefined) {
      made = new DataSet(join(this.#folder, name), makeTexts(vocabulary, lengths, classes));
      this.#made.set(name, made);
    }
    return made;
  }
}
