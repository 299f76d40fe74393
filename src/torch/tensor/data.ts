import { ArgumentError, describe, invalidArgument, mismatch } from '../../core/errors.js';
import { type NativeTensor, torch } from '../../native/torch.js';
import {
  bytesPerElement,
  checkShape,
  countElements,
  type DType,
  isFloating,
  shapeText,
  type TypedArray,
} from './dtype.js';

/** One element. */
export type TensorElement = number | boolean | bigint;

/** What a tensor can be made of. */
export type TensorData = TensorElement | TypedArray | readonly TensorData[];

/**
 * Makes a handle of elements, on the CPU.
 *
 * @internal
 */
export function fromData(
  data: TensorData,
  dtype: DType | undefined,
  shape: readonly number[] | undefined,
): NativeTensor {
  if (ArrayBuffer.isView(data)) return fromTypedArray(data, dtype, shape);
  const found = shapeOf(data);
  const flat = flatten(data, found, dtype);
  return fromTypedArray(flat.values, flat.dtype, shape ?? found);
}

function fromTypedArray(
  data: TypedArray,
  dtype: DType | undefined,
  shape: readonly number[] | undefined,
): NativeTensor {
  const own = dtypeOf(data);
  if (own === undefined) {
    throw invalidArgument(
      'data of tensor',
      'a Float32Array, Float64Array, Int32Array, BigInt64Array, or a Uint8Array with dtype bool',
      data,
      'INVALID_DTYPE',
    );
  }
  if (own === 'bool') {
    if (dtype !== 'bool') throw mismatch('dtype of tensor', "'bool' with a Uint8Array", String(dtype), 'INVALID_DTYPE');
    const wrong = (data as Uint8Array).findIndex((value) => value > 1);
    if (wrong >= 0) throw invalidArgument(`element ${wrong} of a bool tensor`, '0 or 1', data[wrong], 'OUT_OF_RANGE');
  }
  const sizes = shape === undefined ? [data.length] : checkShape('shape of tensor', shape);
  if (countElements(sizes) !== data.length) {
    throw mismatch(
      'shape of tensor',
      `a shape of ${data.length} elements`,
      `${shapeText(sizes)}, which has ${countElements(sizes)}`,
      'INVALID_SHAPE',
    );
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length * bytesPerElement(own));
  const native = torch().NativeTensor.fromBytes(bytes, own, sizes);
  if (dtype === undefined || dtype === own) return native;
  if (isFloating(own) && !isFloating(dtype) && dtype !== 'bool')
    checkIntegers(data as Float32Array | Float64Array, dtype);
  if (own === 'int64' && dtype === 'int32') checkBigIntegers(data as BigInt64Array);
  const converted = native.toDtype(dtype);
  native.dispose();
  return converted;
}

function dtypeOf(data: object): DType | undefined {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof BigInt64Array) return 'int64';
  // Buffer is a Uint8Array too.
  return data instanceof Uint8Array ? 'bool' : undefined;
}

function checkIntegers(data: Float32Array | Float64Array, dtype: DType): void {
  const limit = dtype === 'int32' ? 2 ** 31 : Number.MAX_SAFE_INTEGER;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (!Number.isInteger(value))
      throw invalidArgument(`element ${i} of a tensor of ${dtype}`, 'an integer', value, 'INVALID_DTYPE');
    if (value > limit || value < -limit || (value === limit && dtype === 'int32')) {
      throw invalidArgument(
        `element ${i} of a tensor of ${dtype}`,
        `an integer within ${dtype === 'int32' ? '32 bits' : '2^53 (use bigint beyond)'}`,
        value,
        'OUT_OF_RANGE',
      );
    }
  }
}

function checkBigIntegers(data: BigInt64Array): void {
  const wrong = data.findIndex((value) => value >= 2n ** 31n || value < -(2n ** 31n));
  if (wrong >= 0)
    throw invalidArgument(
      `element ${wrong} of a tensor of int32`,
      'an integer within 32 bits',
      data[wrong],
      'OUT_OF_RANGE',
    );
}

// The shape that the first elements suggest; `flatten` finds whether the others agree.
function shapeOf(data: TensorData): number[] {
  const shape: number[] = [];
  let level: TensorData | undefined = data;
  while (Array.isArray(level)) {
    shape.push(level.length);
    if (shape.length > 64) throw mismatch('data of tensor', 'at most 64 levels of arrays', 'more', 'INVALID_SHAPE');
    level = level[0] as TensorData | undefined;
  }
  return shape;
}

interface Flat {
  values: TypedArray;
  dtype: DType;
}

function flatten(data: TensorData, shape: readonly number[], dtype: DType | undefined): Flat {
  const found = { booleans: 0, bigints: 0, fractions: 0 };
  const count = countElements(shape);
  const elements: TensorElement[] = [];
  const path: number[] = [];
  const visit = (value: unknown, dim: number): void => {
    if (dim < shape.length) {
      if (!Array.isArray(value) || value.length !== shape[dim]) {
        throw new ArgumentError(
          'INVALID_SHAPE',
          `Expected nested arrays of shape ${shapeText(shape)} for data of tensor but received ${describe(value)} at [${path.join('][')}]; all rows must be of one length`,
        );
      }
      for (let i = 0; i < value.length; i++) {
        path[dim] = i;
        visit(value[i], dim + 1);
      }
      path.length = dim;
      return;
    }
    if (typeof value === 'boolean') found.booleans++;
    else if (typeof value === 'bigint') found.bigints++;
    else if (typeof value !== 'number') {
      const where = path.length > 0 ? ` at [${path.join('][')}]` : '';
      const ragged = Array.isArray(value);
      throw mismatch(
        `data of tensor${where}`,
        'a number or a boolean',
        describe(value),
        ragged ? 'INVALID_SHAPE' : 'INVALID_ARGUMENT',
      );
    } else if (!Number.isInteger(value)) found.fractions++;
    elements.push(value as TensorElement);
  };
  visit(data, 0);

  if (found.bigints > 0) {
    if (found.fractions > 0)
      throw mismatch('data of tensor', 'either bigints or numbers with fractions', 'both', 'INVALID_DTYPE');
    return { values: toBigInts(elements), dtype: dtype ?? 'int64' };
  }
  // Without elements there is nothing to tell a dtype by; PyTorch makes it float32.
  const inferred: DType = found.fractions > 0 || count === 0 ? 'float32' : found.booleans === count ? 'bool' : 'int64';
  const target = dtype ?? inferred;
  if (target === 'float32') return { values: Float32Array.from(elements as number[]), dtype: target };
  const numbers = Float64Array.from(elements as number[]);
  return { values: numbers, dtype: target };
}

function toBigInts(elements: readonly TensorElement[]): BigInt64Array {
  return BigInt64Array.from(elements, (value, i) => {
    const big = BigInt(value);
    if (BigInt.asIntN(64, big) !== big)
      throw invalidArgument(`element ${i} of a tensor of int64`, 'an integer within 64 bits', big, 'OUT_OF_RANGE');
    return big;
  });
}
