import { checkFlag, checkInteger, checkIterable } from '../core/checks.js';
import { constraint, invalidArgument } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import { compareCodePoints, mergeSort } from './codePointOrder.js';
import { Vocab } from './vocab.js';

/** Options for building a {@link Vocab} from counted tokens. */
export interface VocabOptions {
  /** A token that was seen less often is left out. A positive integer, default 1: all are kept. */
  minFreq?: number | undefined;
  /** Largest size of the vocabulary, specials included, as torchtext counts it; the rarest are left out. Default: no limit. */
  maxTokens?: number | undefined;
  /** Tokens that are in any case, in this order. Default `['<unk>', '<pad>']`. */
  specials?: readonly string[] | undefined;
  /** Whether the specials come first (the default) or last. */
  specialFirst?: boolean | undefined;
  /** The special that stands for unknown tokens; default `'<unk>'` where the specials have it. Null for none. */
  unkToken?: string | null | undefined;
  /** The special that fills up short texts; default `'<pad>'` where the specials have it. Null for none. */
  padToken?: string | null | undefined;
}

/** Names of {@link VocabOptions}, for checks of options that contain them. */
export const VOCAB_OPTION_NAMES = ['minFreq', 'maxTokens', 'specials', 'specialFirst', 'unkToken', 'padToken'] as const;

/** {@link VocabOptions} with the defaults filled in. */
interface CheckedVocabOptions {
  minFreq: number;
  maxTokens: number;
  specials: readonly string[];
  specialFirst: boolean;
  unkToken: string | null;
  padToken: string | null;
}

/** A vocabulary and how the numbers of the tokens that were counted map to its indices. */
export interface BuiltVocab {
  vocab: Vocab;
  /** For each number that `intern` gave out, the index in the vocabulary, or -1 for a token that was left out. */
  indices: Int32Array;
}

/**
 * Counts tokens bit by bit and makes a {@link Vocab} of them.
 *
 * @example
 * ```ts
 * const builder = new VocabBuilder();
 * for await (const { text } of readCsv('news.csv', { text: 'title', label: 'topic' })) builder.add(basicEnglish(text));
 * const vocab = builder.build({ minFreq: 2 });
 * ```
 */
export class VocabBuilder {
  readonly #numbers = new Map<string, number>();
  readonly #tokens: string[] = [];
  #counts = new Float64Array(1024);

  /** Number of different tokens so far. */
  get size(): number {
    return this.#tokens.length;
  }

  /** How often each token was seen, in order of first appearance. */
  *counts(): Generator<[token: string, count: number], void, undefined> {
    for (const [number, token] of this.#tokens.entries()) yield [token, this.#counts[number]!];
  }

  /**
   * Counts the tokens of one text.
   *
   * @throws {@link ArgumentError} for a string in place of its tokens, or if a token is not a string.
   */
  add(tokens: Iterable<string>): this {
    checkIterable('tokens', tokens, 'an iterable of tokens');
    for (const token of tokens) this.intern(token);
    return this;
  }

  /**
   * Counts one token, `count` times (an integer of at least 0, default 1).
   *
   * @throws {@link ArgumentError} for another count or a token that is not a string.
   */
  addToken(token: string, count = 1): this {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw invalidArgument(`count of ${JSON.stringify(token)}`, 'a non-negative integer', count);
    }
    const number = this.intern(token);
    this.#counts[number]! += count - 1;
    return this;
  }

  /**
   * Counts one token and returns its number: 0 for the first different token, 1 for the next.
   *
   * @internal
   */
  intern(token: string): number {
    let number = this.#numbers.get(token);
    if (number === undefined) {
      if (typeof token !== 'string') throw invalidArgument('token', 'a string', token);
      number = this.#tokens.length;
      const own = ownCopy(token);
      this.#tokens.push(own);
      this.#numbers.set(own, number);
      if (number === this.#counts.length) {
        const grown = new Float64Array(2 * number);
        grown.set(this.#counts);
        this.#counts = grown;
      }
    }
    this.#counts[number]!++;
    return number;
  }

  /**
   * Makes the vocabulary: specials, then tokens by descending frequency, ties by code point. A counted token that equals a
   * special keeps the special's place. The builder can count on and build again.
   *
   * @throws {@link ArgumentError} for invalid options.
   */
  build(options: VocabOptions = {}): Vocab {
    checkOptionNames('a vocabulary', options, VOCAB_OPTION_NAMES);
    const steps = this.buildInSteps(options);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value.vocab;
    }
  }

  /**
   * {@link build} that pauses every millisecond or so: sorting 100,000 words takes longer than an event loop should wait.
   *
   * @internal
   */
  *buildInSteps(options: VocabOptions): Generator<void, BuiltVocab, undefined> {
    const { minFreq, maxTokens, specials, specialFirst, unkToken, padToken } = checkVocabOptions(options);
    const counts = this.#counts;
    const tokens = this.#tokens;
    const isSpecial = new Set(specials);
    const kept = new Uint32Array(tokens.length);
    let size = 0;
    let plain = true;
    for (let number = 0; number < tokens.length; number++) {
      if (number % 8192 === 8191) yield;
      const token = tokens[number]!;
      if (counts[number]! < minFreq || counts[number] === 0 || isSpecial.has(token)) continue;
      kept[size++] = number;
      // Below the surrogates both orders agree, and the engine's own comparison is several times as fast.
      plain &&= !/[\ud800-\uffff]/.test(token);
    }
    const compareTokens = plain ? (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0) : compareCodePoints;
    const sorted = yield* mergeSort(
      kept.slice(0, size),
      (a, b) => counts[b]! - counts[a]! || compareTokens(tokens[a]!, tokens[b]!),
    );
    const words = sorted.subarray(0, Math.max(0, maxTokens - specials.length));

    const itos: string[] = [];
    const stoi = new Map<string, number>();
    const indices = new Int32Array(tokens.length).fill(-1);
    const addSpecials = () => {
      for (const token of specials) {
        stoi.set(token, itos.length);
        const number = this.#numbers.get(token);
        if (number !== undefined) indices[number] = itos.length;
        itos.push(token);
      }
    };
    if (specialFirst) addSpecials();
    for (let i = 0; i < words.length; i++) {
      if (i % 8192 === 8191) yield;
      const number = words[i]!;
      stoi.set(tokens[number]!, itos.length);
      indices[number] = itos.length;
      itos.push(tokens[number]!);
    }
    if (!specialFirst) addSpecials();
    return { vocab: Vocab.fromParts(itos, stoi, { specials, unkToken, padToken }), indices };
  }
}

/**
 * Builds a vocabulary from texts that are already split (torchtext's `build_vocab_from_iterator`).
 *
 * @param tokens - The tokens of each text.
 * @param options - See {@link VocabOptions}.
 * @throws {@link ArgumentError} for invalid options, or if an element is a string instead of tokens.
 *
 * @example
 * ```ts
 * const vocab = buildVocabFromIterator(texts.map((text) => ngramsIterator(basicEnglish(text), 2)), { minFreq: 2 });
 * ```
 */
export function buildVocabFromIterator(tokens: Iterable<Iterable<string>>, options: VocabOptions = {}): Vocab {
  checkOptionNames('buildVocabFromIterator', options, VOCAB_OPTION_NAMES);
  checkVocabOptions(options);
  const builder = new VocabBuilder();
  const expected = 'an iterable of lists of tokens';
  checkIterable('tokens', tokens, expected);
  for (const text of tokens) {
    checkIterable('tokens', text, expected);
    builder.add(text);
  }
  return builder.build(options);
}

/**
 * Builds a vocabulary from counts (torchtext's `vocab(counter)`; here the order is by frequency in any case).
 *
 * @param counter - How often each token was seen: a Map or pairs.
 * @param options - See {@link VocabOptions}.
 * @throws {@link ArgumentError} for options or counts that do not fit.
 *
 * @example
 * ```ts
 * vocabFromCounter(new Map([['b', 2], ['a', 5]])).itos; // ['<unk>', '<pad>', 'a', 'b']
 * ```
 */
export function vocabFromCounter(counter: Iterable<readonly [string, number]>, options: VocabOptions = {}): Vocab {
  const builder = new VocabBuilder();
  const expected = 'a Map or pairs of a token and its count';
  checkIterable('counter', counter, expected);
  for (const pair of counter) {
    if (!Array.isArray(pair)) throw invalidArgument('counter', expected, pair);
    builder.addToken(pair[0], pair[1]);
  }
  return builder.build(options);
}

/**
 * Checks {@link VocabOptions} and fills in the defaults; `maxTokens` becomes infinite where there is none.
 *
 * @internal
 */
export function checkVocabOptions(options: VocabOptions): CheckedVocabOptions {
  const {
    minFreq = 1,
    maxTokens = Number.POSITIVE_INFINITY,
    specials = ['<unk>', '<pad>'],
    specialFirst = true,
  } = options;
  checkInteger('minFreq', minFreq, 1);
  if (!Array.isArray(specials) || specials.some((token) => typeof token !== 'string')) {
    throw invalidArgument('specials', 'an array of strings', specials);
  }
  const twice = specials.find((token, i) => specials.indexOf(token) < i);
  if (twice !== undefined) {
    throw constraint('specials', `Expected distinct specials but ${JSON.stringify(twice)} appears twice`);
  }
  if (
    maxTokens !== Number.POSITIVE_INFINITY &&
    (!Number.isSafeInteger(maxTokens) || maxTokens < Math.max(1, specials.length))
  ) {
    throw invalidArgument(
      'maxTokens',
      `an integer of at least ${Math.max(1, specials.length)}, for the specials count`,
      maxTokens,
    );
  }
  checkFlag('specialFirst', specialFirst);
  const named = (name: string, given: string | null | undefined, usual: string) => {
    if (given === undefined) return specials.includes(usual) ? usual : null;
    if (given !== null && !specials.includes(given)) throw invalidArgument(name, 'one of the specials or null', given);
    return given;
  };
  return {
    minFreq,
    maxTokens,
    specials,
    specialFirst,
    unkToken: named('unkToken', options.unkToken, '<unk>'),
    padToken: named('padToken', options.padToken, '<pad>'),
  };
}

/** Copies a token that may be a view into its text, which it would otherwise keep in memory. */
function ownCopy(token: string): string {
  // V8 makes views of 13 characters or more; shorter slices are copies already.
  return token.length < 13 ? token : Buffer.from(token, 'utf16le').toString('utf16le');
}
