import { checkOptions, choiceWords } from '../../core/checks.js';
import type { Device } from '../../core/device.js';
import { ArgumentError, invalidArgument, mismatch, RecurraError } from '../../core/errors.js';
import { INSPECT, inspected } from '../../core/inspected.js';
import { resolveDevice } from '../../native/device.js';
import type { NativeTensor } from '../../native/torch.js';
import {
  checkDim,
  checkDtype,
  countElements,
  type DType,
  dtypes,
  dtypeText,
  isDtype,
  shapeText,
  type TypedArray,
} from './dtype.js';
import { elementsOf } from './elements.js';
import { nest } from './nested.js';
import { tensorText } from './print.js';
import { track, untrack } from './scope.js';
import type { Tensor } from './tensor.js';

/** Elements as nested arrays; of a tensor without dimensions, the element itself. */
export type NestedArray = number | boolean | NestedArray[];

/** Where and as what {@link TensorBase.to} gives a tensor. */
export interface ToOptions {
  /** Element type of the result; the tensor's own by default. */
  dtype?: DType;
  /** Device of the result; the tensor's own by default. */
  device?: Device;
}

// Only this module can make tensors: the constructor of an exported class cannot be private to a folder.
const TOKEN = Symbol('recurra.tensor');
type TensorClass = new (token: symbol, native: NativeTensor) => Tensor;
let tensorClass: TensorClass;

let getNative: (tensor: TensorBase) => NativeTensor;
let swapNative: (tensor: TensorBase, native: NativeTensor) => void;

/**
 * What every tensor has: shape, dtype, device, its elements as JavaScript values, and its memory.
 *
 * Not made directly; see {@link Tensor}.
 */
export abstract class TensorBase {
  #native: NativeTensor | null;
  #shape: readonly number[] | undefined;
  #dtype: DType | undefined;
  #device: Device | undefined;

  /** @internal */
  constructor(token: symbol, native: NativeTensor) {
    if (token !== TOKEN) {
      throw new ArgumentError(
        'INVALID_ARGUMENT',
        'A Tensor is not made with new; use tensor(data), zeros(shape) or another such function',
      );
    }
    this.#native = native;
    track(this);
  }

  static {
    getNative = (tensor) => {
      const native = tensor.#native;
      if (native === null) {
        throw new RecurraError(
          'DISPOSED',
          'This tensor was disposed, by dispose() or at the end of tidy(); return it from tidy or pass it to keep() if it is to live on',
        );
      }
      return native;
    };
    swapNative = (tensor, native) => {
      tensor.#native?.dispose();
      tensor.#native = native;
      tensor.#shape = undefined;
      tensor.#dtype = undefined;
      tensor.#device = undefined;
    };
  }

  /** Sizes of the dimensions; `[]` for a single number. */
  get shape(): readonly number[] {
    let shape = this.#shape;
    if (shape === undefined) {
      shape = Object.freeze(getNative(this).shape());
      this.#shape = shape;
    }
    return shape;
  }

  /** Element type. */
  get dtype(): DType {
    this.#dtype ??= getNative(this).dtype() as DType;
    return this.#dtype;
  }

  /** Device on which the elements are. */
  get device(): Device {
    this.#device ??= getNative(this).device() as Device;
    return this.#device;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  numel(): number {
    return countElements(this.shape);
  }

  /** Size of one dimension, counted from the end if negative; without one, the sizes of all, as {@link shape}. */
  size(): readonly number[];
  size(dim: number): number;
  size(dim?: number): number | readonly number[] {
    return dim === undefined ? this.shape : this.shape[checkDim('size', dim, this.ndim)]!;
  }

  /** `true` once the memory was given back. */
  get isDisposed(): boolean {
    return this.#native === null;
  }

  /**
   * Gives the memory back now instead of when the garbage collector finds the tensor unused. Doing so twice is allowed.
   *
   * Views of the same elements, and what `backward` still needs, are not affected.
   */
  dispose(): void {
    if (this.#native === null) return;
    this.#native.dispose();
    this.#native = null;
    untrack(this);
  }

  /** `using t = tensor(...)` disposes the tensor at the end of the block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * The element of a tensor with exactly one, as a number; a bool is 0 or 1.
   *
   * @throws `INVALID_SHAPE` if there is not exactly one element; `OUT_OF_RANGE` for an int64 beyond 2^53.
   *
   * @example
   * ```ts
   * tensor(3).item(); // 3
   * ```
   */
  item(): number {
    const native = getNative(this);
    if (this.numel() !== 1) {
      throw mismatch('item()', 'a tensor of one element', `shape ${shapeText(this.shape)}`, 'INVALID_SHAPE');
    }
    const value = native.item();
    if (this.dtype === 'int64' && !Number.isSafeInteger(value)) throw tooLarge('item');
    return value;
  }

  /**
   * A copy of the elements, row by row: `Float32Array` of float32 and bfloat16, `Float64Array` of float64, `BigInt64Array` of int64,
   * `Int32Array` of int32, `Uint8Array` (0 and 1) of bool.
   */
  toTypedArray(): TypedArray {
    return elementsOf(getNative(this), this.dtype);
  }

  /**
   * A copy of the elements as nested arrays of numbers (booleans of a bool tensor); the element itself if there are no
   * dimensions.
   *
   * @throws `OUT_OF_RANGE` if an int64 is beyond 2^53, where a JavaScript number is not exact.
   *
   * @example
   * ```ts
   * tensor([[1, 2], [3, 4]]).toArray(); // [[1, 2], [3, 4]]
   * ```
   */
  toArray(): NestedArray {
    const flat = this.toTypedArray();
    let read: (index: number) => number | boolean = (index) => flat[index] as number;
    if (this.dtype === 'bool') {
      read = (index) => flat[index] !== 0;
    } else if (flat instanceof BigInt64Array) {
      read = (index) => {
        const value = Number(flat[index]);
        if (!Number.isSafeInteger(value)) throw tooLarge('toArray');
        return value;
      };
    }
    return nest(this.shape, read);
  }

  /**
   * The tensor as another dtype or on another device; gradients flow through. The same elements, not copied, if nothing
   * changes.
   *
   * @param options - Also a dtype or a device alone: `to('int64')`, `to('cuda')`.
   * @throws `CudaError` if CUDA cannot be used.
   */
  to(options: ToOptions | DType | Device): Tensor {
    const { dtype, device } = toOptions(options);
    let native = getNative(this);
    let owned = false;
    if (dtype !== undefined && checkDtype('dtype of to', dtype) !== this.dtype) {
      native = native.toDtype(dtype);
      owned = true;
    }
    const target = device === undefined ? undefined : resolveDevice('device of to', device);
    if (target !== undefined && target !== this.device) {
      const moved = native.toDevice(target);
      if (owned) native.dispose();
      native = moved;
      owned = true;
    }
    return wrap(owned ? native : native.alias());
  }

  /** A copy with its own memory; gradients flow through. */
  clone(): Tensor {
    return wrap(getNative(this).clone());
  }

  /** The same elements (not a copy) without the history that `backward` follows. */
  detach(): Tensor {
    return wrap(getNative(this).detach());
  }

  /** The same elements laid out row by row in memory; a copy only where they are not. */
  contiguous(): Tensor {
    return wrap(getNative(this).contiguous());
  }

  /**
   * The elements as PyTorch prints them: in nested brackets, with 4 digits after the point, and of more than 1000 elements only
   * the first and last 3 of each dimension. After them comes what is not the default: dtype, device, `requiresGrad`.
   *
   * @example
   * ```ts
   * String(tensor([[1.5, 2], [3, 4]]));
   * // tensor([[1.5000, 2.0000],
   * //         [3.0000, 4.0000]])
   * ```
   */
  toString(): string {
    if (this.isDisposed) return 'tensor(disposed)';
    return tensorText({ native: getNative(this), shape: this.shape, dtype: this.dtype, device: this.device });
  }

  /** @internal */
  [INSPECT](): object {
    return inspected(this.toString());
  }
}

/**
 * What `to` of tensors and modules takes, as options: a name alone is a dtype or a device.
 *
 * @internal
 */
export function toOptions(options: ToOptions | DType | Device): ToOptions {
  // What `torch.float32` is here; without a word it would change nothing.
  if (options === undefined) throw invalidArgument('options of to', "a dtype such as 'float32', or a device", options);
  if (typeof options !== 'string') return checkOptions('options of to', options, ['dtype', 'device']);
  if (isDtype(options)) return { dtype: options };
  if (/^(cpu|cuda)/.test(options)) return { device: options };
  throw invalidArgument('options of to', `a dtype (${choiceWords(dtypes)}), or a device, 'cpu' or 'cuda'`, options);
}

function tooLarge(operation: string): RecurraError {
  return new RecurraError(
    'OUT_OF_RANGE',
    `${operation}() met an int64 beyond 2^53, which a number does not hold exactly; use toTypedArray(), which gives a BigInt64Array`,
  );
}

/**
 * Tells this module the class that {@link wrap} makes.
 *
 * @internal
 */
export function setTensorClass(value: TensorClass): void {
  tensorClass = value;
}

/**
 * The token with which subclasses of Tensor (Parameter) call its constructor.
 *
 * @internal
 */
export function tensorToken(): symbol {
  return TOKEN;
}

/**
 * Makes a tensor of a handle and enters it into the innermost tidy scope.
 *
 * @internal
 */
export function wrap(native: NativeTensor): Tensor {
  return new tensorClass(TOKEN, native);
}

/**
 * As {@link wrap}, but outside every tidy scope.
 *
 * @internal
 */
export function wrapUntracked(native: NativeTensor): Tensor {
  const tensor = wrap(native);
  untrack(tensor);
  return tensor;
}

/**
 * The handle of a tensor.
 *
 * @throws `DISPOSED` if it was disposed.
 *
 * @internal
 */
export function nativeOf(tensor: TensorBase): NativeTensor {
  return getNative(tensor);
}

/**
 * Puts another handle into a tensor (a parameter that moves to another device or dtype) and disposes the one it had.
 *
 * @internal
 */
export function replaceNative(tensor: TensorBase, native: NativeTensor): void {
  swapNative(tensor, native);
}

/**
 * Whether a value is a tensor.
 *
 * @internal
 */
export function isTensor(value: unknown): value is Tensor {
  return value instanceof TensorBase;
}

/**
 * Throws unless `value` is a tensor; returns its handle.
 *
 * @internal
 */
export function checkTensor(name: string, value: unknown): NativeTensor {
  if (!isTensor(value)) throw invalidArgument(name, 'a Tensor', value);
  return getNative(value);
}

/**
 * Throws unless two tensors are on the same device.
 *
 * @internal
 */
export function checkSameDevice(operation: string, a: TensorBase, b: TensorBase): void {
  if (a.device !== b.device) {
    throw new ArgumentError(
      'INVALID_DEVICE',
      `${operation} needs tensors on one device but received ${a.device} and ${b.device}; move one with to({ device })`,
    );
  }
}

/**
 * Throws unless a tensor has one of the dtypes.
 *
 * @internal
 */
export function checkTensorDtype(name: string, tensor: TensorBase, allowed: readonly DType[]): void {
  if (!allowed.includes(tensor.dtype)) {
    throw mismatch(
      name,
      `a tensor of ${allowed.join(' or ')} (t.to('${allowed[0]}') converts)`,
      `${dtypeText(tensor.dtype)} of shape ${shapeText(tensor.shape)}`,
      'INVALID_DTYPE',
    );
  }
}
