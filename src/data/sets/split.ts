import { checkObject, checkRange } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { Random } from '../../core/random.js';

/** Options of {@link stratifiedSplit}. */
export interface SplitOptions {
  /** Fraction of the texts on the test side, above 0 and below 1. Default 0.1. */
  fraction?: number | undefined;
  /** Seed of the choice, a non-negative safe integer. Default 0. */
  seed?: number | undefined;
}

const SPLITTABLE = 'a data set, or the class of each text';

/** The two sides: ascending indices, each on one side. */
export interface Split {
  /** Indices of the training texts. */
  train: Int32Array;
  /** Indices of the test texts. */
  test: Int32Array;
}

/**
 * Splits texts in two so that each class has the same share on both sides, as closely as whole texts allow. A class of
 * two or more texts has at least one on each side; a class of one text is in `train`. The same seed gives the same
 * split on every machine.
 *
 * A multi-label set is split by iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011): the rarest class
 * first, each of its texts to the side that still needs most of that class. Each class has at least one text in
 * `train`; texts without a class are split as an additional class.
 *
 * @param data - A data set, or the class of each text as a non-negative integer.
 * @param options - See {@link SplitOptions}.
 * @throws {@link ArgumentError} for invalid options or labels.
 *
 * @example
 * ```ts
 * const { train, test } = stratifiedSplit(data, { fraction: 0.1, seed: 1 });
 * const heldOut = data.subset(test);
 * const learned = data.subset(train);
 * ```
 */
export function stratifiedSplit(
  data:
    | ArrayLike<number>
    | { readonly labels: ArrayLike<number>; readonly labelOffsets?: ArrayLike<number> | undefined },
  options: SplitOptions = {},
): Split {
  checkOptionNames('stratifiedSplit', options, ['fraction', 'seed']);
  const { fraction = 0.1, seed = 0 } = options;
  checkRange('fraction', fraction, { above: 0, below: 1 });
  const random = new Random(seed);
  checkObject('data', data, SPLITTABLE);
  const { labels, labelOffsets } = 'labels' in data ? data : { labels: data, labelOffsets: undefined };
  checkList('labels', labels);
  if (labelOffsets !== undefined) checkList('labelOffsets', labelOffsets);
  const isTest = labelOffsets
    ? iteratively(labels, labelOffsets, fraction, random)
    : byShares(labels, fraction, random);
  const all = Int32Array.from({ length: isTest.length }, (_, i) => i);
  return { train: all.filter((i) => isTest[i] === 0), test: all.filter((i) => isTest[i] === 1) };
}

/** Refuses a value without indexed elements. */
function checkList(name: string, value: unknown): void {
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) throw invalidArgument(name, 'an array', value);
}

function byShares(labels: ArrayLike<number>, fraction: number, random: Random): Uint8Array {
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
  // `forEach` skips gaps between labels, where a `for` loop would see undefined.
  byClass.forEach((members) => {
    const wanted = Math.round(members.length * fraction);
    const count = members.length < 2 ? 0 : Math.min(Math.max(wanted, 1), members.length - 1);
    for (const index of random.shuffle(members).slice(0, count)) isTest[index] = 1;
  });
  return isTest;
}

/** The side of each text of a multi-label set: 0 for training, 1 for test. */
function iteratively(
  labels: ArrayLike<number>,
  offsets: ArrayLike<number>,
  fraction: number,
  random: Random,
): Uint8Array {
  const length = offsets.length - 1;
  const classes = new Map<number, ClassShare>();
  const whole = new ClassShare(-2);
  const classesOf = (text: number): ClassShare[] => {
    const found: ClassShare[] = [];
    const from = offsets[text]!;
    const to = offsets[text + 1]!;
    for (let i = from; i < Math.max(to, from + 1); i++) {
      const label = i < to ? labels[i]! : -1;
      let share = classes.get(label);
      if (!share) {
        share = new ClassShare(label);
        classes.set(label, share);
      }
      found.push(share);
    }
    return found;
  };
  // In random order, so that texts with the same classes have equal chances.
  for (const text of random.permutation(length)) for (const share of classesOf(text)) share.members.push(text);
  for (const share of classes.values()) share.want(share.members.length, fraction);
  whole.want(length, fraction);

  const UNDECIDED = 2;
  const side = new Uint8Array(length).fill(UNDECIDED);
  const rarestFirst = [...classes.values()].sort((a, b) => a.members.length - b.members.length || a.label - b.label);
  for (const share of rarestFirst) {
    for (const text of share.members) {
      if (side[text] !== UNDECIDED) continue;
      const shares = classesOf(text);
      const test = (share.lacking || whole.lacking) > 0 && !shares.some((each) => each.needsTraining);
      side[text] = test ? 1 : 0;
      for (const each of [...shares, whole]) each.decide(test);
    }
  }
  return side;
}

/** The state of one class while it is split. */
class ClassShare {
  readonly label: number;
  readonly members: number[] = [];
  #undecided = 0;
  #wanted = 0;
  #training = 0;

  constructor(label: number) {
    this.label = label;
  }

  want(count: number, fraction: number): void {
    this.#undecided = count;
    this.#wanted = count * fraction;
  }

  /** How many more texts the test side still needs than the other. */
  get lacking(): number {
    return this.#wanted - (this.#undecided - this.#wanted);
  }

  /** Whether no text of the class would be left for training. */
  get needsTraining(): boolean {
    return this.#training === 0 && this.#undecided === 1;
  }

  decide(test: boolean): void {
    this.#undecided--;
    if (test) this.#wanted--;
    else this.#training++;
  }
}
