import { ArgumentError, describe, invalidArgument, mismatch } from '../core/errors.js';
import { compareCodePoints } from '../text/codePointOrder.js';

/** Options of the measures that compare labels. */
export interface LabelOptions {
  /** All labels, in the order of the result. Default: the labels that occur, in code point order. */
  labels?: readonly string[] | undefined;
}

/** Checks a list of distinct labels. */
export function checkLabels(labels: readonly string[]): readonly string[] {
  if (!Array.isArray(labels) || labels.length === 0 || labels.some((label) => typeof label !== 'string')) {
    throw invalidArgument('labels', 'a non-empty array of strings', labels);
  }
  const seen = new Set<string>();
  for (const label of labels) {
    if (seen.has(label)) throw mismatch('labels', 'different labels', `${describe(label)} twice`);
    seen.add(label);
  }
  return labels;
}

/** Checks that both are arrays with as many rows, at least one. */
export function checkSameRows(
  yTrue: { readonly length: number },
  other: { readonly length: number },
  name = 'yPred',
): void {
  if (!Array.isArray(yTrue)) throw invalidArgument('yTrue', 'an array', yTrue);
  if (!Array.isArray(other)) throw invalidArgument(name, 'an array', other);
  if (yTrue.length !== other.length) {
    throw new ArgumentError('INVALID_SHAPE', `yTrue has ${yTrue.length} rows but ${name} has ${other.length}`);
  }
  checkSomeRows(yTrue.length);
}

/** Refuses an empty set of rows. */
export function checkSomeRows(rows: number): void {
  if (rows === 0) throw new ArgumentError('EMPTY_DATASET', 'there are no rows to evaluate');
}

/** The labels of the result, and the index of each. */
export class LabelIndex {
  readonly labels: readonly string[];
  readonly #indices: Map<string, number>;

  /** @param occurring - Returns every label that occurs; called only if no list is given. */
  constructor(given: readonly string[] | undefined, occurring: () => Iterable<string>) {
    // Values that are not strings are reported with their row when their index is requested.
    const found = () => [...new Set(occurring())].filter((label) => typeof label === 'string').sort(compareCodePoints);
    this.labels = given === undefined ? found() : [...checkLabels(given)];
    this.#indices = new Map(this.labels.map((label, index) => [label, index]));
  }

  /** Index of the label of a row. */
  of(label: unknown, name: string): number {
    const index = this.#indices.get(label as string);
    if (index !== undefined) return index;
    if (typeof label !== 'string') throw invalidArgument(name, 'a string', label);
    throw new ArgumentError('UNKNOWN_LABEL', `${name} is ${JSON.stringify(label)}, which is not among the labels`);
  }
}
