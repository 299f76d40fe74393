// Processes the tokens of a text before a model reads them, if JavaScript splits it; crates/text does the same for its
// tokenizers.

import { invalidArgument } from '../core/errors.js';
import type { TextExtent } from './extent.js';
import { firstWords, lastWords } from './unicodeWords.js';

/** The specials of a model's vocabulary. */
export const UNKNOWN = '<unk>';
export const PADDING = '<pad>';

/** The tokens kept of a text with more than `maxLength`, and the position of the gap: -1 if there is none. */
export function cut<T>(tokens: readonly T[], { maxLength, truncate }: TextExtent): { kept: T[]; gap: number } {
  if (tokens.length <= maxLength) return { kept: tokens.slice(), gap: -1 };
  if (truncate === 'head') return { kept: tokens.slice(0, maxLength), gap: -1 };
  if (truncate === 'tail') return { kept: tokens.slice(-maxLength), gap: -1 };
  const head = Math.ceil(maxLength / 2);
  const tail = tokens.slice(tokens.length - (maxLength - head));
  return { kept: [...tokens.slice(0, head), ...tail], gap: head };
}

/** Positions and lengths of pairs, triples and so on, in torchtext's order; none crosses the gap. */
export function* ngramsOf(count: number, ngrams: number, gap: number): Generator<{ from: number; n: number }> {
  for (let n = 2; n <= ngrams; n++) {
    for (let from = 0; from + n <= count; from++) if (from >= gap || from + n <= gap) yield { from, n };
  }
}

function appendNgrams(tokens: string[], ngrams: number, gap: number): void {
  for (const { from, n } of ngramsOf(tokens.length, ngrams, gap)) tokens.push(joined(tokens, from, n));
}

export function joined(tokens: readonly string[], from: number, n: number): string {
  let run = tokens[from]!;
  for (let i = from + 1; i < from + n; i++) run += ` ${tokens[i]!}`;
  return run;
}

/** The words of a text that may be read: for a long one, slightly more than those at its ends. */
export function readWords(text: string, { maxLength, truncate }: TextExtent): string[] {
  if (truncate === 'tail') return lastWords(text, maxLength);
  const first = firstWords(text, maxLength + 1);
  if (truncate === 'head' || first.length <= maxLength) return first;
  return [...first, ...lastWords(text, maxLength >> 1)];
}

/** Applies the settings to the tokens of a whole text. */
export function shape(tokens: readonly string[], settings: TextExtent): string[] {
  if (!Array.isArray(tokens)) throw invalidArgument("the tokenizer's result", 'an array of strings', tokens);
  const plain = tokens.length <= settings.maxLength && settings.ngrams === 1 && !tokens.includes(PADDING);
  if (plain) return tokens as string[];
  const { kept, gap } = cut(tokens, settings);
  // For a model it is not padding, whose row is zero and never trained, but an unknown word.
  for (let at = kept.indexOf(PADDING); at >= 0; at = kept.indexOf(PADDING, at + 1)) kept[at] = UNKNOWN;
  appendNgrams(kept, settings.ngrams, gap);
  return kept;
}
