import { characterSteps, type TokenInText, tokenSteps } from '../../text/tags/tokens.js';

/** How a text is split into tokens that keep their position. */
export type TaggerTokenizer = 'unicode_words' | 'characters';

/** All tagger tokenizers. */
export const TAGGER_TOKENIZERS = ['unicode_words', 'characters'] as const satisfies readonly TaggerTokenizer[];

/** Splits a text, in steps of a millisecond at most. */
export function placedTokens(text: string, tokenizer: TaggerTokenizer): Generator<void, TokenInText[], undefined> {
  return tokenizer === 'characters' ? characterSteps(text) : tokenSteps(text);
}

/** Tokens and their positions as two lists. */
export function placed(tokens: readonly TokenInText[]): { tokens: string[]; starts: number[] } {
  return { tokens: tokens.map(({ token }) => token), starts: tokens.map(({ start }) => start) };
}

/** Runs steps to their end synchronously. */
export function atOnce<T>(steps: Generator<void, T, undefined>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
