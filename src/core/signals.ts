import { invalidArgument, RecurraError } from './errors.js';

/**
 * The error for aborted work: `<what> was aborted`. Its cause is the signal's reason.
 *
 * @param what - What was aborted, as the subject of a sentence: `the training`.
 *
 * @internal
 */
export function aborted(what: string, signal?: AbortSignal): RecurraError {
  return new RecurraError('ABORTED', `${what} was aborted`, signal ? { cause: signal.reason } : {});
}

/**
 * Throws {@link aborted} if the signal is aborted.
 *
 * @throws {@link RecurraError} `ABORTED`.
 *
 * @internal
 */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw aborted(what, signal);
}

/**
 * Throws unless `value` is an AbortSignal or undefined. An aborted signal is fine.
 *
 * @throws {@link ArgumentError} naming the option.
 *
 * @internal
 */
export function checkSignal(name: string, value: unknown): AbortSignal | undefined {
  if (value !== undefined && !(value instanceof AbortSignal)) throw invalidArgument(name, 'an AbortSignal', value);
  return value;
}
