import type { Turns } from '../../core/turns.js';
import { Vocab } from '../vocab.js';
import { END_UNIT, UNKNOWN_UNIT } from './names.js';
import type { UnitCoder, UnitDecoder } from './units.js';

/** A decoder's output for an incomplete character. */
const INCOMPLETE = '\ufffd';

/** Maximum units of an incomplete character. */
const MOST_INCOMPLETE = 16;

/** The functions that pieces need from a tokenizer. */
export interface PieceTokenizer {
  /** Number of tokens in its own vocabulary. */
  readonly size: number;
  /** The token with a number; undefined if there is none. */
  tokenOf(id: number): string | undefined;
  /** The numbers of a text's tokens. */
  encodeIds(text: string): Promise<Uint32Array>;
  /** The text of some numbers; a character that is not complete becomes U+FFFD. */
  decodeIds(ids: readonly number[]): string;
}

/** The pieces of a tokenizer, by its own numbers, followed by missing specials. */
export class PieceUnits<T extends PieceTokenizer> implements UnitCoder {
  readonly name = undefined;
  readonly tokenizer: T;
  readonly vocab: Vocab;
  readonly end: number;

  constructor(tokenizer: T, vocab: Vocab) {
    this.tokenizer = tokenizer;
    this.vocab = vocab;
    this.end = vocab.get(END_UNIT);
  }

  /** The vocabulary of a tokenizer. Pauses often. */
  static *vocabulary(tokenizer: PieceTokenizer): Generator<void, Vocab, undefined> {
    const tokens: string[] = [];
    const taken = new Set<string>();
    for (let id = 0; id < tokenizer.size; id++) {
      const token = tokenizer.tokenOf(id) ?? '';
      // Numbers without a token, and tokens that two numbers have.
      const name = token === '' || taken.has(token) ? `<unused-${id}>` : token;
      taken.add(name);
      tokens.push(name);
      if (id % 1024 === 1023) yield;
    }
    const specials = [UNKNOWN_UNIT, END_UNIT];
    tokens.push(...specials.filter((special) => !taken.has(special)));
    return Vocab.fromTokens(tokens, { specials, unkToken: UNKNOWN_UNIT, padToken: null });
  }

  async encode(text: string, turns: Turns): Promise<Int32Array> {
    const ids = await this.tokenizer.encodeIds(text);
    turns.restart();
    // Numbers beyond the vocabulary are those of no token.
    const { length, defaultIndex } = this.vocab;
    return Int32Array.from(ids, (id) => (id < length ? id : defaultIndex!));
  }

  decoder(): UnitDecoder {
    const { tokenizer, vocab, end } = this;
    const own = tokenizer.size;
    /** The last units, of which the first `told` have given `before`. */
    let units: number[] = [];
    let told = 0;
    let before = '';
    const push = (unit: number): string => {
      if (unit >= own || unit === end || unit === vocab.defaultIndex) return '';
      units.push(unit);
      const text = tokenizer.decodeIds(units);
      const incomplete = text.endsWith(INCOMPLETE) && units.length - told < MOST_INCOMPLETE;
      if (incomplete || text.length <= before.length) return '';
      // A unit's text may depend on those before it, such as a space between two words, so the last ones are kept.
      const piece = text.slice(before.length);
      units = units.slice(told);
      before = tokenizer.decodeIds(units);
      told = units.length;
      return piece;
    };
    return { push };
  }
}
