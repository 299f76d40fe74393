import { stratifiedFolds, type Together } from '../data/sets/folds.js';

/** One training of a candidate: on some rows, measured on others. */
export interface Part {
  /** Identifier within a search. */
  id: string;
  /** Numbers of the rows to train on. */
  train: Int32Array;
  /** Indices of the rows to measure on, or of separate validation rows if there are any. */
  held: Int32Array;
  /** Added to the seed of the training, so that luck is not repeated. */
  seed: number;
}

/** What stands between the number of training rows and the number of a part that trains on some of them. */
const OF_SOME = ':';

/** Whether a part trains on all rows but those that are held out, by its id. */
export function isWholePart(id: string): boolean {
  return !id.includes(OF_SOME);
}

/** A rung of successive halving: all candidates that are left are measured on the same parts. */
export interface Rung {
  parts: readonly Part[];
}

/** Training rows up to which every candidate sees all of them from the first rung on. */
const ALL_ROWS = 20_000;
/** Training rows on the first rung of a larger set; three times as many on the next. */
const FIRST_ROWS = 8_000;
/** Rows that a part is measured on, at most. */
const MOST_HELD = 10_000;
/** Parts that a candidate has been measured on at the end of each rung. */
const PARTS = [1, 3, 5, 10, 20];
/** Rungs of {@link PARTS} where a number of trials ends the search; the further ones are for those who have time. */
const RUNGS_BY_COUNT = 3;
/** Training rows above which one part is as good as several, whose row numbers would take much memory. */
const MANY_ROWS = 200_000;

/** Evenly thinned out to `most` elements. */
function thinned(rows: Int32Array, most: number): Int32Array {
  if (rows.length <= most) return rows;
  const step = rows.length / most;
  return Int32Array.from({ length: most }, (_, at) => rows[Math.floor(at * step)]!);
}

/** What the rungs of a search are made of. */
export interface RungOptions {
  /** The class of each row, or the set of its classes. */
  classes: Int32Array;
  /** Rows that are trained on together or held out together. Default: none. */
  together?: Together | undefined;
  /** Number of separate validation rows; if 0, rows are held out in turn. */
  validationRows: number;
  /** The share of the rows that is held out. */
  share: number;
  seed: number;
  /** Whether a number of trials ends the search, and not the clock. */
  counted: boolean;
}

/**
 * The rungs of a search. Up to some ten thousand rows, a rung adds parts: other rows that are held out, then another division of all rows. With more
 * rows, the first rungs train on some of them.
 */
export function rungsOf({ classes, together, validationRows, share, seed, counted }: RungOptions): Rung[] {
  const separate = together?.groups ? new Set(together.groups).size : classes.length;
  const folds = Math.max(2, Math.min(Math.round(1 / share), separate));
  const divisions: Int32Array[] = [];
  const all = Int32Array.from(classes.keys());
  const own = Int32Array.from({ length: validationRows }, (_, row) => row);
  const part = (index: number, most: number, prefix: string): Part => {
    const id = `${prefix}${index}`;
    if (validationRows > 0) return { id, train: thinned(all, most), held: thinned(own, MOST_HELD), seed: index };
    const repeat = Math.floor(index / folds);
    divisions[repeat] ??= stratifiedFolds(classes, folds, seed + repeat, together);
    const fold = index % folds;
    const held = all.filter((row) => divisions[repeat]![row] === fold);
    const train = all.filter((row) => divisions[repeat]![row] !== fold);
    return { id, train: thinned(train, most), held: thinned(held, MOST_HELD), seed: index };
  };
  const parts = (count: number, most: number, prefix = '') =>
    Array.from({ length: count }, (_, index) => part(index, most, prefix));
  const rows = validationRows > 0 ? classes.length : classes.length * (1 - 1 / folds);
  const rungs: Rung[] = [];
  for (let most = FIRST_ROWS; rows > ALL_ROWS && most < rows; most *= 3)
    rungs.push({ parts: parts(1, most, `${most}${OF_SOME}`) });
  const counts = rows > MANY_ROWS ? [1] : counted ? PARTS.slice(0, RUNGS_BY_COUNT) : PARTS;
  for (const count of counts) rungs.push({ parts: parts(count, Number.POSITIVE_INFINITY) });
  return rungs;
}
