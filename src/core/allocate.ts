import { RecurraError } from './errors.js';

/**
 * An array of `length` zeros.
 *
 * @throws {@link RecurraError} `OUT_OF_MEMORY` instead of JavaScript's `RangeError`; the message names `what` they are
 * for.
 *
 * @internal
 */
export function zeros(length: number, what: string): Float32Array<ArrayBuffer> {
  try {
    return new Float32Array(length);
  } catch (cause) {
    throw new RecurraError('OUT_OF_MEMORY', `not enough memory for the ${length} numbers of ${what}`, { cause });
  }
}
