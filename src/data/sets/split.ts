import { checkObject, checkRange } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { Random } from '../../core/random.js';
import { numbersOfGroups, splitGroups, Units } from './groups.js';

/** Options of {@link stratifiedSplit}. */
export interface SplitOptions {
  /** Fraction of the texts on the test side, above 0 and below 1. Default 0.1. */
  fraction?: number | undefined;
  /** Seed of the choice, a non-negative safe integer. Default 0. */
  seed?: number | undefined;
  /**
   * The group of each text, such as its customer or its thread: texts of one group are on the same side, as with
   * scikit-learn's `GroupShuffleSplit`. A text whose group is undefined or null is a separate group. Default: none.
   */
  groups?: ArrayLike<string | number | null | undefined> | undefined;
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
 * With `groups`, whole groups are drawn: shares are as close as groups allow, each class still has a text in `train`,
 * and `test` may be empty if the groups are few or large.
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
 * const byCustomer = stratifiedSplit(data, { groups: ['c1', 'c1', 'c2', 'c3'] });
 * ```
 */
export function stratifiedSplit(
  data:
    | ArrayLike<number>
    | { readonly labels: ArrayLike<number>; readonly labelOffsets?: ArrayLike<number> | undefined },
  options: SplitOptions = {},
): Split {
  checkOptionNames('stratifiedSplit', options, ['fraction', 'seed', 'groups']);
  const { fraction = 0.1, seed = 0, groups } = options;
  checkRange('fraction', fraction, { above: 0, below: 1 });
  const random = new Random(seed);
  if (groups !== undefined) checkList('groups', groups);
  checkObject('data', data, SPLITTABLE);
  const { labels, labelOffsets } = 'labels' in data ? data : { labels: data, labelOffsets: undefined };
  checkList('labels', labels);
  if (labelOffsets !== undefined) checkList('labelOffsets', labelOffsets);
  const length = labelOffsets ? labelOffsets.length - 1 : labels.length;
  if (groups === undefined) return splitTexts({ labels, labelOffsets, length }, { fraction, random });
  if (groups.length !== length) throw invalidArgument('groups', `a group for each of ${length} texts`, groups);
  return splitTexts({ labels, labelOffsets, length }, { fraction, random, groups: numbersOfGroups(groups) });
}

/** The classes of texts. */
interface TextClasses {
  labels: ArrayLike<number>;
  labelOffsets: ArrayLike<number> | undefined;
  length: number;
}

/** How texts are split. */
interface Splitting {
  fraction: number;
  random: Random;
  /** A number for the group of each text. */
  groups?: Int32Array;
  /**
   * A number for each text that texts with the same content and the same classes share. They are kept on one side as far
   * as the share allows; a split of different texts is the same with and without.
   */
  same?: Int32Array | undefined;
}

/**
 * Splits texts as {@link stratifiedSplit} does.
 *
 * @internal
 */
export function splitTexts(texts: TextClasses, by: Splitting): Split {
  const steps = splitSteps(texts, by);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Like {@link splitTexts}, with pauses.
 *
 * @internal
 */
export function* splitSteps(
  { labels, labelOffsets, length }: TextClasses,
  { fraction, random, groups, same }: Splitting,
): Generator<void, Split, undefined> {
  const units = same && new Units(same);
  yield;
  const isTest = groups
    ? yield* splitGroups({ labels, labelOffsets, length }, groups, fraction, random)
    : labelOffsets
      ? iteratively(labels, labelOffsets, fraction, random, units)
      : byShares(labels, fraction, random, units);
  yield;
  const all = Int32Array.from({ length: isTest.length }, (_, i) => i);
  return { train: all.filter((i) => isTest[i] === 0), test: all.filter((i) => isTest[i] === 1) };
}

/** Refuses a value without indexed elements. */
function checkList(name: string, value: unknown): void {
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) throw invalidArgument(name, 'an array', value);
}

function byShares(labels: ArrayLike<number>, fraction: number, random: Random, units: Units | undefined): Uint8Array {
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
    const shuffled = random.shuffle(members);
    for (const index of units ? wholeUnits(shuffled, units, count) : shuffled.slice(0, count)) isTest[index] = 1;
  });
  return isTest;
}

/** Of the wanted test texts of a class, how many times as many texts that are the same may be. */
const MOST_SAME = 2;

/**
 * The first `count` texts, or fewer, without parting those that are the same. Only if all are repeated far more often
 * than texts are wanted, they are parted: training needs them too.
 */
function wholeUnits(texts: readonly number[], units: Units, count: number): number[] {
  const chosen: number[] = [];
  const seen = new Set<number>();
  let smallest: number | undefined;
  for (const text of texts) {
    if (chosen.length === count) return chosen;
    const size = units.sizeOf(text);
    if (size > 1 && seen.has(units.numberOf(text))) continue;
    // As arguments of one call, very many texts would be too many.
    if (chosen.length + size <= count) for (const each of units.textsOf(text)) chosen.push(each);
    if (size === 1) continue;
    seen.add(units.numberOf(text));
    if (smallest === undefined || size < units.sizeOf(smallest)) smallest = text;
  }
  if (chosen.length > 0 || smallest === undefined) return chosen;
  const few = seen.size > 1 && units.sizeOf(smallest) <= MOST_SAME * count;
  return few ? units.textsOf(smallest) : texts.slice(0, count);
}

/** The side of each text of a multi-label set: 0 for training, 1 for test. */
function iteratively(
  labels: ArrayLike<number>,
  offsets: ArrayLike<number>,
  fraction: number,
  random: Random,
  units: Units | undefined,
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

  /** The texts that are the same, unless they are repeated far more often than texts are wanted: training needs them too. */
  const unitOf = (text: number, shares: readonly ClassShare[]): readonly number[] => {
    const size = units?.sizeOf(text) ?? 1;
    const parted = size > 1 && shares.some(({ members }) => size > MOST_SAME * fraction * members.length);
    return size === 1 || parted ? [text] : units!.textsOf(text);
  };

  const UNDECIDED = 2;
  const side = new Uint8Array(length).fill(UNDECIDED);
  const rarestFirst = [...classes.values()].sort((a, b) => a.members.length - b.members.length || a.label - b.label);
  for (const share of rarestFirst) {
    for (const text of share.members) {
      if (side[text] !== UNDECIDED) continue;
      const shares = classesOf(text);
      const unit = unitOf(text, shares);
      const test = (share.lacking || whole.lacking) > 0 && !shares.some((each) => each.needsTraining(unit.length));
      // Texts that are the same have the same classes.
      for (const each of unit) {
        side[each] = test ? 1 : 0;
        for (const one of [...shares, whole]) one.decide(test);
      }
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

  /** Whether training would have no text of the class left if `texts` more were taken away. */
  needsTraining(texts: number): boolean {
    return this.#training === 0 && this.#undecided <= texts;
  }

  decide(test: boolean): void {
    this.#undecided--;
    if (test) this.#wanted--;
    else this.#training++;
  }
}
