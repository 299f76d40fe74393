/** Marks that have no width, among them the byte order mark. */
const MARKS = /^[\ufeff\u200b-\u200f\u2060]+/;

/**
 * A text without the marks of no width at its beginning: they are no part of its first word. The addon leaves them out in the same way.
 *
 * @internal
 */
export function withoutMarks(text: string): string {
  // Most texts begin with a character below the first mark.
  return text.charCodeAt(0) >= 0x200b ? text.replace(MARKS, '') : text;
}
