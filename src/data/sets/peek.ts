import type { Turns } from '../../core/turns.js';
import { withOrigin } from '../readers/rows.js';

/** The first items of a source, and what gives all of them. */
export interface Peeked<S> {
  /** Gives what the source would have given, the first items and its fault included; to be iterated over once. */
  source: S;
  /** The first items. */
  first: readonly unknown[];
}

/**
 * Looks at the first items of an iterable or async iterable, which perhaps can be iterated over once only. What is neither is
 * given back as it is.
 *
 * @param count - Items to look at, at most.
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
    // It is met where it was: behind the items before it, of which one may have a fault itself.
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
