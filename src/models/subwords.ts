import { constraint, invalidArgument } from '../core/errors.js';
import { custom, flag, integer, type Kind, number, share } from '../core/options/kinds.js';
import { checkNames, option, settingsOf, type TableOf } from '../core/options/table.js';

/**
 * What the characters of a word say about it: the mean of the vectors of its features, beside the word's own vector. Features are runs of
 * its characters, its borders counted, the word as a whole and its shape; they are hashed to the numbers of the vectors, so that words
 * with the same parts share vectors.
 */
export interface SubwordOptions {
  /** Vectors of features; several features may share one. Default 32,768, of a classifier 20,000. */
  buckets?: number;
  /** Size of these vectors. Default 64, of a classifier 32. */
  dim?: number;
  /** Characters of the shortest run. Default 2, of a classifier 3. */
  minn?: number;
  /** Characters of the longest run, from `minn` to 16; 0 for no runs. Default 4, of a classifier 5. */
  maxn?: number;
  /** Whether the runs are those of the word in lower case. Default `true`. */
  lowercase?: boolean;
  /** Whether the shape of the word counts, such as `Xxxxx` for `Berlin`. Default `true`, of a classifier `false`. */
  shape?: boolean;
  /**
   * Share of the mean that the shape has, from 0 to 0.9; the runs share the rest. With 0 the shape counts as one run, and a mean of many
   * runs hides it. Default 0.5, of a classifier 0.
   */
  shapeShare?: number;
  /**
   * Share of the features that are left out in training, each by itself and others at each step. The network then learns to read a word by
   * some of its features, not to recognise the word by all of them. Default 0.5, of a classifier 0.
   */
  dropout?: number;
}

/** {@link SubwordOptions} with every default filled in. */
export type SubwordSettings = Required<SubwordOptions>;

/** The table of {@link SubwordOptions} with the defaults of a task. */
export function subwordTable(defaults: SubwordSettings) {
  const { buckets, dim, minn, maxn, lowercase, shape, shapeShare, dropout } = defaults;
  const bucketsText = buckets.toLocaleString('en-US');
  return {
    buckets: option(integer(1, 2 ** 24), { default: buckets, defaultText: bucketsText, help: 'vectors of features' }),
    dim: option(integer(1, 65_536), { default: dim, help: 'size of these vectors' }),
    minn: option(integer(1, 16), { default: minn, help: 'characters of the shortest run' }),
    maxn: option(integer(0, 16), { default: maxn, help: 'characters of the longest run; 0 for no runs' }),
    lowercase: option(flag, { default: lowercase, help: 'whether the runs are those of the word in lower case' }),
    shape: option(flag, { default: shape, help: 'whether the shape of the word counts' }),
    shapeShare: option(number({ from: 0, to: 0.9 }), {
      default: shapeShare,
      help: 'share of the mean that the shape has',
    }),
    dropout: option(share, { default: dropout, help: 'share of the features that are left out in training' }),
  } as const satisfies TableOf<SubwordOptions>;
}

const EXPECTED = 'true, false or an object of options';

/** The kind of the option `subwords`: true, false, or some of {@link SubwordOptions}. */
export function subwordKind(
  table: ReturnType<typeof subwordTable>,
): Kind<boolean | SubwordOptions, false | SubwordSettings> {
  return custom(EXPECTED, (name, value) => {
    if (typeof value === 'boolean') return value && settingsOf(table, {});
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalidArgument(name, EXPECTED, value);
    checkNames(name, value, table);
    const settings = settingsOf(table, value, `${name}.`);
    const { minn, maxn } = settings;
    if (maxn > 0 && maxn < minn)
      throw constraint(
        `${name}.maxn`,
        `${name}.maxn is ${maxn}, but ${name}.minn is ${minn}: the longest run cannot be shorter than the shortest one; give 0 for no runs`,
      );
    return settings;
  });
}

/**
 * Reads the flag of the option `subwords`: the number of vectors, 0 for none.
 *
 * @throws Error whose message says what fits.
 */
export function typedSubwords(text: string): false | SubwordOptions {
  if (!/^\d+$/.test(text)) throw new Error('Expected a whole number of vectors, or 0 for none.');
  return Number(text) === 0 ? false : { buckets: Number(text) };
}
