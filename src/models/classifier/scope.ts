import { type ArgumentError, constraint, ModelFileError } from '../../core/errors.js';
import type { EncodedDataset } from '../../data/sets/encoded.js';
import type { Engine } from '../../engine/engine.js';
import { rowsPerBlock } from '../blocks.js';

/** How strange each of some texts looks to a model, in three ways; a larger number is stranger. */
export interface Signals {
  /** Share of the tokens that the model does not know, from 0 to 1. */
  unknown: Float64Array;
  /** Entropy of the probabilities, in nats. */
  entropy: Float64Array;
  /**
   * Free energy of the network's scores before softmax, `-log(sum(exp(score)))` (Liu et al., Energy-based Out-of-distribution Detection, 2020); where a
   * text may have several labels, `-sum(log(1 + exp(score)))` (Wang et al. 2021). Undefined without a network.
   */
  energy: Float64Array | undefined;
}

/** What the validation texts of a training looked like: plain data that the model's file keeps. */
export interface Scope {
  /** How many validation rows there were. */
  rows: number;
  /** Of each signal the values that a share of `2 ** (-k / 4)` of these rows reaches, for k from 0 on. */
  unknown: readonly number[];
  entropy: readonly number[];
  energy?: readonly number[] | undefined;
  /** The strangeness above which a text is out of scope: one in twenty validation rows has more, at most. */
  limit: number;
}

/** Share of the validation rows that is flagged, at most. */
const FALSE_ALARMS = 0.05;
/** Fewer rows do not tell where one in twenty begins. */
const FEWEST_ROWS = 20;
/** Levels between a share of the rows and half of it. */
const PER_HALVING = 4;
/** Levels at most: the last one is reached by one row in 65,536. */
const MOST_LEVELS = 65;
/** Digits that levels and limits are kept with. */
const DIGITS = 6;
/**
 * How much each signal counts. On held-out labels of banking77 the entropy finds most, on other sets' texts the unknown words do; without the energy
 * fewer texts of banking77 are found by a model of Snips.
 */
const WEIGHTS = { unknown: 1, entropy: 2, energy: 1 };

const NAMES = ['unknown', 'entropy', 'energy'] as const;

/** Entropy of a text's probabilities; where it may have several labels, the sum of those of its labels. */
export function entropyOf(probabilities: Float32Array, multiLabel: boolean): number {
  const term = (p: number) => (p > 0 ? -p * Math.log(p) : 0);
  let sum = 0;
  for (const p of probabilities) sum += multiLabel ? term(p) + term(1 - p) : term(p);
  return sum;
}

/** Free energy of a text's scores before softmax, as {@link Signals.energy}. */
export function energyOf(scores: Float32Array, multiLabel: boolean): number {
  if (multiLabel) {
    let sum = 0;
    for (const score of scores) sum += Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score)));
    return -sum;
  }
  let most = Number.NEGATIVE_INFINITY;
  for (const score of scores) most = Math.max(most, score);
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - most);
  return -(most + Math.log(sum));
}

/** Energies of some rows. */
export async function energiesOf(
  engine: { rawScores: Engine['scores'] },
  dataset: EncodedDataset,
  multiLabel: boolean,
): Promise<Float64Array> {
  const { length, tokens, offsets, classes } = dataset;
  const lengths = dataset.lengths();
  const energies = new Float64Array(length);
  const block = Math.min(1_024, rowsPerBlock(classes.length));
  for (let from = 0; from < length; from += block) {
    const to = Math.min(length, from + block);
    const scores = await engine.rawScores(tokens.subarray(offsets[from], offsets[to]), lengths.subarray(from, to));
    for (let row = from; row < to; row++) {
      const start = (row - from) * classes.length;
      energies[row] = energyOf(scores.subarray(start, start + classes.length), multiLabel);
    }
  }
  return energies;
}

/** The share of each row's tokens that is unknown. */
export function unknownShares({ length, tokens, offsets }: EncodedDataset, unknown: number): Float64Array {
  return Float64Array.from({ length }, (_, row) => {
    const [from, to] = [offsets[row]!, offsets[row + 1]!];
    let count = 0;
    for (let at = from; at < to; at++) if (tokens[at] === unknown) count++;
    return to > from ? count / (to - from) : 1;
  });
}

const rounded = (value: number) => Number(value.toPrecision(DIGITS));

/** The values that smaller and smaller shares of the rows reach. */
function levelsOf(values: Float64Array): number[] {
  const falling = values.slice().sort().reverse();
  const levels: number[] = [];
  for (let k = 0; k < MOST_LEVELS; k++) {
    const reached = Math.floor(falling.length * 2 ** (-k / PER_HALVING));
    if (reached < 1) break;
    levels.push(rounded(falling[reached - 1]!));
  }
  return levels;
}

/** How rarely a value is reached, in levels: -4 log2 of the share of rows that reach it. */
function rarity(levels: readonly number[], value: number): number {
  const above = levels.findIndex((level) => level >= value);
  if (above < 0) return levels.length;
  if (above === 0) return 0;
  const [low, high] = [levels[above - 1]!, levels[above]!];
  return above - 1 + (value - low) / (high - low);
}

/**
 * How strange a text is: the sum of how rarely its signals are reached, weighed; Fisher's method of putting tests together (1925).
 */
function strangeness(scope: Omit<Scope, 'limit'>, signals: Signals, row: number): number {
  let sum = 0;
  for (const name of NAMES) {
    const [levels, values] = [scope[name], signals[name]];
    if (levels && values) sum += WEIGHTS[name] * rarity(levels, values[row]!);
  }
  return sum;
}

/** What validation rows look like; undefined for too few of them. */
export function scopeOf(signals: Signals): Scope | undefined {
  const rows = signals.unknown.length;
  if (rows < FEWEST_ROWS) return undefined;
  const levels = {
    rows,
    unknown: levelsOf(signals.unknown),
    entropy: levelsOf(signals.entropy),
    ...(signals.energy && { energy: levelsOf(signals.energy) }),
  };
  const all = Float64Array.from({ length: rows }, (_, row) => strangeness(levels, signals, row)).sort();
  return { ...levels, limit: rounded(all[Math.ceil((1 - FALSE_ALARMS) * rows) - 1]!) };
}

/** Whether a text looks unlike those of the training, by the place of its signals. */
export function isOutOfScope(scope: Scope, signals: Signals, row: number): boolean {
  // The limit is rounded, and what validation rows have most often gives no alarm.
  return strangeness(scope, signals, row) > scope.limit * (1 + 10 ** (1 - DIGITS));
}

/** Why a model cannot tell what is out of scope. */
export function withoutScope(compressed: boolean): ArgumentError {
  const why = compressed
    ? 'this model is compressed, which changes its scores, so what was measured on validation rows was left out: ask the whole model'
    : `this model was not measured on validation rows: train it with validation, of at least ${FEWEST_ROWS} rows`;
  return constraint('outOfScope', `outOfScope needs to know what texts of the training look like; ${why}`);
}

function areLevels(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_LEVELS) return false;
  return value.every((level, at) => Number.isFinite(level) && (at === 0 || level >= value[at - 1]));
}

/**
 * What a file says of the scope of its model, checked; undefined for a file that says nothing.
 *
 * @throws ModelFileError `INVALID_FILE`
 */
export function checkedScope(value: unknown): Scope | undefined {
  if (value === undefined) return undefined;
  const { rows, limit, unknown, entropy, energy } = Object(value) as Partial<Record<keyof Scope, unknown>>;
  const fits =
    Number.isSafeInteger(rows) &&
    Number.isFinite(limit) &&
    areLevels(unknown) &&
    areLevels(entropy) &&
    (energy === undefined || areLevels(energy));
  if (!fits) throw new ModelFileError('INVALID_FILE', 'what it says about the look of its validation rows is damaged');
  return value as Scope;
}
