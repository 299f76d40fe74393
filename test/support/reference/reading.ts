import type { TokenSettings } from '../../../src/text/options.js';
import { basicEnglish } from './basicEnglish.js';

/** What the addon reads, put plainly: the tokens of a text for a model, by list operations on JavaScript's strings. */
export function referenceTokens(text: string, { tokenizer, ngrams, maxLength, truncate }: TokenSettings): string[] {
  const read = text.replace(/^[\ufeff\u200b-\u200f\u2060]+/, '');
  const all = tokenizer === 'characters' ? Array.from(read) : basicEnglish(read);
  const half = Math.ceil(maxLength / 2);
  const parts = {
    head: [all.slice(0, maxLength)],
    tail: [all.slice(-maxLength)],
    both: [all.slice(0, half), all.slice(all.length - (maxLength - half))],
  };
  const kept = (all.length <= maxLength ? [all] : parts[truncate]).map((part) =>
    part.map((token) => (token === '<pad>' ? '<unk>' : token)),
  );
  const tokens: string[] = [];
  for (let n = 1; n <= ngrams; n++) {
    for (const part of kept) {
      for (let from = 0; from + n <= part.length; from++) tokens.push(part.slice(from, from + n).join(' '));
    }
  }
  return tokens;
}
