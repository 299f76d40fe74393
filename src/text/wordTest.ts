import type { Turns } from '../core/turns.js';
import { HuggingFaceTokenizer } from './huggingFace.js';
import { isAddonTokenizer, TextReader } from './reader.js';
import { getTokenizer, type TokenizerLike } from './tokenizer.js';

/**
 * Tells which words a tokenizer can give: those of a file of vectors in another case, or with punctuation inside, would never be
 * looked up.
 *
 * @returns whether a word, split, is one token that equals it; of a {@link HuggingFaceTokenizer}, whether it is one of
 * its tokens, since pieces within words are not tokens by themselves.
 */
export async function wordTest(tokenizer: TokenizerLike, turns: Turns): Promise<(word: string) => boolean> {
  if (tokenizer instanceof HuggingFaceTokenizer) {
    const tokens = await turns.run(tokenizer.tokens());
    return (word) => tokens.has(word);
  }
  const reader = isAddonTokenizer(tokenizer) ? TextReader.plain(tokenizer) : undefined;
  const split = reader ? (word: string) => reader.tokenize(word) : getTokenizer(tokenizer);
  return (word) => {
    const tokens = split(word);
    return tokens.length === 1 && tokens[0] === word;
  };
}
