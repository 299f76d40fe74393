import { counted } from '../../core/counted.js';
import { DataError } from '../../core/errors.js';
import type { Turns } from '../../core/turns.js';
import { positionOf } from '../../data/readers/rows.js';
import type { Chunk } from '../../engine/engine.js';
import type { SequenceUnitName, Units } from '../../text/units/index.js';
import type { TrainingSet } from '../../training/task.js';
import { type CollectedPairs, placeOf } from './pairs.js';

/** Concatenated sequences of numbers. */
export interface Sequences {
  units: Int32Array;
  /** Where each begins, followed by the number of units. */
  starts: Uint32Array;
}

/** Selected sequences, in the given order. */
export function pickSequences({ units, starts }: Sequences, indices: ArrayLike<number>): Sequences {
  const picked = new Uint32Array(indices.length + 1);
  for (let i = 0; i < indices.length; i++) picked[i + 1] = picked[i]! + starts[indices[i]! + 1]! - starts[indices[i]!]!;
  const all = new Int32Array(picked[indices.length]!);
  for (let i = 0; i < indices.length; i++)
    all.set(units.subarray(starts[indices[i]!], starts[indices[i]! + 1]), picked[i]);
  return { units: all, starts: picked };
}

/** The length of each sequence. */
export function lengthsOf({ starts }: Sequences): Int32Array {
  return Int32Array.from({ length: starts.length - 1 }, (_, i) => starts[i + 1]! - starts[i]!);
}

/** The length of the longest sequence. */
export function longestOf(sequences: Sequences): number {
  return lengthsOf(sequences).reduce((most, length) => Math.max(most, length), 0);
}

/** Pairs as numbers. */
export class PairDataset implements TrainingSet {
  readonly source: Sequences;
  /** Each ends with the end unit. */
  readonly target: Sequences;

  constructor(source: Sequences, target: Sequences) {
    this.source = source;
    this.target = target;
  }

  get length(): number {
    return this.source.starts.length - 1;
  }

  /** Units of both sides together, so that pairs of a batch take equally long. */
  lengths(): Int32Array {
    const target = lengthsOf(this.target);
    return lengthsOf(this.source).map((length, i) => length + target[i]!);
  }

  /** The pairs with these numbers, in their order. */
  gather(indices: ArrayLike<number>): Omit<Chunk, 'batchSizes'> {
    const source = pickSequences(this.source, indices);
    const target = pickSequences(this.target, indices);
    return { tokens: source.units, lengths: lengthsOf(source), targets: target.units, targetStarts: target.starts };
  }
}

/** How one side of pairs is read. */
export interface Side {
  name: 'source' | 'target';
  units: Units<SequenceUnitName>;
  /** Most units of a sequence. */
  maxLength: number;
}

/**
 * Makes numbers of one side of pairs; targets get the end unit.
 *
 * @throws {@link DataError} `INVALID_ROW` for a side without units, or with more than `maxLength`.
 */
export async function encodeSide(
  pairs: CollectedPairs,
  { name, units, maxLength }: Side,
  turns: Turns,
): Promise<Sequences> {
  const texts = name === 'source' ? pairs.sources : pairs.targets;
  const parts: Int32Array[] = [];
  const starts = new Uint32Array(texts.length + 1);
  const extra = name === 'target' ? 1 : 0;
  for (const [pair, text] of texts.entries()) {
    const numbers = await units.encode(text, turns);
    const { length } = numbers;
    if (length === 0 || length > maxLength) {
      const place = pairs.lines[pair]! > 0 ? '' : `${placeOf(pairs, pair)}: `;
      const what =
        length === 0
          ? `the ${name} has no unit`
          : `the ${name} has ${counted(length, 'unit')}, more than maxLength, ${maxLength.toLocaleString('en-US')}: remove the pair, or raise maxLength`;
      const position = positionOf(pairs.origin, pairs.rows[pair]! + 1, pairs.lines[pair] || undefined);
      throw new DataError('INVALID_ROW', place + what, position);
    }
    parts.push(numbers);
    starts[pair + 1] = starts[pair]! + length + extra;
    if (turns.due) await turns.next();
  }
  const all = new Int32Array(starts[texts.length]!).fill(units.end);
  for (const [pair, numbers] of parts.entries()) {
    all.set(numbers, starts[pair]);
    if (turns.due) await turns.next();
  }
  return { units: all, starts };
}
