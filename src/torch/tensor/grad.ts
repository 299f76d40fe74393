import { checkFunction } from '../../core/checks.js';
import { torch } from '../../native/torch.js';
import { isPromiseLike, refusePromise } from './scope.js';

function withGradMode<T>(name: string, on: boolean, fn: () => T): T {
  checkFunction(`fn of ${name}`, fn);
  const binding = torch();
  const previous = binding.setGradEnabled(on);
  let result: T;
  try {
    result = fn();
  } finally {
    binding.setGradEnabled(previous);
  }
  if (isPromiseLike(result)) {
    refusePromise(name, result, 'what follows its first await would run in another mode');
  }
  return result;
}

/**
 * Runs `fn` without recording operations for `backward`, which saves memory and time, and returns its result. The mode
 * is restored also when `fn` throws.
 *
 * @throws `INVALID_ARGUMENT` if `fn` is async.
 *
 * @example
 * ```ts
 * noGrad(() => net.forward(x)).requiresGrad;
 * ```
 */
export function noGrad<T>(fn: () => T): T {
  return withGradMode('noGrad', false, fn);
}

/**
 * Runs `fn` with recording of operations, inside {@link noGrad}, and returns its result.
 *
 * @throws `INVALID_ARGUMENT` if `fn` is async.
 */
export function enableGrad<T>(fn: () => T): T {
  return withGradMode('enableGrad', true, fn);
}

/** Whether operations are being recorded for `backward`. */
export function isGradEnabled(): boolean {
  return torch().isGradEnabled();
}
