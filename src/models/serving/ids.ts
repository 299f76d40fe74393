import type { Forms } from '../../text/forms.js';
import type { BatchTokenizer } from '../../text/tokenizer.js';
import { type Asked, textAt } from './call.js';
import type { ServedModel } from './route.js';

/** A text as token ids, at least one, with its number of tokens and of known tokens. */
export interface EncodedText {
  ids: Int32Array;
  count: number;
  known: number;
}

/** Concatenated token ids, as the engine takes them. */
export interface FlatTexts {
  tokens: Int32Array;
  lengths: Int32Array;
  /** The forms of the tokens, for a network that reads characters; freed after the computation. */
  forms?: Forms | undefined;
}

/** Encodes callers' inputs as ids. */
export interface IdReader<T extends EncodedText> {
  /**
   * Reads one input synchronously.
   *
   * @throws {@link ArgumentError} naming its index if the model cannot read it.
   */
  read(texts: readonly Asked[], index: number): T;
  /**
   * Reads several inputs from `from` on, off the event loop or in turns. Undefined if reading them one by one is as
   * good.
   */
  together(texts: readonly Asked[], from: number): (() => Promise<readonly T[]>) | undefined;
  /** Concatenates texts, as the engine takes them. */
  flat(texts: readonly T[]): FlatTexts;
  /** The same in turns, for batches where it takes long; absent if it never does. */
  flatInTurns?(texts: readonly T[]): Promise<FlatTexts> | undefined;
  /** Number of scores of a text. */
  scoresOf(text: T): number;
}

/** Looks up the tokens of a text. */
export function encodeTokens({ vocab }: Pick<ServedModel, 'vocab'>, tokens: readonly string[]): EncodedText {
  const unknown = vocab.defaultIndex!;
  if (tokens.length === 0) return { ids: Int32Array.of(unknown), count: 0, known: 0 };
  const ids = vocab.encode(tokens);
  let known = 0;
  for (let i = 0; i < ids.length; i++) if (ids[i] !== unknown) known++;
  return { ids, count: tokens.length, known };
}

/** Splits a text and looks up its tokens. */
export function encodeText(model: Pick<ServedModel, 'tokenizer' | 'vocab'>, text: string): EncodedText {
  const { tokenizer } = model;
  return encodeTokens(model, typeof tokenizer === 'function' ? tokenizer(text) : tokenizer.tokenize(text));
}

/** Texts split per call off the event loop, and the minimum length of a single text that is. */
const TEXTS_PER_CALL = 64;
const LONG_TEXT = 8_192;

/**
 * The tokenizer and the next texts that are better split together off the event loop: several, or a long one. Undefined
 * if the tokenizer cannot do that or it is not worth it.
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

/** Concatenates the ids of texts. */
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
