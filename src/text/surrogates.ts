/**
 * Whether an index lies within a surrogate pair, where a text must not be cut.
 *
 * @internal
 */
export function splitsPair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}
