import type { BatchTokenizer } from '../../text/tokenizer.js';
import type { ServedModel } from './route.js';

/** A text as token ids, at least one; how many tokens it has, and how many of them are known. */
export interface EncodedText {
  ids: Int32Array;
  count: number;
  known: number;
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

/** Texts that are split in one call away from the event loop, and characters from which a single one is. */
const TEXTS_PER_CALL = 64;
const LONG_TEXT = 8_192;

/**
 * The tokenizer and those of the next texts that are better split together, away from the event loop: several, or a long one.
 * Undefined where the tokenizer cannot do that or it is not worth it.
 */
export function splitTogether(
  { tokenizer }: Pick<ServedModel, 'tokenizer'>,
  texts: readonly string[],
  from: number,
): { tokenizer: BatchTokenizer; texts: readonly string[] } | undefined {
  if (typeof tokenizer === 'function') return undefined;
  const next = texts.slice(from, from + TEXTS_PER_CALL);
  const few = next.length < 8 && !next.some((text) => text?.length >= LONG_TEXT);
  return few || next.some((text) => typeof text !== 'string') ? undefined : { tokenizer, texts: next };
}

/** Token ids one text after the other, as the engine takes them. */
export function flat(texts: readonly EncodedText[]): { tokens: Int32Array; lengths: Int32Array } {
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
