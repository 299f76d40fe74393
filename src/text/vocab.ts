import type { light } from '../../index.d.js';
import { ArgumentError, DataError, invalidArgument } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';

/** What {@link Vocab.toJSON} gives: plain data for `JSON.stringify`. */
export interface VocabJSON {
  /** All tokens, the one with index 0 first. */
  tokens: string[];
  /** The tokens that are there in any case, whatever the texts have. */
  specials: string[];
  /** Token that stands for every unknown one, or null if there is none. */
  unkToken: string | null;
  /** Token that fills up short texts, or null if there is none. */
  padToken: string | null;
}

/** Options of {@link Vocab.fromTokens}. */
export interface VocabTokenOptions {
  /** Which tokens are there in any case, whatever the texts have; default the unknown and the padding token. */
  specials?: readonly string[] | undefined;
  /** Token whose index stands for unknown tokens; default `'<unk>'` where the list has it. Null for none. */
  unkToken?: string | null | undefined;
  /** Token that fills up short texts; default `'<pad>'` where the list has it. Null for none. */
  padToken?: string | null | undefined;
}

/** Tokens in the order of their indices, and the way back. */
interface Lists {
  tokens: readonly string[];
  indices: ReadonlyMap<string, number>;
}

/**
 * The tokens that a model knows, each with its index.
 *
 * Built by `buildVocabFromIterator`, `vocabFromCounter` or `VocabBuilder` from counted tokens, or by
 * {@link Vocab.fromTokens} and {@link Vocab.fromJSON} from a list. It does not change afterwards.
 *
 * @example
 * ```ts
 * const vocab = buildVocabFromIterator(texts.map(basicEnglish), { minFreq: 2 });
 * const ids = vocab.encode(basicEnglish('Oil prices soar'));
 * vocab.decode(ids); // ['oil', 'prices', '<unk>']
 * ```
 */
export class Vocab {
  /** The tokens as JavaScript has them; those of a model file, and those that the addon counted, are made when they are asked for. */
  #lists: Lists | undefined;
  #native: light.NativeVocabulary | undefined;
  /**
   * Look-ups after which the lists are made: asking the addon for a token takes four times as long. Never for a model file, whose
   * texts the addon reads or few look-ups are made for.
   */
  #patience = Number.POSITIVE_INFINITY;
  /** Index that stands for unknown tokens, or undefined if there is none. */
  readonly defaultIndex: number | undefined;
  /** Index of the padding token, or undefined if there is none. */
  readonly padIndex: number | undefined;
  /** The tokens that are there in any case, whatever the texts have. */
  readonly specials: readonly string[];

  private constructor(tokens: Lists | light.NativeVocabulary, options: VocabTokenOptions) {
    if ('indices' in tokens) this.#lists = tokens;
    else this.#native = tokens;
    this.defaultIndex = this.#special('unkToken', '<unk>', options.unkToken);
    this.padIndex = this.#special('padToken', '<pad>', options.padToken);
    const marked = [this.defaultIndex, this.padIndex].filter((index) => index !== undefined);
    this.specials = [...(options.specials ?? marked.map((index) => this.lookupToken(index)))];
    const absent = this.specials.find((token) => !this.has(token));
    if (absent !== undefined) throw invalidArgument('specials', 'tokens of the vocabulary', absent);
  }

  /**
   * Makes a vocabulary from all its tokens in order of their indices.
   *
   * @throws {@link ArgumentError} if `tokens` is not a list of distinct strings, or if a token named in the options is
   * not in it.
   *
   * @example
   * ```ts
   * Vocab.fromTokens(['<unk>', 'a', 'b'], { unkToken: '<unk>' }).get('z'); // 0
   * ```
   */
  static fromTokens(tokens: Iterable<string>, options: VocabTokenOptions = {}): Vocab {
    checkOptionNames('Vocab.fromTokens', options, ['specials', 'unkToken', 'padToken']);
    if (typeof tokens === 'string' || tokens === null || typeof tokens?.[Symbol.iterator] !== 'function') {
      throw invalidArgument('tokens', 'an iterable of strings', tokens);
    }
    return Vocab.#of([...tokens], options);
  }

  /** Like {@link fromTokens}, with a list that the caller will not change. */
  static #of(list: readonly string[], options: VocabTokenOptions): Vocab {
    const indices = new Map<string, number>();
    for (let index = 0; index < list.length; index++) {
      const token = list[index]!;
      if (typeof token !== 'string') throw invalidArgument(`tokens[${index}]`, 'a string', token);
      const earlier = indices.get(token);
      if (earlier !== undefined) {
        throw new ArgumentError(
          'INVALID_ARGUMENT',
          `Expected different tokens but ${JSON.stringify(token)} stands at ${earlier} and at ${index}`,
        );
      }
      indices.set(token, index);
    }
    return new Vocab({ tokens: list, indices }, options);
  }

  /**
   * Reads what {@link toJSON} gave.
   *
   * @param json - The object, already parsed.
   * @throws {@link DataError} with code `INVALID_FILE` if it is something else.
   */
  static fromJSON(json: unknown): Vocab {
    const tokens = (json as Partial<VocabJSON> | null | undefined)?.tokens;
    return Vocab.adopt(Array.isArray(tokens) ? { ...(json as VocabJSON), tokens: [...tokens] } : json);
  }

  /**
   * Like {@link fromJSON} for an object that the caller gives away: its list of tokens becomes the vocabulary's.
   *
   * @internal
   */
  static adopt(json: unknown): Vocab {
    return Vocab.#described(json, Vocab.#of);
  }

  /**
   * As {@link adopt}, with tokens that the addon read: the object's own list is not looked at.
   *
   * @internal
   */
  static adoptNative(json: unknown, native: light.NativeVocabulary): Vocab {
    return Vocab.#described(json, (_, options) => new Vocab(native, options));
  }

  static #described(json: unknown, make: (tokens: string[], options: VocabTokenOptions) => Vocab): Vocab {
    const { tokens, specials, unkToken = null, padToken = null } = (json ?? {}) as Partial<VocabJSON>;
    const nameOrNull = (value: unknown) => value === null || typeof value === 'string';
    if (!Array.isArray(tokens) || !isStrings(specials ?? []) || !nameOrNull(unkToken) || !nameOrNull(padToken)) {
      throw new DataError(
        'INVALID_FILE',
        'Not a vocabulary: expected an object with tokens, specials, unkToken and padToken',
      );
    }
    try {
      return make(tokens, { specials, unkToken, padToken });
    } catch (cause) {
      if (!(cause instanceof ArgumentError)) throw cause;
      throw new DataError('INVALID_FILE', `Not a vocabulary: ${cause.message}`, {}, { cause });
    }
  }

  /**
   * Wraps tokens that the addon counted.
   *
   * @internal
   */
  static fromNative(native: light.NativeVocabulary, options: VocabTokenOptions): Vocab {
    const vocab = new Vocab(native, options);
    vocab.#patience = vocab.size >> 3;
    return vocab;
  }

  /**
   * Wraps lists that {@link VocabBuilder} made and will not touch again.
   *
   * @internal
   */
  static fromParts(tokens: readonly string[], indices: ReadonlyMap<string, number>, options: VocabTokenOptions): Vocab {
    return new Vocab({ tokens, indices }, options);
  }

  /**
   * A vocabulary with further tokens after its own. Pauses now and then.
   *
   * @param more - Tokens that it does not have, each once.
   * @internal
   */
  static *extended(vocab: Vocab, more: readonly string[]): Generator<void, Vocab, undefined> {
    if (more.length === 0) return vocab;
    const tokens: string[] = [];
    const indices = new Map<string, number>();
    for (const list of [vocab.itos, more]) {
      for (const token of list) {
        indices.set(token, tokens.length);
        tokens.push(token);
        if (tokens.length % 8192 === 0) yield;
      }
    }
    const name = (index: number | undefined) => (index === undefined ? null : tokens[index]!);
    const { specials, defaultIndex, padIndex } = vocab;
    return Vocab.fromParts(tokens, indices, { specials, unkToken: name(defaultIndex), padToken: name(padIndex) });
  }

  /** The tokens with their indices, as JavaScript's strings: some 15 MB for 100,000. */
  get #made(): Lists {
    const native = this.#native;
    if (!this.#lists) {
      const tokens = native!.tokens(0, native!.size);
      this.#lists = { tokens, indices: new Map(tokens.map((token, index) => [token, index])) };
    }
    return this.#lists;
  }

  /** Whether some look-ups are better made in JavaScript's lists. */
  #preferLists(lookups: number): boolean {
    this.#patience -= lookups;
    return this.#lists !== undefined || this.#patience < 0;
  }

  /** Index of a token that is in the vocabulary, else undefined. */
  #find(token: string): number | undefined {
    if (this.#preferLists(1)) return this.#made.indices.get(token);
    // A value that is not a string is not a token.
    const index = typeof token === 'string' ? this.#native!.get(token) : -1;
    return index < 0 ? undefined : index;
  }

  #special(option: string, usual: string, given: string | null | undefined): number | undefined {
    if (given === null) return undefined;
    const index = this.#find(given ?? usual);
    if (index === undefined && given !== undefined)
      throw invalidArgument(option, 'a token of the vocabulary or null', given);
    return index;
  }

  /**
   * The tokens as the addon keeps them, if it does.
   *
   * @internal
   */
  get native(): light.NativeVocabulary | undefined {
    return this.#native;
  }

  /**
   * Lets the addon look tokens up, too.
   *
   * @param native - The same tokens in the same order.
   * @internal
   */
  attach(native: light.NativeVocabulary): void {
    this.#native = native;
  }

  /** Number of tokens, specials included: the first size of the embedding. */
  get size(): number {
    return this.#lists?.tokens.length ?? this.#native!.size;
  }

  /** Same as {@link size}. */
  get length(): number {
    return this.size;
  }

  /** All tokens in order of their indices (torchtext's `get_itos()`). */
  get itos(): readonly string[] {
    return this.#made.tokens;
  }

  /** Index of every token (torchtext's `get_stoi()`). */
  get stoi(): ReadonlyMap<string, number> {
    return this.#made.indices;
  }

  /** Tells whether the token is in the vocabulary. */
  has(token: string): boolean {
    return this.#find(token) !== undefined;
  }

  /**
   * Index of a token, that of the unknown token where it is not in the vocabulary.
   *
   * @throws {@link ArgumentError} with code `OUT_OF_RANGE` if the token is not there and the vocabulary has no unknown token.
   */
  get(token: string): number {
    const index = this.#find(token) ?? this.defaultIndex;
    if (index === undefined) {
      throw new ArgumentError(
        'OUT_OF_RANGE',
        `Token ${JSON.stringify(token)} is not in the vocabulary, which has no token for unknown ones: build it with '<unk>' among its specials`,
      );
    }
    return index;
  }

  /**
   * Indices of tokens, as {@link get} gives them. No tokens give no indices.
   *
   * @returns A new array, `[tokens.length]`.
   *
   * @example
   * ```ts
   * [...Vocab.fromTokens(['a', 'b']).encode(['b', 'a'])]; // [1, 0]
   * ```
   */
  encode(tokens: readonly string[]): Int32Array {
    if (!this.#preferLists(tokens.length)) {
      const ids = this.#native!.encode(tokens);
      for (let i = 0; i < ids.length; i++) if (ids[i]! < 0) ids[i] = this.defaultIndex ?? this.get(tokens[i]!);
      return ids;
    }
    const { indices } = this.#made;
    const ids = new Int32Array(tokens.length);
    for (let i = 0; i < ids.length; i++) {
      ids[i] = indices.get(tokens[i]!) ?? this.defaultIndex ?? this.get(tokens[i]!);
    }
    return ids;
  }

  /** The same as {@link encode} under torchtext's name, as an array of numbers. */
  lookupIndices(tokens: readonly string[]): number[] {
    return Array.from(this.encode(tokens));
  }

  /**
   * The token with an index.
   *
   * @throws {@link ArgumentError} with code `OUT_OF_RANGE` if there is no such index.
   */
  lookupToken(index: number): string {
    const token = this.#lists ? this.#lists.tokens[index] : this.#nativeToken(index);
    if (token === undefined) {
      throw invalidArgument('index', `an integer from 0 to ${this.size - 1}`, index, 'OUT_OF_RANGE');
    }
    return token;
  }

  #nativeToken(index: number): string | undefined {
    const inside = Number.isInteger(index) && index >= 0 && index < this.size;
    return inside ? this.#native!.tokens(index, index + 1)[0] : undefined;
  }

  /** The tokens with these indices under torchtext's name; same as {@link decode}. */
  lookupTokens(ids: Iterable<number | bigint>): string[] {
    return this.decode(ids);
  }

  /**
   * The tokens with these indices.
   *
   * @param ids - Numbers, or bigints as int64 data has them.
   * @throws {@link ArgumentError} with code `OUT_OF_RANGE` if there is no such index.
   *
   * @example
   * ```ts
   * Vocab.fromTokens(['a', 'b']).decode([1, 0]); // ['b', 'a']
   * ```
   */
  decode(ids: Iterable<number | bigint>): string[] {
    return Array.from(ids, (id) => this.lookupToken(Number(id)));
  }

  /**
   * Plain data from which {@link Vocab.fromJSON} makes the same vocabulary.
   *
   * @example
   * ```ts
   * Vocab.fromJSON(JSON.parse(JSON.stringify(Vocab.fromTokens(['a', 'b'])))).size; // 2
   * ```
   */
  toJSON(): VocabJSON {
    const name = (index: number | undefined) => (index === undefined ? null : this.lookupToken(index));
    return {
      tokens: this.#lists ? [...this.#lists.tokens] : this.#native!.tokens(0, this.size),
      specials: [...this.specials],
      unkToken: name(this.defaultIndex),
      padToken: name(this.padIndex),
    };
  }
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
