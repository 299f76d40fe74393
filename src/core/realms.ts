/**
 * Kinds of values, whatever realm made them. Test runners (Jest, Vitest's `vmThreads`) load packages in a realm of their own. The values
 * of an addon and of Node's own modules come from the main one, and `instanceof` does not know them.
 */

const tagOf = (value: unknown) => Object.prototype.toString.call(value).slice('[object '.length, -1);

/** Whether it is an error, of any realm. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || tagOf(value) === 'Error';
}

/** Whether it is a promise, of any realm. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise || typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

interface Arrays {
  Int32Array: Int32Array;
  Uint32Array: Uint32Array;
  Float32Array: Float32Array;
  Float64Array: Float64Array;
}

/** Whether it is a typed array of that kind, of any realm. */
export function isTyped<Kind extends keyof Arrays>(kind: Kind, value: unknown): value is Arrays[Kind] {
  return tagOf(value) === kind;
}
