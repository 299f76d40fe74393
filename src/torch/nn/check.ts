import type { Device } from '../../core/device.js';
import { ArgumentError, invalidArgument, mismatch } from '../../core/errors.js';
import { torch } from '../../native/torch.js';
import { checkTensor, nativeOf, type TensorBase } from '../tensor/base.js';
import { type DType, dtypeText, isWeightDtype, shapeText } from '../tensor/dtype.js';

/** Options of all layers with parameters. */
export interface FactoryOptions {
  /** Element type of the parameters: float32 (default) or float64. */
  dtype?: 'float32' | 'float64';
  /**
   * Device of the parameters. Default `cpu`. Initial values are drawn on the CPU in any case, and are the same on every
   * device.
   */
  device?: Device;
}

/**
 * The message about another dtype of weights.
 *
 * @internal
 */
export const WEIGHT_DTYPES = 'float32 or float64 (for mixed precision keep float32 and use amp.autocast)';

/**
 * Throws unless `options` has a floating point dtype, or none.
 *
 * @internal
 */
export function checkFactory(
  where: string,
  { dtype = 'float32', device = 'cpu' }: FactoryOptions,
): Required<FactoryOptions> {
  if (!isWeightDtype(dtype)) throw invalidArgument(`dtype of ${where}`, WEIGHT_DTYPES, dtype, 'INVALID_DTYPE');
  return { dtype, device };
}

/**
 * Whether autocast converts tensors of two dtypes to one, for the operators in its lists: products, recurrent layers
 * and losses.
 *
 * @internal
 */
export function castsTogether(a: { dtype: DType; device: Device }, b: { dtype: DType }): boolean {
  const casts = (dtype: DType) => dtype === 'float32' || dtype === 'bfloat16';
  return casts(a.dtype) && casts(b.dtype) && torch().isAutocastEnabled(a.device !== 'cpu');
}

/**
 * Throws unless a tensor has the dtype and the device of a layer's weights.
 *
 * @internal
 */
export function checkLikeWeight(name: string, tensor: TensorBase, weight: { dtype: DType; device: Device }): void {
  checkTensor(name, tensor);
  if (tensor.dtype !== weight.dtype && !castsTogether(tensor, weight)) {
    throw mismatch(
      name,
      `${dtypeText(weight.dtype)}, the dtype of the weights,`,
      dtypeText(tensor.dtype),
      'INVALID_DTYPE',
    );
  }
  if (tensor.device !== weight.device) {
    throw mismatch(
      name,
      `a tensor on ${weight.device}, where the weights are`,
      `one on ${tensor.device}`,
      'INVALID_DEVICE',
    );
  }
}

/**
 * Throws unless a tensor has exactly a shape.
 *
 * @internal
 */
export function checkExactShape(name: string, tensor: TensorBase, shape: readonly number[], meaning: string): void {
  checkTensor(name, tensor);
  if (tensor.ndim !== shape.length || shape.some((size, i) => size !== tensor.shape[i])) {
    throw mismatch(name, `shape ${shapeText(shape)} ${meaning}`, `shape ${shapeText(tensor.shape)}`, 'INVALID_SHAPE');
  }
}

/**
 * Throws unless all ids are within `[0, limit)`; in libtorch, such an id makes the CUDA device unusable for the
 * process.
 *
 * @internal
 */
export function checkIds(name: string, ids: TensorBase, limit: number, what: string): void {
  if (ids.dtype !== 'int64' && ids.dtype !== 'int32') {
    throw mismatch(name, 'a tensor of int64 or int32', dtypeText(ids.dtype), 'INVALID_DTYPE');
  }
  const range = idRange(ids);
  if (!range) return;
  const wrong = range.min < 0 ? range.min : range.max >= limit ? range.max : undefined;
  if (wrong !== undefined) {
    throw new ArgumentError(
      'OUT_OF_RANGE',
      `Expected ids from 0 to ${limit - 1} (${what}) for ${name} but found ${wrong}`,
    );
  }
}

/**
 * Smallest and largest element of a tensor of integers; undefined for an empty one.
 *
 * @internal
 */
export function idRange(ids: TensorBase): { min: number; max: number } | undefined {
  const range = nativeOf(ids).range();
  return range ? { min: range[0], max: range[1] } : undefined;
}
