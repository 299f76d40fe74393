import { checkInteger } from '../core/checks.js';

/**
 * torchtext's `ngrams_iterator`: the tokens themselves, then all pairs of neighbours joined by a space, then triples,
 * and so on up to `ngrams` tokens.
 *
 * @param tokens - Tokens of one text.
 * @param ngrams - Longest run, at least 1; 1 gives the tokens unchanged.
 * @throws {@link ArgumentError} if `ngrams` is not a positive integer.
 *
 * @example
 * ```ts
 * [...ngramsIterator(['here', 'we', 'are'], 2)]; // ['here', 'we', 'are', 'here we', 'we are']
 * ```
 */
export function ngramsIterator(tokens: readonly string[], ngrams: number): IterableIterator<string> {
  checkInteger('ngrams', ngrams, 1);
  return runs(tokens, ngrams);
}

function* runs(tokens: readonly string[], ngrams: number): Generator<string, void, undefined> {
  yield* tokens;
  for (let n = 2; n <= ngrams; n++) {
    for (let i = 0; i + n <= tokens.length; i++) yield tokens.slice(i, i + n).join(' ');
  }
}
