import { checkOptionNames, invalidArgument } from '../errors.js';
import { Random } from './random.js';

/** Options of {@link stratifiedSplit}. */
export interface SplitOptions {
  /** Part of the texts that goes to the test side, above 0 and below 1. Default 0.1. */
  fraction?: number | undefined;
  /** Seed of the choice, a non-negative safe integer. Default 0. */
  seed?: number | undefined;
}

/** Which texts go where: indices in rising order, each on one side. */
export interface Split {
  /** Indices of the texts to learn from. */
  train: Int32Array;
  /** Indices of the texts held out. */
  test: Int32Array;
}

/**
 * Splits texts in two so that each class has the same share on both sides, as nearly as whole texts allow. A class of two
 * or more texts has at least one on each side; a class of one text is in `train`. The same seed gives the same split on
 * every machine.
 *
 * @param data - A data set, or the class of each text as a non-negative integer.
 * @param options - See {@link SplitOptions}.
 * @throws {@link ArgumentError} for options or labels that do not fit.
 *
 * @example
 * ```ts
 * const { train, test } = stratifiedSplit(dataset, { fraction: 0.1, seed: 1 });
 * const heldOut = dataset.subset(test);
 * ```
 */
export function stratifiedSplit(
  data: ArrayLike<number> | { readonly labels: ArrayLike<number> },
  options: SplitOptions = {},
): Split {
  checkOptionNames('stratifiedSplit', options, ['fraction', 'seed']);
  const { fraction = 0.1, seed = 0 } = options;
  if (typeof fraction !== 'number' || !(fraction > 0 && fraction < 1)) {
    throw invalidArgument('fraction', 'a number above 0 and below 1', fraction);
  }
  const random = new Random(seed);
  const labels = 'labels' in data ? data.labels : data;
  const byClass: number[][] = [];
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0) throw invalidArgument(`labels[${i}]`, 'a non-negative integer', label);
    let members = byClass[label];
    if (!members) {
      members = [];
      byClass[label] = members;
    }
    members.push(i);
  }
  const isTest = new Uint8Array(labels.length);
  // `forEach` skips the gaps that labels may leave, where a `for` loop would meet undefined.
  byClass.forEach((members) => {
    const wanted = Math.round(members.length * fraction);
    const count = members.length < 2 ? 0 : Math.min(Math.max(wanted, 1), members.length - 1);
    for (const index of random.shuffle(members).slice(0, count)) isTest[index] = 1;
  });
  const all = Int32Array.from({ length: labels.length }, (_, i) => i);
  return { train: all.filter((i) => isTest[i] === 0), test: all.filter((i) => isTest[i] === 1) };
}
