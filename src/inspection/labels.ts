import { shownLabels } from '../core/printable.js';

/** A label and how many rows have it. */
export interface LabelCount {
  /** The label. */
  label: string;
  /** Rows that have it. */
  rows: number;
  /** Its share of all rows, from 0 to 1. */
  share: number;
}

/** A label normalised for common variations: case, blanks, punctuation between words, accents. */
function bare(label: string): string {
  return label
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[\s_./-]+/gu, '');
}

/**
 * Counts labels.
 *
 * @internal
 */
export class LabelCounter {
  readonly #counts = new Map<string, number>();
  #rows = 0;
  #without = 0;
  #several = 0;

  /** Takes the labels of a row. */
  add(labels: readonly string[]): void {
    this.#rows++;
    if (labels.length === 0) this.#without++;
    const different = new Set(labels);
    if (different.size > 1) this.#several++;
    for (const label of different) this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1);
  }

  /** Whether a row has the label. */
  has(label: string): boolean {
    return this.#counts.has(label);
  }

  /** Rows without any label. */
  get without(): number {
    return this.#without;
  }

  /** Rows with more than one. */
  get several(): number {
    return this.#several;
  }

  /** All labels, the most frequent first. */
  get labels(): LabelCount[] {
    const all = [...this.#counts].map(([label, rows]) => ({ label, rows, share: rows / this.#rows }));
    return all.sort((a, b) => b.rows - a.rows || (a.label < b.label ? -1 : 1));
  }

  /** Labels that differ by case, blanks, punctuation or accents alone, side by side. */
  get similar(): string[][] {
    const groups = new Map<string, string[]>();
    for (const { label } of this.labels) {
      const key = bare(label);
      groups.set(key, [...(groups.get(key) ?? []), label]);
    }
    return [...groups.values()].filter((group) => group.length > 1);
  }
}

/**
 * How evenly rows are spread over labels: their entropy divided by that of a uniform distribution, from 0 to 1; 1 for
 * one label.
 *
 * @internal
 */
export function evenness(labels: readonly LabelCount[]): number {
  if (labels.length < 2) return 1;
  const total = labels.reduce((sum, { rows }) => sum + rows, 0);
  const entropy = labels.reduce((sum, { rows }) => sum - (rows / total) * Math.log(rows / total), 0);
  return entropy / Math.log(labels.length);
}

/** Quoted labels for a sentence. */
export function labelWords(labels: readonly string[]): string[] {
  return shownLabels(labels).map((label) => (label.startsWith('"') ? label : `"${label}"`));
}
