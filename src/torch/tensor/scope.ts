import { checkFunction } from '../../core/checks.js';
import { ArgumentError } from '../../core/errors.js';

/** What a scope needs to know of a tensor. */
export interface Scoped {
  readonly isDisposed: boolean;
  dispose(): void;
}

class Scope {
  readonly created = new Set<Scoped>();
}

// The innermost scope is last. Scopes are strictly synchronous, so one stack for the thread is enough.
const scopes: Scope[] = [];

/**
 * Enters a new tensor into the innermost scope, if there is one.
 *
 * @internal
 */
export function track(tensor: Scoped): void {
  scopes.at(-1)?.created.add(tensor);
}

/**
 * Takes a tensor out of every scope.
 *
 * @internal
 */
export function untrack(tensor: Scoped): void {
  for (const scope of scopes) scope.created.delete(tensor);
}

/**
 * Whether `value` is a promise or behaves like one.
 *
 * @internal
 */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}

/**
 * Refuses the promise of a function that should have been synchronous; `why` says what its scope could not do.
 *
 * @internal
 */
export function refusePromise(name: string, promise: PromiseLike<unknown>, why: string): never {
  // The caller does not see this promise: a rejection must not end the process as unhandled.
  promise.then(undefined, () => {});
  throw new ArgumentError(
    'INVALID_ARGUMENT',
    `${name} got a function that returns a promise; ${why}. Call ${name} inside the async function, around its synchronous parts`,
  );
}

/**
 * Finds the tensors reachable from a value through arrays, maps, sets, plain objects and instances (modules, packed
 * sequences).
 *
 * @internal
 */
export function collect(
  value: unknown,
  isTensor: (value: object) => boolean,
  found = new Set<object>(),
  seen = new Set<object>(),
): Set<object> {
  if (typeof value !== 'object' || value === null || seen.has(value) || ArrayBuffer.isView(value)) return found;
  seen.add(value);
  if (isTensor(value)) {
    found.add(value);
  } else if (value instanceof Map) {
    for (const [key, item] of value) {
      collect(key, isTensor, found, seen);
      collect(item, isTensor, found, seen);
    }
  } else if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) collect(item, isTensor, found, seen);
  } else {
    for (const key of Object.keys(value)) collect((value as Record<string, unknown>)[key], isTensor, found, seen);
  }
  return found;
}

/**
 * Runs `fn` in a new scope. Returns its result and the tensors made in it that are still tracked, which are then the
 * caller's to dispose. When `fn` throws they are disposed.
 *
 * @internal
 */
export function record<T>(fn: () => T): { result: T; created: Set<Scoped> } {
  const scope = new Scope();
  scopes.push(scope);
  let done = false;
  try {
    const result = fn();
    done = true;
    return { result, created: scope.created };
  } finally {
    scopes.pop();
    if (!done) disposeAll(scope.created);
  }
}

/**
 * Disposes all tensors of a set.
 *
 * @internal
 */
export function disposeAll(tensors: Iterable<Scoped>): void {
  for (const tensor of tensors) if (!tensor.isDisposed) tensor.dispose();
}

/**
 * The scope behind `tidy`.
 *
 * @internal
 */
export function runTidy<T>(fn: () => T, isTensor: (value: object) => boolean): T {
  checkFunction('fn of tidy', fn);
  const { result, created } = record(fn);
  if (isPromiseLike(result)) {
    disposeAll(created);
    refusePromise('tidy', result, 'tensors made after its first await would not be seen');
  }
  if (created.size > 0) {
    const kept = collect(result, isTensor);
    for (const tensor of created) {
      if (kept.has(tensor)) track(tensor);
      else if (!tensor.isDisposed) tensor.dispose();
    }
  }
  return result;
}
