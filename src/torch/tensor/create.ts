import { checkInteger, checkNumber, checkOptions } from '../../core/checks.js';
import type { Device } from '../../core/device.js';
import { invalidArgument, mismatch } from '../../core/errors.js';
import { resolveDevice } from '../../native/device.js';
import { type NativeTensor, torch } from '../../native/torch.js';
import { checkSameDevice, checkTensor, isTensor, nativeOf, type TensorBase, wrap } from './base.js';
import { fromData, type TensorData } from './data.js';
import { checkDim, checkDtype, checkShape, type DType, dimOf, isFloating, shapeText } from './dtype.js';
import type { Tensor } from './tensor.js';

/** What the functions that make tensors have in common. */
export interface CreateOptions {
  /** Element type. Default float32, if not said otherwise. */
  dtype?: DType;
  /** Device. Default `cpu`. */
  device?: Device;
  /** Whether operations on the tensor are recorded for `backward`. Default `false`. */
  requiresGrad?: boolean;
}

/** Options of {@link tensor}. */
export interface TensorOptions extends CreateOptions {
  /** Shape of the elements of a typed array; one dimension by default. */
  shape?: readonly number[];
}

/** Options of {@link arange}. */
export interface ArangeOptions extends CreateOptions {
  /** Distance between elements. Default 1. */
  step?: number;
}

function finish(native: NativeTensor, requiresGrad: boolean | undefined): Tensor {
  const result = wrap(native);
  return requiresGrad ? result.requiresGrad_() : result;
}

function create(
  name: string,
  options: CreateOptions | undefined,
  defaultDtype: DType,
  make: (dtype: DType, device: Device) => NativeTensor,
  allowed: 'any' | 'float' = 'any',
): Tensor {
  const {
    dtype = defaultDtype,
    device = 'cpu',
    requiresGrad,
  } = checkOptions(`options of ${name}`, options, ['dtype', 'device', 'requiresGrad']);
  checkDtype(`dtype of ${name}`, dtype);
  if (allowed === 'float' && !isFloating(dtype))
    throw invalidArgument(`dtype of ${name}`, 'float32, float64 or bfloat16', dtype, 'INVALID_DTYPE');
  return finish(make(dtype, resolveDevice(`device of ${name}`, device)), requiresGrad);
}

/**
 * Makes a tensor of numbers, booleans, nested arrays of them, or a typed array (copied whole).
 *
 * The dtype is, unless given: of a typed array its own (Float32Array float32, Float64Array float64, Int32Array int32,
 * BigInt64Array int64); otherwise as PyTorch has it, bool of booleans, int64 of integers, float32 as soon as one number
 * has a fraction (or is NaN or infinite). JavaScript cannot tell `1.0` from `1`: give the dtype where integers are
 * meant as floats. A `Uint8Array` needs `dtype: 'bool'`.
 *
 * @throws `INVALID_SHAPE` if nested arrays are ragged or `shape` does not fit; `INVALID_DTYPE` or `OUT_OF_RANGE` if
 * elements do not fit the dtype.
 *
 * @example
 * ```ts
 * tensor([[1, 2], [3, 4]]);                                  // int64, shape [2, 2]
 * tensor(new Float32Array(6), { shape: [2, 3] });            // float32, shape [2, 3]
 * tensor([0, 1], { dtype: 'float32', requiresGrad: true });
 * ```
 */
export function tensor(data: TensorData, options?: TensorOptions): Tensor {
  const {
    dtype,
    device: where = 'cpu',
    requiresGrad,
    shape,
  } = checkOptions('options of tensor', options, ['dtype', 'device', 'requiresGrad', 'shape']);
  if (dtype !== undefined) checkDtype('dtype of tensor', dtype);
  const device = resolveDevice('device of tensor', where);
  let native = fromData(data, dtype, shape);
  if (device !== 'cpu') {
    const onCpu = native;
    native = onCpu.toDevice(device);
    onCpu.dispose();
  }
  return finish(native, requiresGrad);
}

/**
 * A tensor of zeros.
 *
 * @example
 * ```ts
 * zeros([2, 3]).shape; // [2, 3]
 * ```
 */
export function zeros(shape: readonly number[], options?: CreateOptions): Tensor {
  const sizes = checkShape('shape of zeros', shape);
  return create('zeros', options, 'float32', (dtype, device) => torch().zeros(sizes, dtype, device));
}

/**
 * A tensor of ones.
 *
 * @example
 * ```ts
 * ones([2], { dtype: 'int64' }).toArray(); // [1, 1]
 * ```
 */
export function ones(shape: readonly number[], options?: CreateOptions): Tensor {
  const sizes = checkShape('shape of ones', shape);
  return create('ones', options, 'float32', (dtype, device) => torch().ones(sizes, dtype, device));
}

/**
 * A tensor of one repeated value; int64 by default if it is an integer, else float32.
 *
 * @example
 * ```ts
 * full([2], 0.5).toArray(); // [0.5, 0.5]
 * ```
 */
export function full(shape: readonly number[], value: number, options?: CreateOptions): Tensor {
  const sizes = checkShape('shape of full', shape);
  checkNumber('value of full', value);
  return create('full', options, Number.isInteger(value) ? 'int64' : 'float32', (dtype, device) =>
    torch().full(sizes, value, dtype, device),
  );
}

/** Zeros with the shape, dtype and device of another tensor. */
export function zerosLike(other: TensorBase, options?: CreateOptions): Tensor {
  checkTensor('tensor of zerosLike', other);
  return zeros(other.shape, { dtype: other.dtype, device: other.device, ...options });
}

/** Ones with the shape, dtype and device of another tensor. */
export function onesLike(other: TensorBase, options?: CreateOptions): Tensor {
  checkTensor('tensor of onesLike', other);
  return ones(other.shape, { dtype: other.dtype, device: other.device, ...options });
}

/**
 * Numbers from `start` (0 if only `end` is given) up to, without, `end`; int64 if all are integers, else float32.
 *
 * @example
 * ```ts
 * arange(3).toArray(); // [0, 1, 2]
 * ```
 */
export function arange(end: number, options?: ArangeOptions): Tensor;
export function arange(start: number, end: number, options?: ArangeOptions): Tensor;
export function arange(first: number, second?: number | ArangeOptions, third?: ArangeOptions): Tensor {
  const [start, end, options] = typeof second === 'number' ? [first, second, third] : [0, first, second];
  const { step = 1, ...rest } = checkOptions('options of arange', options, ['dtype', 'device', 'requiresGrad', 'step']);
  for (const [name, value] of Object.entries({ start, end, step })) {
    if (!Number.isFinite(checkNumber(`${name} of arange`, value)))
      throw invalidArgument(`${name} of arange`, 'a finite number', value);
  }
  if (step === 0 || (end - start) / step < 0)
    throw invalidArgument('step of arange', `a number that leads from ${start} to ${end}`, step, 'OUT_OF_RANGE');
  const integers = Number.isInteger(start) && Number.isInteger(end) && Number.isInteger(step);
  return create('arange', rest, integers ? 'int64' : 'float32', (dtype, device) =>
    torch().arange(start, end, step, dtype, device),
  );
}

/**
 * The identity matrix, `[n, m]`; square by default.
 *
 * @example
 * ```ts
 * eye(2).toArray(); // [[1, 0], [0, 1]]
 * ```
 */
export function eye(n: number, m: number = n, options?: CreateOptions): Tensor {
  checkInteger('n of eye', n, 0);
  checkInteger('m of eye', m, 0);
  return create('eye', options, 'float32', (dtype, device) => torch().eye(n, m, dtype, device));
}

/** Numbers drawn uniformly from `[0, 1)`, from PyTorch's generator: see {@link manualSeed}. */
export function rand(shape: readonly number[], options?: CreateOptions): Tensor {
  const sizes = checkShape('shape of rand', shape);
  return create('rand', options, 'float32', (dtype, device) => torch().rand(sizes, dtype, device), 'float');
}

/**
 * Numbers drawn from the normal distribution with mean 0 and standard deviation 1, from PyTorch's generator.
 *
 * @example
 * ```ts
 * manualSeed(1);
 * randn([2, 3]).shape; // [2, 3]
 * ```
 */
export function randn(shape: readonly number[], options?: CreateOptions): Tensor {
  const sizes = checkShape('shape of randn', shape);
  return create('randn', options, 'float32', (dtype, device) => torch().randn(sizes, dtype, device), 'float');
}

/** {@link rand} with the shape, dtype and device of another tensor. */
export function randLike(other: TensorBase, options?: CreateOptions): Tensor {
  checkTensor('tensor of randLike', other);
  return rand(other.shape, { dtype: other.dtype, device: other.device, ...options });
}

/** {@link randn} with the shape, dtype and device of another tensor. */
export function randnLike(other: TensorBase, options?: CreateOptions): Tensor {
  checkTensor('tensor of randnLike', other);
  return randn(other.shape, { dtype: other.dtype, device: other.device, ...options });
}

/**
 * Integers drawn uniformly from `[low, high)`, from PyTorch's generator; int64 by default.
 *
 * @example
 * ```ts
 * randint(0, 10, [4]).dtype; // 'int64'
 * ```
 */
export function randint(low: number, high: number, shape: readonly number[], options?: CreateOptions): Tensor {
  checkInteger('low of randint', low);
  checkInteger('high of randint', high, low + 1);
  const sizes = checkShape('shape of randint', shape);
  return create('randint', options, 'int64', (dtype, device) => torch().randint(low, high, sizes, dtype, device));
}

/** The integers from 0 to `n - 1` in random order, from PyTorch's generator; int64 by default. */
export function randperm(n: number, options?: CreateOptions): Tensor {
  checkInteger('n of randperm', n, 0);
  return create('randperm', options, 'int64', (dtype, device) => torch().randperm(n, dtype, device));
}

function checkTensors(name: string, tensors: readonly TensorBase[]): NativeTensor[] {
  if (!Array.isArray(tensors) || tensors.length === 0 || !tensors.every(isTensor)) {
    throw invalidArgument(`tensors of ${name}`, 'an array of at least one Tensor', tensors);
  }
  for (const other of tensors) checkSameDevice(name, tensors[0]!, other);
  return tensors.map((one) => nativeOf(one));
}

/**
 * Tensors joined along an existing dimension; the other sizes must be the same.
 *
 * @example
 * ```ts
 * cat([tensor([[1], [2]]), tensor([[3]])], 0).toArray(); // [[1], [2], [3]]
 * ```
 */
export function cat(tensors: readonly TensorBase[], dim: number | { dim: number } = 0): Tensor {
  const natives = checkTensors('cat', tensors);
  const first = tensors[0]!.shape;
  if (first.length === 0)
    throw mismatch('tensors of cat', 'tensors with dimensions', 'a tensor of shape []', 'INVALID_SHAPE');
  const at = checkDim('cat', dimOf(dim), first.length);
  for (const { shape } of tensors) {
    if (shape.length !== first.length || shape.some((size, i) => i !== at && size !== first[i])) {
      throw mismatch(
        'tensors of cat',
        `shapes equal to ${shapeText(first)} but for dimension ${at}`,
        shapeText(shape),
        'INVALID_SHAPE',
      );
    }
  }
  return wrap(torch().cat(natives, at));
}

/**
 * Tensors of one shape joined along a new dimension.
 *
 * @example
 * ```ts
 * stack([tensor([1, 2]), tensor([3, 4])]).toArray(); // [[1, 2], [3, 4]]
 * ```
 */
export function stack(tensors: readonly TensorBase[], dim: number | { dim: number } = 0): Tensor {
  const natives = checkTensors('stack', tensors);
  const first = tensors[0]!.shape;
  for (const { shape } of tensors) {
    if (shapeText(shape) !== shapeText(first)) {
      throw mismatch(
        'tensors of stack',
        `tensors of one shape, ${shapeText(first)}`,
        shapeText(shape),
        'INVALID_SHAPE',
      );
    }
  }
  return wrap(torch().stack(natives, checkDim('stack', dimOf(dim), first.length + 1)));
}

/**
 * Elements of `a` where `condition` (bool) is true, those of `b` elsewhere.
 *
 * @example
 * ```ts
 * where(tensor([true, false]), tensor([1, 2]), tensor([8, 9])).toArray(); // [1, 9]
 * ```
 */
export function where(condition: TensorBase, a: Tensor, b: TensorBase | number): Tensor {
  checkTensor('a of where', a);
  return a.where(condition, b);
}

/**
 * Seeds PyTorch's generators: what is drawn afterwards (initial weights, dropout, `rand`) is what PyTorch 2.11 draws
 * after `torch.manual_seed` with the same seed.
 *
 * @example
 * ```ts
 * manualSeed(7);
 * const first = randn([3]).toArray();
 * manualSeed(7);
 * console.log(first, randn([3]).toArray()); // the same twice
 * ```
 */
export function manualSeed(seed: number): void {
  torch().manualSeed(checkInteger('seed of manualSeed', seed, 0));
}
