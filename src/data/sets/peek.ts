import type { Turns } from '../../core/turns.js';
import { withOrigin } from '../readers/rows.js';

/** The first items of a source, and a source of all of them. */
export interface Peeked<S> {
  /**
   * Yields everything that the source would have yielded, including the first items and its error; can be iterated
   * once.
   */
  source: S;
  /** The first items. */
  first: readonly unknown[];
}

/**
 * Looks at the first items of an iterable or async iterable that may only be iterable once. Any other value is returned
 * unchanged.
 *
 * @param count - Maximum number of items to look at.
 */
export async function peek<S extends { readonly file?: string | undefined }>(
  source: S,
  count: number,
  turns: Turns,
): Promise<Peeked<S>> {
  if (Array.isArray(source)) return { source, first: source.slice(0, count) };
  const both = Object(source) as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  const asynchronous = both[Symbol.asyncIterator] !== undefined;
  const items = both[Symbol.asyncIterator]?.() ?? both[Symbol.iterator]?.();
  if (typeof source !== 'object' || !items) return { source, first: [] };
  const first: unknown[] = [];
  let fault: { error: unknown } | undefined;
  try {
    while (first.length < count) {
      const { done, value } = await items.next();
      if (done) break;
      first.push(value);
      if (turns.due) await turns.next();
    }
  } catch (error) {
    // Thrown at its original position, after the items before it, since one of those may be invalid itself.
    fault = { error };
  }
  const all = asynchronous
    ? asyncAll(first, fault, items as AsyncIterator<unknown>)
    : syncAll(first, fault, items as Iterator<unknown>);
  return { source: withOrigin(all, source) as unknown as S, first };
}

async function* asyncAll(
  first: readonly unknown[],
  fault: { error: unknown } | undefined,
  items: AsyncIterator<unknown>,
) {
  try {
    yield* first;
    if (fault) throw fault.error;
    yield* { [Symbol.asyncIterator]: () => items };
  } finally {
    await items.return?.();
  }
}

function* syncAll(first: readonly unknown[], fault: { error: unknown } | undefined, items: Iterator<unknown>) {
  try {
    yield* first;
    if (fault) throw fault.error;
    yield* { [Symbol.iterator]: () => items };
  } finally {
    items.return?.();
  }
}
