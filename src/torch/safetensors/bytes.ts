import { torch } from '../../native/torch.js';
import { wrap } from '../tensor/base.js';
import { tensor } from '../tensor/create.js';
import type { DType, TypedArray } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';

const VIEWS: Record<Exclude<DType, 'bfloat16'>, new (buffer: ArrayBuffer) => TypedArray> = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  bool: Uint8Array,
};

/**
 * A tensor of little-endian bytes, which are copied.
 *
 * @internal
 */
export function tensorOfBytes(bytes: Uint8Array, dtype: DType, shape: readonly number[]): Tensor {
  if (dtype === 'bfloat16') return wrap(torch().NativeTensor.fromBytes(bytes, dtype, [...shape]));
  // A copy, since a view needs an offset that is a multiple of its elements' size.
  return tensor(new VIEWS[dtype](new Uint8Array(bytes).buffer) as Float32Array, { dtype, shape });
}
