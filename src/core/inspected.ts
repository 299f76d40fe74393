/** The method that `console.log` and `util.inspect` call. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * What a method {@link INSPECT} returns to show an object as a text of several lines. Node indents the lines of an object's own
 * parts, but not those of a text: an object that is shown as the text has them in line with what is around it.
 *
 * @internal
 */
export function inspected(text: string): object {
  return { [INSPECT]: () => text };
}
