import { invalidArgument } from '../../../core/errors.js';
import { torch } from '../../../native/torch.js';
import { isTensor, nativeOf } from '../../tensor/base.js';
import type { Tensor } from '../../tensor/tensor.js';

function withGradients(name: string, parameters: Tensor | Iterable<Tensor>) {
  const list = isTensor(parameters) ? [parameters] : [...parameters];
  const wrong = list.findIndex((parameter) => !isTensor(parameter));
  if (wrong >= 0) throw invalidArgument(`parameter ${wrong} of ${name}`, 'a Tensor', list[wrong]);
  return list.map((parameter) => nativeOf(parameter));
}

function checkLimit(name: string, value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0))
    throw invalidArgument(name, 'a number of at least 0', value, 'OUT_OF_RANGE');
  return value;
}

/**
 * Scales the gradients of all parameters together so that their norm is at most `maxNorm`; returns the norm they had.
 *
 * @param options - `normType`: which p-norm; default 2.
 *
 * @example
 * ```ts
 * loss.backward();
 * const norm = nn.utils.clipGradNorm(net.parameters(), 1);
 * optimizer.step();
 * ```
 */
export function clipGradNorm(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  { normType = 2 }: { normType?: number } = {},
): number {
  checkLimit('normType of clipGradNorm', normType);
  return torch().clipGradNorm(
    withGradients('clipGradNorm', parameters),
    checkLimit('maxNorm of clipGradNorm', maxNorm),
    normType,
  );
}

/**
 * Limits every element of the gradients to `[-clipValue, clipValue]`.
 *
 * @example
 * ```ts
 * loss.backward();
 * nn.utils.clipGradValue(net.parameters(), 0.5);
 * ```
 */
export function clipGradValue(parameters: Tensor | Iterable<Tensor>, clipValue: number): void {
  torch().clipGradValue(
    withGradients('clipGradValue', parameters),
    checkLimit('clipValue of clipGradValue', clipValue),
  );
}
