import { Finding, type Found, type RowShown } from './found.js';
import { bandKeys, shingles, similarity } from './shingles.js';

/** A text that resembles an earlier one. */
export interface Resembling extends RowShown {
  /** Number of the earlier row. */
  other: number;
  /** Line of the file where it begins, if known. */
  otherLine?: number | undefined;
  /** Its file, if the rows come from several. */
  otherFile?: string | undefined;
  /** Its labels, if they differ. */
  otherLabels?: readonly string[] | undefined;
  /** Beginning of its text. */
  otherText: string;
  /** Jaccard similarity of their character 5-grams, from 0 to 1. */
  similarity: number;
}

/** A text to compare with, about 500 bytes. */
interface Kept {
  shown: RowShown;
  hashes: Uint32Array;
}

/** Maximum texts compared per key; further ones resemble each other anyway. */
const MOST_OF_A_KEY = 8;

/** Labels as a set, for a comparison. */
const setOf = (labels: readonly string[] | undefined) => JSON.stringify([...new Set(labels)].sort());

/**
 * Finds texts that resemble earlier ones.
 *
 * @internal
 */
export class NearDuplicateFinder {
  readonly #kept: Kept[] = [];
  readonly #byKey = new Map<number, number[]>();
  readonly #least: number;
  readonly #most: number;
  readonly #finding: Finding<Resembling>;

  /**
   * @param least - Minimum similarity to count.
   * @param most - Maximum texts to compare with.
   */
  constructor(least: number, most: number, examples: number) {
    this.#least = least;
    this.#most = most;
    this.#finding = new Finding(examples);
  }

  /** Number of texts that later ones are compared with. */
  get comparedWith(): number {
    return this.#kept.length;
  }

  /** Rows that resemble an earlier one. */
  get found(): Found<Resembling> {
    return this.#finding.found;
  }

  /** Takes a new text, from `comparable`. */
  add(key: string, shown: () => RowShown): void {
    if (this.#kept.length >= this.#most) return;
    const hashes = shingles(key);
    if (hashes.length === 0) return;
    const keys = bandKeys(hashes);
    this.#look(hashes, keys, shown, this.#finding);
    const at = this.#kept.push({ shown: shown(), hashes }) - 1;
    for (const each of keys) {
      const there = this.#byKey.get(each);
      if (!there) this.#byKey.set(each, [at]);
      else if (there.length < MOST_OF_A_KEY) there.push(at);
    }
  }

  /** Looks up a text of another file, which is not kept. */
  look(key: string, shown: () => RowShown, finding: Finding<Resembling>): void {
    const hashes = shingles(key);
    if (hashes.length > 0) this.#look(hashes, bandKeys(hashes), shown, finding);
  }

  #look(hashes: Uint32Array, keys: readonly number[], shown: () => RowShown, finding: Finding<Resembling>): void {
    const candidates = new Set(keys.flatMap((key) => this.#byKey.get(key) ?? []));
    let best: { other: Kept; similarity: number } | undefined;
    for (const candidate of candidates) {
      const other = this.#kept[candidate]!;
      const shared = similarity(hashes, other.hashes);
      if (shared >= this.#least && shared > (best?.similarity ?? 0)) best = { other, similarity: shared };
    }
    if (!best) return;
    const { other, similarity: shared } = best;
    finding.add(() => {
      const { row, line, file, labels, text } = other.shown;
      const own = shown();
      const differ = labels !== undefined && setOf(labels) !== setOf(own.labels);
      return {
        ...own,
        other: row,
        ...(line === undefined ? {} : { otherLine: line }),
        ...(file === undefined ? {} : { otherFile: file }),
        ...(differ ? { otherLabels: labels } : {}),
        otherText: text,
        similarity: shared,
      };
    });
  }
}
