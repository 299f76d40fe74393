import type { Random } from '../../core/random.js';
import type { Turns } from '../../core/turns.js';

/** What a text belongs to; undefined or null for a text that is a group by itself. */
type GroupName = string | number | null | undefined;

/**
 * Numbers groups from 0, in order of first use.
 *
 * @internal
 */
export class GroupNumbers {
  readonly #known = new Map<string, number>();
  #count = 0;

  /** The number of a text's group. */
  of(group: GroupName): number {
    if (group === undefined || group === null) return this.#count++;
    const key = String(group);
    const number = this.#known.get(key) ?? this.#count++;
    this.#known.set(key, number);
    return number;
  }
}

/**
 * A number for the group of each text, from 0; a text without a group has its own.
 *
 * @internal
 */
export function numbersOfGroups(groups: ArrayLike<GroupName>): Int32Array {
  const numbers = new GroupNumbers();
  return Int32Array.from({ length: groups.length }, (_, text) => numbers.of(groups[text]));
}

/**
 * Texts that share a number.
 *
 * @internal
 */
export class Units {
  readonly #numbers: Int32Array;
  /** Number of texts, and the first of them, by the number that they share. */
  readonly #sizes: Int32Array;
  readonly #first: Int32Array;
  /** The next text with the same number, by text; -1 after the last. */
  readonly #next: Int32Array;

  /** @param numbers - A number for each text, below the number of texts. */
  constructor(numbers: Int32Array) {
    const { length } = numbers;
    this.#numbers = numbers;
    this.#sizes = new Int32Array(length);
    this.#first = new Int32Array(length).fill(-1);
    this.#next = new Int32Array(length).fill(-1);
    for (let text = length - 1; text >= 0; text--) {
      const number = numbers[text]!;
      this.#sizes[number]!++;
      this.#next[text] = this.#first[number]!;
      this.#first[number] = text;
    }
  }

  /** The number of a text. */
  numberOf(text: number): number {
    return this.#numbers[text]!;
  }

  /** How many texts have the number of a text. */
  sizeOf(text: number): number {
    return this.#sizes[this.#numbers[text]!]!;
  }

  /** All texts with the number of a text. */
  textsOf(text: number): number[] {
    const texts: number[] = [];
    for (let at = this.#first[this.#numbers[text]!]!; at >= 0; at = this.#next[at]!) texts.push(at);
    return texts;
  }
}

/** Texts or groups between two pauses. */
const PIECE = 4_096;

/** A group: its texts, and how many of them each of their classes has. */
interface Group {
  texts: number[];
  counts: Map<number, number>;
}

/** Share of the wanted test texts below which a group that is too large is taken too. */
const FAR_TOO_FEW = 0.5;

/**
 * Splits whole groups, in random order: a group is taken for the test if the classes are then closer to their shares,
 * and if each of its classes keeps a text for training. Pauses often.
 *
 * @param groups - A number for the group of each text.
 * @returns the side of each text: 0 for training, 1 for test.
 *
 * @internal
 */
export function* splitGroups(
  {
    labels,
    labelOffsets,
    length,
  }: { labels: ArrayLike<number>; labelOffsets?: ArrayLike<number> | undefined; length: number },
  groups: Int32Array,
  fraction: number,
  random: Random,
): Generator<void, Uint8Array, undefined> {
  const byNumber = new Map<number, Group>();
  const totals = new Map<number, number>();
  for (let text = 0; text < length; text++) {
    if (text % PIECE === 0) yield;
    let group = byNumber.get(groups[text]!);
    if (!group) {
      group = { texts: [], counts: new Map() };
      byNumber.set(groups[text]!, group);
    }
    group.texts.push(text);
    const [from, to] = labelOffsets ? [labelOffsets[text]!, labelOffsets[text + 1]!] : [text, text + 1];
    for (let at = from; at < to; at++) {
      const label = labels[at]!;
      group.counts.set(label, (group.counts.get(label) ?? 0) + 1);
      totals.set(label, (totals.get(label) ?? 0) + 1);
    }
  }
  const isTest = new Uint8Array(length);
  const taken = new Map<number, number>();
  let tests = 0;
  const wanted = Math.max(1, Math.round(length * fraction));
  /** Whether the shares of the classes are closer to the wanted ones with the group. */
  const isCloser = ({ counts }: Group) => {
    let gain = 0;
    for (const [label, count] of counts) {
      const total = totals.get(label)!;
      const lacking = total * fraction - (taken.get(label) ?? 0);
      gain += (lacking ** 2 - (lacking - count) ** 2) / total;
    }
    return gain > 0 || counts.size === 0;
  };
  const leavesAll = ({ counts }: Group) =>
    [...counts].every(([label, count]) => totals.get(label)! - (taken.get(label) ?? 0) > count);
  const take = ({ texts, counts }: Group) => {
    for (const text of texts) isTest[text] = 1;
    for (const [label, count] of counts) taken.set(label, (taken.get(label) ?? 0) + count);
    tests += texts.length;
  };
  const order = random.shuffle([...byNumber.values()]);
  const left: Group[] = [];
  for (const [i, group] of order.entries()) {
    if (i % PIECE === 0) yield;
    if (tests + group.texts.length <= wanted && isCloser(group) && leavesAll(group)) take(group);
    else left.push(group);
  }
  // All others are larger than what is still wanted.
  for (const group of left.sort((a, b) => a.texts.length - b.texts.length)) {
    if (tests >= FAR_TOO_FEW * wanted) break;
    if (tests + group.texts.length < length && leavesAll(group)) take(group);
  }
  return isTest;
}

/** Concatenated texts as numbers. */
interface NumberedTexts {
  readonly tokens: Int32Array;
  readonly offsets: ArrayLike<number>;
}

/** The further numbers of a text that decide whether it is the same as another: its classes, or its tags. */
type NumbersOf = (text: number) => Int32Array;

/**
 * Finds texts that are the same, tokens and classes alike. Yields to the event loop.
 *
 * @param others - What must also be the same.
 * @returns a number for each text, equal for equal texts; undefined if all differ.
 *
 * @internal
 */
export async function sameTexts(
  { tokens, offsets }: NumberedTexts,
  others: NumbersOf,
  turns: Turns,
): Promise<Int32Array | undefined> {
  const length = offsets.length - 1;
  const table = new TextTable(length);
  const numbers = new Int32Array(length);
  let repeated = false;
  const partsOf = (text: number) => [tokens.subarray(offsets[text], offsets[text + 1]), others(text)] as const;
  for (let text = 0; text < length; text++) {
    const parts = partsOf(text);
    const first = table.firstOf(text, parts.map(hashOf).reduce(mixed), (other) => {
      const [ownTokens, ownOthers] = partsOf(other);
      return isSame(ownTokens, parts[0]) && isSame(ownOthers, parts[1]);
    });
    numbers[text] = first;
    if (first !== text) repeated = true;
    if (turns.due) await turns.next();
  }
  return repeated ? numbers : undefined;
}

/**
 * How many texts have the same tokens as a text of another set. Texts with a token for unknown words do not count.
 *
 * @internal
 */
export async function textsIn(
  measured: NumberedTexts,
  learned: NumberedTexts,
  unknown: number,
  turns: Turns,
): Promise<number> {
  const of = ({ tokens, offsets }: NumberedTexts, text: number) => tokens.subarray(offsets[text], offsets[text + 1]);
  const length = learned.offsets.length - 1;
  const table = new TextTable(length);
  for (let text = 0; text < length; text++) {
    const own = of(learned, text);
    table.firstOf(text, hashOf(own), (other) => isSame(of(learned, other), own));
    if (turns.due) await turns.next();
  }
  let count = 0;
  for (let text = 0; text + 1 < measured.offsets.length; text++) {
    const own = of(measured, text);
    if (!own.includes(unknown) && table.has(hashOf(own), (other) => isSame(of(learned, other), own))) count++;
    if (turns.due) await turns.next();
  }
  return count;
}

/** A hash table of texts, by their numbers. */
class TextTable {
  /** The number of a text, plus 1; 0 where there is none. */
  readonly #slots: Int32Array;

  constructor(texts: number) {
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * texts + 2)));
  }

  /** The first text that is the same; the text itself, which is then added, if there is none. */
  firstOf(text: number, hash: number, isEqual: (other: number) => boolean): number {
    const slot = this.#slotOf(hash, isEqual);
    const there = this.#slots[slot]!;
    if (there > 0) return there - 1;
    this.#slots[slot] = text + 1;
    return text;
  }

  has(hash: number, isEqual: (other: number) => boolean): boolean {
    return this.#slots[this.#slotOf(hash, isEqual)]! > 0;
  }

  #slotOf(hash: number, isEqual: (other: number) => boolean): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot]! > 0 && !isEqual(this.#slots[slot]! - 1)) slot = (slot + 1) & mask;
    return slot;
  }
}

/** FNV-1a over 32-bit numbers, mixed so that low bits depend on all. */
function hashOf(numbers: Int32Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < numbers.length; i++) hash = Math.imul(hash ^ numbers[i]!, 0x01000193);
  return mixed(hash, numbers.length);
}

function mixed(a: number, b: number): number {
  let hash = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function isSame(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
