import { invalidArgument, mismatch } from '../../core/errors.js';
import { isTensor, nativeOf, tensorToken } from '../tensor/base.js';
import { dtypeText, isWeightDtype } from '../tensor/dtype.js';
import { untrack } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { WEIGHT_DTYPES } from './check.js';

/**
 * A tensor that a module learns: assigned to a property of a {@link Module} it becomes one of its parameters. It shares
 * the elements of the tensor it is made of, and is never disposed by `tidy`.
 *
 * @example
 * ```ts
 * class Scale extends nn.Module {
 *   scale = new nn.Parameter(ones([8]));
 *   forward(x: Tensor) {
 *     return x.mul(this.scale);
 *   }
 * }
 * new Scale().parameters().length; // 1
 * ```
 */
export class Parameter extends Tensor {
  /**
   * @param data - A tensor of float32 or float64 (any dtype if gradients are not required).
   * @param options - `requiresGrad`: whether it is trained; default `true`.
   */
  constructor(data: Tensor, { requiresGrad = true }: { requiresGrad?: boolean } = {}) {
    if (!isTensor(data)) throw invalidArgument('data of Parameter', 'a Tensor', data);
    if (requiresGrad && !isWeightDtype(data.dtype)) {
      throw mismatch('data of Parameter', `a tensor of ${WEIGHT_DTYPES}`, dtypeText(data.dtype), 'INVALID_DTYPE');
    }
    super(tensorToken(), nativeOf(data).detach());
    untrack(this);
    if (requiresGrad) this.requiresGrad_();
  }

  /** As that of a tensor, with the words that PyTorch puts before it. */
  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}
