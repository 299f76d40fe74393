/** Zero-width characters, including the byte order mark. */
const MARKS = /^[\ufeff\u200b-\u200f\u2060]+/;

/**
 * A text without leading zero-width characters, which are not part of its first word. The addon skips them in the same
 * way.
 *
 * @internal
 */
export function withoutMarks(text: string): string {
  // Most texts begin with a character below the first mark.
  return text.charCodeAt(0) >= 0x200b ? text.replace(MARKS, '') : text;
}
