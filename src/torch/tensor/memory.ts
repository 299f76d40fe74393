import { invalidArgument } from '../../core/errors.js';
import { isTensor, type TensorBase } from './base.js';
import { runTidy, untrack } from './scope.js';

/**
 * Runs `fn` and disposes every tensor made in it, except those that it returns (directly, or anywhere inside arrays,
 * objects or modules) and those passed to {@link keep}. Parameters, gradients and the state of optimizers are never
 * disposed. Calls may be nested: what an inner one returns belongs to the outer one.
 *
 * A tensor that `fn` stores in an outer variable without returning it is disposed as well.
 *
 * @throws `INVALID_ARGUMENT` if `fn` is async: the tensors made after its first `await` would be missed.
 *
 * @example
 * ```ts
 * const loss = tidy(() => nn.functional.crossEntropy(net.forward(x), target).detach());
 * ```
 */
export function tidy<T>(fn: () => T): T {
  return runTidy(fn, isTensor);
}

/**
 * Exempts a tensor from the {@link tidy} calls it is in, and returns it.
 *
 * @example
 * ```ts
 * const kept = tidy(() => keep(ones([2]).add(1)));
 * kept.toArray(); // [2, 2]
 * ```
 */
export function keep<T extends TensorBase>(tensor: T): T {
  if (!isTensor(tensor)) throw invalidArgument('tensor of keep', 'a Tensor', tensor);
  untrack(tensor);
  return tensor;
}
