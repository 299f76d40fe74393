/**
 * Type checks that work across realms. Test runners (Jest, Vitest's `vmThreads`) load packages in a separate realm.
 * Values of an addon and of Node's modules come from the main realm, where `instanceof` fails.
 */

const tagOf = (value: unknown) => Object.prototype.toString.call(value).slice('[object '.length, -1);

/** Whether a value is an error, from any realm. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || tagOf(value) === 'Error';
}

/** Whether a value is a promise, from any realm. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise || typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

interface Arrays {
  Int32Array: Int32Array;
  Uint32Array: Uint32Array;
  Float32Array: Float32Array;
  Float64Array: Float64Array;
}

/** Whether a value is a typed array of the given kind, from any realm. */
export function isTyped<Kind extends keyof Arrays>(kind: Kind, value: unknown): value is Arrays[Kind] {
  return tagOf(value) === kind;
}
