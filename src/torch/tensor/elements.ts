import type { NativeTensor } from '../../native/torch.js';
import type { DType, TypedArray } from './dtype.js';

/**
 * A copy of the elements of a handle, row by row, as {@link TensorBase.toTypedArray} returns them.
 *
 * @internal
 */
export function elementsOf(native: NativeTensor, dtype: DType): TypedArray {
  const bytes = dtype === 'bfloat16' ? widened(native) : native.toBytes();
  if (dtype === 'bool') return bytes;
  // A typed array must begin at a multiple of its element size.
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  switch (dtype) {
    case 'float32':
    case 'bfloat16':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'float64':
      return new Float64Array(buffer, byteOffset, byteLength / 8);
    case 'int32':
      return new Int32Array(buffer, byteOffset, byteLength / 4);
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, byteLength / 8);
  }
}

/** The bytes of bfloat16 elements as float32, which holds them exactly. */
function widened(native: NativeTensor): Uint8Array {
  const plain = native.detach();
  const wide = plain.toDtype('float32');
  const bytes = wide.toBytes();
  plain.dispose();
  wide.dispose();
  return bytes;
}
