import { mismatch } from '../../core/errors.js';
import { shapeText } from '../tensor/dtype.js';
import { noGrad } from '../tensor/grad.js';
import type { Tensor } from '../tensor/tensor.js';

/** @internal */
export { kaiming_uniform_, xavier_normal_, xavier_uniform_ } from './pythonFunctions.js';

/**
 * Fills a tensor from the uniform distribution over `[low, high)`, without recording it.
 *
 * @example
 * ```ts
 * nn.init.uniform_(net.weight, -0.1, 0.1);
 * ```
 */
export function uniform_<T extends Tensor>(tensor: T, low = 0, high = 1): T {
  return noGrad(() => tensor.uniform_(low, high));
}

/**
 * Fills a tensor from the normal distribution, without recording it.
 *
 * @example
 * ```ts
 * nn.init.normal_(net.weight, 0, 0.02);
 * ```
 */
export function normal_<T extends Tensor>(tensor: T, mean = 0, std = 1): T {
  return noGrad(() => tensor.normal_(mean, std));
}

/**
 * Fills a tensor with one value, without recording it.
 *
 * @example
 * ```ts
 * nn.init.constant_(zeros([2]), 3).toArray(); // [3, 3]
 * ```
 */
export function constant_<T extends Tensor>(tensor: T, value: number): T {
  return noGrad(() => tensor.fill_(value));
}

/** Fills a tensor with zeros, without recording it. */
export function zeros_<T extends Tensor>(tensor: T): T {
  return constant_(tensor, 0);
}

/** Fills a tensor with ones, without recording it. */
export function ones_<T extends Tensor>(tensor: T): T {
  return constant_(tensor, 1);
}

function fans(name: string, tensor: Tensor): { fanIn: number; fanOut: number } {
  if (tensor.ndim < 2)
    throw mismatch(
      `tensor of ${name}`,
      'a tensor of at least 2 dimensions',
      `shape ${shapeText(tensor.shape)}`,
      'INVALID_SHAPE',
    );
  const [out, into, ...rest] = tensor.shape as [number, number, ...number[]];
  const field = rest.reduce((product, size) => product * size, 1);
  return { fanIn: into * field, fanOut: out * field };
}

/**
 * Fills a weight from U(-bound, bound), bound = sqrt(3) * gain / sqrt(fanIn) and gain = sqrt(2 / (1 + a^2)), as He et
 * al. (2015) derive it for a leaky ReLU of slope `a`.
 *
 * @example
 * ```ts
 * nn.init.kaimingUniform_(net.weight, { a: Math.sqrt(5) });
 * ```
 */
export function kaimingUniform_<T extends Tensor>(tensor: T, { a = 0 }: { a?: number } = {}): T {
  const { fanIn } = fans('kaimingUniform_', tensor);
  // In PyTorch's order of operations, so that the bound is the same to the last bit.
  const gain = Math.sqrt(2 / (1 + a ** 2));
  const std = gain / Math.sqrt(fanIn);
  const bound = Math.sqrt(3) * std;
  return uniform_(tensor, -bound, bound);
}

/**
 * Fills a weight from U(-a, a), a = gain * sqrt(6 / (fanIn + fanOut)), as Glorot and Bengio (2010) derive it.
 *
 * @example
 * ```ts
 * nn.init.xavierUniform_(net.weight);
 * ```
 */
export function xavierUniform_<T extends Tensor>(tensor: T, { gain = 1 }: { gain?: number } = {}): T {
  const { fanIn, fanOut } = fans('xavierUniform_', tensor);
  const std = gain * Math.sqrt(2 / (fanIn + fanOut));
  const bound = Math.sqrt(3) * std;
  return uniform_(tensor, -bound, bound);
}

/** Fills a weight from the normal distribution with std = gain * sqrt(2 / (fanIn + fanOut)). */
export function xavierNormal_<T extends Tensor>(tensor: T, { gain = 1 }: { gain?: number } = {}): T {
  const { fanIn, fanOut } = fans('xavierNormal_', tensor);
  return normal_(tensor, 0, gain * Math.sqrt(2 / (fanIn + fanOut)));
}
