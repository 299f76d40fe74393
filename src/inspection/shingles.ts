import { textHash } from './textKey.js';

/** Code units of a shingle: long enough that texts on one subject do not share most of them. */
const WIDTH = 5;
/** Code units compared per text. */
const LOOKED_AT = 4_000;
/** Bands of hash functions; texts that agree in a whole band are compared. */
const BANDS = 10;
const ROWS = 3;

/** A text's letters and digits, with each run of other characters as one space. */
function skeleton(text: string): string {
  return text
    .slice(0, LOOKED_AT)
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
}

/**
 * The distinct hashes of a text's character 5-grams, ascending. Punctuation and blanks are ignored.
 *
 * @param text - The result of `comparable`.
 * @internal
 */
export function shingles(text: string): Uint32Array {
  const bare = skeleton(text);
  if (bare === '') return new Uint32Array(0);
  const found = new Set<number>();
  for (let from = 0; from === 0 || from + WIDTH <= bare.length; from++)
    found.add(textHash(bare.slice(from, from + WIDTH)) % 4294967296);
  return Uint32Array.from(found).sort();
}

/**
 * The finaliser of MurmurHash3 over a hash and the number of a function: each number gives a different order of hashes.
 */
function ordered(hash: number, number: number): number {
  let mixed = hash ^ Math.imul(number + 1, 0x9e3779b9);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * Keys under which similar texts find each other: MinHash signatures (Broder 1997), cut into ten bands of three. Texts
 * that share 80 % of their shingles have a key in common with a probability of 99.9 %, those that share 50 % with 74 %,
 * 20 % with 8 %.
 *
 * @internal
 */
export function bandKeys(hashes: Uint32Array): number[] {
  const keys: number[] = [];
  for (let band = 0; band < BANDS; band++) {
    const least = new Array<number>(ROWS).fill(0xffffffff);
    for (const hash of hashes) {
      for (let row = 0; row < ROWS; row++) least[row] = Math.min(least[row]!, ordered(hash, band * ROWS + row));
    }
    keys.push(textHash(least.join(), band));
  }
  return keys;
}

/**
 * Jaccard similarity of two sets of shingles: intersection over union, from 0 to 1.
 *
 * @internal
 */
export function similarity(a: Uint32Array, b: Uint32Array): number {
  let both = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const difference = a[i]! - b[j]!;
    if (difference === 0) both++;
    if (difference <= 0) i++;
    if (difference >= 0) j++;
  }
  return both === 0 ? 0 : both / (a.length + b.length - both);
}
