import { choiceWords } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';

/**
 * Element types of a tensor, under PyTorch's names. `bfloat16` is what {@link amp.autocast} computes in: float32 with 8 bits of
 * precision. Weights of layers are float32 or float64.
 */
export type DType = 'float32' | 'float64' | 'bfloat16' | 'int64' | 'int32' | 'bool';

/** The typed arrays that carry tensor elements; int64 is a `BigInt64Array` and bool a `Uint8Array` of 0 and 1. */
export type TypedArray = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

/** All element types, in the order of the documentation. */
export const dtypes: readonly DType[] = ['float32', 'float64', 'bfloat16', 'int64', 'int32', 'bool'];

/**
 * Element types with fractions.
 *
 * @internal
 */
export const floatingDtypes: readonly DType[] = ['float32', 'float64', 'bfloat16'];

/**
 * Bytes of one element.
 *
 * @internal
 */
export function bytesPerElement(dtype: DType): number {
  if (dtype === 'bool') return 1;
  if (dtype === 'bfloat16') return 2;
  return dtype === 'float32' || dtype === 'int32' ? 4 : 8;
}

/**
 * Whether a dtype has fractions.
 *
 * @internal
 */
export function isFloating(dtype: DType): boolean {
  return floatingDtypes.includes(dtype);
}

/**
 * Whether a dtype is one that weights of layers can have: float32 or float64.
 *
 * @internal
 */
export function isWeightDtype(dtype: DType): dtype is 'float32' | 'float64' {
  return dtype === 'float32' || dtype === 'float64';
}

/**
 * Whether a value is the name of a dtype.
 *
 * @internal
 */
export function isDtype(value: unknown): value is DType {
  return dtypes.includes(value as DType);
}

/**
 * A tensor of a dtype in words: `an int64 tensor`.
 *
 * @internal
 */
export function dtypeText(dtype: DType): string {
  return `${dtype.startsWith('i') ? 'an' : 'a'} ${dtype} tensor`;
}

/**
 * Throws unless `value` is the name of a dtype.
 *
 * @internal
 */
export function checkDtype(name: string, value: unknown): DType {
  if (!isDtype(value)) throw invalidArgument(name, choiceWords(dtypes), value, 'INVALID_DTYPE');
  return value;
}

/**
 * Throws unless `value` is a shape: an array of integers >= 0. Returns a copy.
 *
 * @internal
 */
export function checkShape(name: string, value: unknown): number[] {
  if (!Array.isArray(value)) throw invalidArgument(name, 'an array of sizes, such as [2, 3]', value, 'INVALID_SHAPE');
  for (const size of value) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
      throw invalidArgument(`each size of ${name}`, 'an integer of at least 0', size, 'INVALID_SHAPE');
    }
  }
  return [...value];
}

/**
 * Number of elements of a shape.
 *
 * @internal
 */
export function countElements(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/**
 * A dimension as PyTorch counts it: from 0, or from the end when negative. Returns it counted from 0.
 *
 * @internal
 */
export function checkDim(operation: string, dim: unknown, ndim: number, name = 'dim'): number {
  const span = Math.max(ndim, 1);
  if (typeof dim !== 'number' || !Number.isSafeInteger(dim))
    throw invalidArgument(`${name} of ${operation}`, 'an integer', dim);
  if (dim < -span || dim >= span) {
    throw invalidArgument(
      `${name} of ${operation}`,
      `a dimension from ${-span} to ${span - 1} (the tensor has ${ndim} dimensions)`,
      dim,
      'OUT_OF_RANGE',
    );
  }
  return dim < 0 ? dim + span : dim;
}

/**
 * A dimension that is given alone or, as Python's `dim=1`, in an object.
 *
 * @internal
 */
export function dimOf(dim: number | { dim: number }): number {
  return typeof dim === 'object' && dim !== null ? dim.dim : dim;
}

/**
 * Sizes that are given one by one, as PyTorch's `view(-1, 3)`, or as one array.
 *
 * @internal
 */
export function sizesOf(sizes: readonly number[] | readonly [readonly number[]]): readonly number[] {
  return (sizes.length === 1 && typeof sizes[0] !== 'number' ? sizes[0] : sizes) as readonly number[];
}

/**
 * A shape as text: `[2, 3]`.
 *
 * @internal
 */
export function shapeText(shape: readonly (number | string)[]): string {
  return `[${shape.join(', ')}]`;
}

/**
 * Throws unless `values` are integers of 32 bits; returns them as an Int32Array, the same one if it is one.
 *
 * @internal
 */
export function toInt32Array(name: string, values: Int32Array | readonly number[]): Int32Array {
  if (values instanceof Int32Array) return values;
  if (!Array.isArray(values)) throw invalidArgument(name, 'an Int32Array or an array of integers', values);
  const result = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value: unknown = values[i];
    if (typeof value !== 'number' || (value | 0) !== value) {
      throw invalidArgument(
        `${name}[${i}]`,
        'an integer',
        value,
        typeof value === 'number' ? 'OUT_OF_RANGE' : 'INVALID_ARGUMENT',
      );
    }
    result[i] = value;
  }
  return result;
}
