import { invalidArgument } from '../core/errors.js';
import { Turns } from '../core/turns.js';
import { withoutMarks } from './marks.js';
import type { TokenSettings } from './options.js';
import { isAddonTokenizer, TextReader } from './reader.js';
import { cut, joined, ngramsOf, PADDING, readWords, shape, UNKNOWN } from './shape.js';
import {
  type BatchTokenizer,
  getTokenizer,
  isBatchTokenizer,
  type Tokenizer,
  type TokenizerLike,
  tokenizeTogether,
} from './tokenizer.js';
import { wordsInSteps } from './unicodeWords.js';

/**
 * How a model turns a text into tokens, in training and prediction: the chosen tokenizer, then truncation, then
 * n-grams. A literal `<unk>` or `<pad>` in the text is an unknown word. Leading zero-width characters are skipped.
 *
 * @returns a {@link TextReader} if the addon reads the texts; otherwise a function, or a batch tokenizer if the
 * tokenizer can work off the event loop.
 */
export function modelTokenizer(settings: TokenSettings): TextReader | Tokenizer | BatchTokenizer {
  const { tokenizer, ngrams, maxLength, truncate } = settings;
  if (isAddonTokenizer(tokenizer))
    return new TextReader({ tokenizer, ngrams, maxLength, truncate, masksPadding: true });
  if (tokenizer === 'unicode_words') return (text) => shape(readWords(withoutMarks(text), settings), settings);
  const split = getTokenizer(tokenizer);
  if (!isBatchTokenizer(tokenizer)) return (text) => shape(split(withoutMarks(text)), settings);
  return {
    tokenize: (text) => shape(split(withoutMarks(text)), settings),
    tokenizeMany: async (texts) => {
      const lists = await tokenizeTogether(tokenizer, texts.map(withoutMarks));
      return lists.map((tokens) => shape(tokens, settings));
    },
  };
}

/** A token that a model reads, and the first and last of the text's own tokens in it. */
export interface ReadToken {
  token: string;
  first: number;
  last: number;
}

/** All tokens of a text; off the event loop if the tokenizer allows it. */
async function allTokens(text: string, tokenizer: TokenizerLike): Promise<string[]> {
  if (isBatchTokenizer(tokenizer)) return (await tokenizeTogether(tokenizer, [text]))[0]!;
  if (tokenizer === 'unicode_words') return new Turns().run(wordsInSteps(text));
  return getTokenizer(tokenizer)(text);
}

/**
 * Splits a text as {@link modelTokenizer} does, keeping skipped tokens.
 *
 * @returns all tokens of the text, and those that the model reads, in its order.
 */
export async function readingOf(text: string, settings: TokenSettings): Promise<{ own: string[]; read: ReadToken[] }> {
  const own = await allTokens(withoutMarks(text), settings.tokenizer);
  if (!Array.isArray(own)) throw invalidArgument("the tokenizer's result", 'an array of strings', own);
  const { kept, gap } = cut([...own.keys()], settings);
  const tokens = kept.map((place) => (own[place] === PADDING ? UNKNOWN : own[place]!));
  const read = tokens.map((token, i) => ({ token, first: kept[i]!, last: kept[i]! }));
  for (const { from, n } of ngramsOf(kept.length, settings.ngrams, gap)) {
    read.push({ token: joined(tokens, from, n), first: kept[from]!, last: kept[from + n - 1]! });
  }
  return { own, read };
}
