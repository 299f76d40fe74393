import { splitsPair } from '../surrogates.js';

/** A part of a text that has a label: `text.slice(start, end)`. */
export interface TextSpan {
  /** Index of the first UTF-16 code unit, as `slice` counts. */
  start: number;
  /** End, exclusive. */
  end: number;
  /** The label. */
  label: string;
}

/**
 * Orders the spans of a text, after checking that each is within it, is not empty, splits no character and does not
 * overlap another.
 *
 * @param spans - Unchecked spans.
 * @param refuse - Makes an error from a message.
 *
 * @internal
 */
export function orderedSpans<S extends TextSpan>(
  text: string,
  spans: readonly S[],
  refuse: (message: string) => Error,
): S[] {
  for (const [i, { start, end, label }] of spans.entries()) {
    // A border from a file may be any value.
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) {
      throw refuse(`span ${i + 1} has a start or an end that is not an integer`);
    }
    const words = `span ${i + 1} (from ${start} to ${end})`;
    if (start < 0 || end > text.length) {
      throw refuse(`${words} is not within the text, which has ${text.length} UTF-16 code units`);
    }
    if (start >= end) throw refuse(`${words} is empty: its end must be larger than its start`);
    if (splitsPair(text, start) || splitsPair(text, end)) {
      throw refuse(`${words} has a border within a character: are the positions counted in code points?`);
    }
    if (typeof label !== 'string' || label === '') throw refuse(`${words} has no label: expected a non-empty string`);
  }
  const ordered = [...spans].sort((a, b) => a.start - b.start || a.end - b.end);
  for (const [i, span] of ordered.entries()) {
    const before = ordered[i - 1];
    if (before === undefined || before.end <= span.start) continue;
    const words = ({ start, end, label }: TextSpan) => `${JSON.stringify(label)} from ${start} to ${end}`;
    throw refuse(`two spans overlap, ${words(before)} and ${words(span)}: a token has one tag`);
  }
  return ordered;
}
