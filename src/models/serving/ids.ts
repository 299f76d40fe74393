import type { Forms } from '../../text/forms.js';
import type { BatchTokenizer } from '../../text/tokenizer.js';
import { type Asked, textAt } from './call.js';
import type { ServedModel } from './route.js';

/** A text as token ids, at least one; how many tokens it has, and how many of them are known. */
export interface EncodedText {
  ids: Int32Array;
  count: number;
  known: number;
}

/** Token ids one text after the other, as the engine takes them. */
export interface FlatTexts {
  tokens: Int32Array;
  lengths: Int32Array;
  /** What the tokens are, for a network that sees the characters of words; freed once it was computed. */
  forms?: Forms | undefined;
}

/** Makes ids of what callers ask about. */
export interface IdReader<T extends EncodedText> {
  /**
   * Reads one at once.
   *
   * @throws {@link ArgumentError} naming its place if it is none that the model can read.
   */
  read(texts: readonly Asked[], index: number): T;
  /**
   * Reads some off the event loop, or in turns: those from `from` on that the result covers, when it is called. Undefined
   * where reading them one by one is as good.
   */
  together(texts: readonly Asked[], from: number): (() => Promise<readonly T[]>) | undefined;
  /** Puts texts one after the other, as the engine takes them. */
  flat(texts: readonly T[]): FlatTexts;
  /** The same in turns, for a batch where that takes long; left out or undefined, it never does. */
  flatInTurns?(texts: readonly T[]): Promise<FlatTexts> | undefined;
  /** Scores that the engine gives for a text. */
  scoresOf(text: T): number;
}

/** Looks the tokens of a text up. */
export function encodeTokens({ vocab }: Pick<ServedModel, 'vocab'>, tokens: readonly string[]): EncodedText {
  const unknown = vocab.defaultIndex!;
  if (tokens.length === 0) return { ids: Int32Array.of(unknown), count: 0, known: 0 };
  const ids = vocab.encode(tokens);
  let known = 0;
  for (let i = 0; i < ids.length; i++) if (ids[i] !== unknown) known++;
  return { ids, count: tokens.length, known };
}

/** Splits a text and looks its tokens up. */
export function encodeText(model: Pick<ServedModel, 'tokenizer' | 'vocab'>, text: string): EncodedText {
  const { tokenizer } = model;
  return encodeTokens(model, typeof tokenizer === 'function' ? tokenizer(text) : tokenizer.tokenize(text));
}

/** Texts that are split in one call off the event loop, and characters from which a single one is. */
const TEXTS_PER_CALL = 64;
const LONG_TEXT = 8_192;

/**
 * The tokenizer and those of the next texts that are better split together, off the event loop: several, or a long one.
 * Undefined where the tokenizer cannot do that or it is not worth it.
 */
export function splitTogether(
  { tokenizer }: Pick<ServedModel, 'tokenizer'>,
  texts: readonly Asked[],
  from: number,
): { tokenizer: BatchTokenizer; texts: readonly string[] } | undefined {
  if (typeof tokenizer === 'function') return undefined;
  const next = texts.slice(from, from + TEXTS_PER_CALL);
  const few = next.length < 8 && !next.some((text) => text?.length >= LONG_TEXT);
  return few || !next.every((text) => typeof text === 'string') ? undefined : { tokenizer, texts: next };
}

/** Reads texts with a model's tokenizer and vocabulary. */
export function idReader(model: Pick<ServedModel, 'tokenizer' | 'vocab' | 'outputs'>): IdReader<EncodedText> {
  return {
    read: (texts, index) => encodeText(model, textAt(texts, index)),
    together(texts, from) {
      const next = splitTogether(model, texts, from);
      return (
        next &&
        (async () => {
          const lists = await next.tokenizer.tokenizeMany(next.texts);
          return lists.map((tokens) => encodeTokens(model, tokens));
        })
      );
    },
    flat,
    scoresOf: () => model.outputs,
  };
}

/** Puts the ids of texts one after the other. */
function flat(texts: readonly EncodedText[]): FlatTexts {
  if (texts.length === 1) return { tokens: texts[0]!.ids, lengths: Int32Array.of(texts[0]!.ids.length) };
  const lengths = new Int32Array(texts.length);
  let total = 0;
  for (let row = 0; row < texts.length; row++) {
    lengths[row] = texts[row]!.ids.length;
    total += lengths[row]!;
  }
  const tokens = new Int32Array(total);
  let at = 0;
  for (const { ids } of texts) {
    tokens.set(ids, at);
    at += ids.length;
  }
  return { tokens, lengths };
}

/** Tokens and known ones of encoded texts. */
export function countsOf(texts: readonly EncodedText[]): Uint32Array {
  const counts = new Uint32Array(2 * texts.length);
  for (let row = 0; row < texts.length; row++) {
    counts[2 * row] = texts[row]!.count;
    counts[2 * row + 1] = texts[row]!.known;
  }
  return counts;
}
