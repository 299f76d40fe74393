import { checkFlag } from '../../core/checks.js';
import { constraint, invalidArgument } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import type { TokenSpan } from './entities.js';
import { orderedSpans, type TextSpan } from './textSpans.js';
import { type TokenInText, tokensInText } from './tokens.js';

/** Options of {@link alignSpans}. */
export interface AlignSpansOptions {
  /** Whether a token is split where a span begins or ends within it. Default false: the span then takes the whole token. */
  split?: boolean | undefined;
}

/** A text's spans in terms of its tokens. */
export interface AlignedSpans {
  /** The tokens, after some were split. */
  tokens: TokenInText[];
  /** The spans by their tokens, in order. */
  spans: TokenSpan[];
  /**
   * Spans that begin or end within a token. Each was widened to whole tokens (and is in `spans`), or dropped because it
   * contains only blanks or another span has its token. With `split`, only spans of blanks are here.
   */
  misaligned: MisalignedSpan[];
}

/** A span that does not match token borders. */
export interface MisalignedSpan extends TextSpan {
  /** Whether the span, widened to whole tokens, is in the result. */
  kept: boolean;
}

/**
 * Maps the spans of a text to tokens. Blanks at the borders of a span are ignored.
 *
 * @param text - The text; its tokens are those of {@link tokensInText}.
 * @param spans - Labelled parts of it, in any order.
 * @throws {@link ArgumentError} `INVALID_ARGUMENT` for a span that is empty, beyond the text, without a label, or overlaps another,
 * and for one with a border within a character.
 *
 * @example
 * ```ts
 * const { tokens, spans } = alignSpans('To New York', [{ start: 3, end: 11, label: 'LOC' }]);
 * spans; // [{ start: 1, end: 3, label: 'LOC' }]
 * spansToTags(spans, tokens.length); // ['O', 'B-LOC', 'I-LOC']
 * ```
 */
export function alignSpans(text: string, spans: readonly TextSpan[], options: AlignSpansOptions = {}): AlignedSpans {
  checkOptionNames('alignSpans', options, ['split']);
  const { split = false } = options;
  checkFlag('split', split);
  if (typeof text !== 'string') throw invalidArgument('text', 'a string', text);
  if (!Array.isArray(spans) || spans.some((span) => typeof span !== 'object' || span === null)) {
    throw invalidArgument('spans', 'an array of spans', spans);
  }
  const ordered = orderedSpans(text, spans as readonly TextSpan[], (message) => constraint('spans', message));
  return alignTokens(tokensInText(text), ordered, split);
}

/**
 * Maps spans to tokens.
 *
 * @param whole - The tokens of the text.
 * @param ordered - The spans from {@link orderedSpans}.
 *
 * @internal
 */
export function alignTokens(whole: readonly TokenInText[], ordered: readonly TextSpan[], split: boolean): AlignedSpans {
  const tokens = split ? splitAt(whole, ordered) : [...whole];
  const aligned: TokenSpan[] = [];
  const misaligned: MisalignedSpan[] = [];
  let first = 0;
  for (const span of ordered) {
    while (first < tokens.length && tokens[first]!.end <= span.start) first++;
    let end = first;
    while (end < tokens.length && tokens[end]!.start < span.end) end++;
    const taken = end === first || first < (aligned.at(-1)?.end ?? 0);
    const fits = !taken && tokens[first]!.start >= span.start && tokens[end - 1]!.end <= span.end;
    if (!fits) misaligned.push({ start: span.start, end: span.end, label: span.label, kept: !taken });
    if (!taken) aligned.push({ start: first, end, label: span.label });
  }
  return { tokens, spans: aligned, misaligned };
}

/** Splits tokens where spans begin or end. */
function splitAt(tokens: readonly TokenInText[], ordered: readonly TextSpan[]): TokenInText[] {
  const borders = ordered.flatMap(({ start, end }) => [start, end]);
  const parts: TokenInText[] = [];
  let next = 0;
  for (const { token, start, end } of tokens) {
    let from = start;
    while (next < borders.length && borders[next]! <= start) next++;
    for (; next < borders.length && borders[next]! < end; next++) {
      const to = borders[next]!;
      if (to === from) continue;
      parts.push({ token: token.slice(from - start, to - start), start: from, end: to });
      from = to;
    }
    parts.push({ token: token.slice(from - start), start: from, end });
  }
  return parts;
}
