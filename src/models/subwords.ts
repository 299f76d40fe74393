import { constraint, invalidArgument } from '../core/errors.js';
import { custom, flag, integer, type Kind, number, share } from '../core/options/kinds.js';
import { checkNames, option, settingsOf, type TableOf } from '../core/options/table.js';

/**
 * Options of character features: the mean of the vectors of a word's features, in addition to the word's own vector.
 * Features are its character n-grams (including word borders), the whole word and its shape. They are hashed to
 * vectors, so that words with common parts share vectors.
 */
export interface SubwordOptions {
  /** Number of vectors; several features may share one. Default 32,768; 20,000 for classifiers. */
  buckets?: number;
  /** Size of these vectors. Default 64; 32 for classifiers. */
  dim?: number;
  /** Shortest n-gram, in characters. Default 2; 3 for classifiers. */
  minn?: number;
  /** Longest n-gram, in characters, from `minn` to 16; 0 for none. Default 4; 5 for classifiers. */
  maxn?: number;
  /** Whether n-grams are taken from the lowercased word. Default `true`. */
  lowercase?: boolean;
  /**
   * Whether the shape of the word is a feature, such as `Xxxxx` for `Berlin`. Default `true`; `false` for classifiers.
   */
  shape?: boolean;
  /**
   * Weight of the shape in the mean, from 0 to 0.9; the n-grams share the rest. With 0, the shape counts as one n-gram,
   * which is lost among many. Default 0.5; 0 for classifiers.
   */
  shapeShare?: number;
  /**
   * Dropout rate of features in training, drawn independently at each step. The network then learns to read a word from
   * some of its features instead of recognising the word by all of them. Default 0.5; 0 for classifiers.
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
    buckets: option(integer(1, 2 ** 24), {
      default: buckets,
      defaultText: bucketsText,
      help: 'number of vectors of features',
    }),
    dim: option(integer(1, 65_536), { default: dim, help: 'size of these vectors' }),
    minn: option(integer(1, 16), { default: minn, help: 'shortest character n-gram' }),
    maxn: option(integer(0, 16), { default: maxn, help: 'longest character n-gram; 0 for none' }),
    lowercase: option(flag, { default: lowercase, help: 'whether n-grams are taken from the lowercased word' }),
    shape: option(flag, { default: shape, help: 'whether the shape of the word is a feature' }),
    shapeShare: option(number({ from: 0, to: 0.9 }), {
      default: shapeShare,
      help: 'weight of the shape in the mean',
    }),
    dropout: option(share, { default: dropout, help: 'dropout rate of features in training' }),
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
        `${name}.maxn is ${maxn}, but ${name}.minn is ${minn}: the longest n-gram cannot be shorter than the shortest; give 0 for none`,
      );
    return settings;
  });
}

/**
 * Parses the flag of the option `subwords`: the number of vectors, 0 for none.
 *
 * @throws Error whose message says what fits.
 */
export function typedSubwords(text: string): false | SubwordOptions {
  if (!/^\d+$/.test(text)) throw new Error('Expected a whole number of vectors, or 0 for none.');
  return Number(text) === 0 ? false : { buckets: Number(text) };
}
