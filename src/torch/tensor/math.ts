import { checkNumber, checkOptions } from '../../core/checks.js';
import { ArgumentError, invalidArgument, mismatch } from '../../core/errors.js';
import { type NativeTensor, torch } from '../../native/torch.js';
import { checkSameDevice, checkTensor, checkTensorDtype, isTensor, nativeOf, TensorBase, wrap } from './base.js';
import { isFloating, shapeText } from './dtype.js';
import type { Tensor } from './tensor.js';

/** What the operators take on their right side: a tensor that broadcasts, or a number. */
export type Operand = TensorBase | number;

/** The bounds of {@link TensorMath.clamp} by name. */
export interface Bounds {
  /** Least element; no limit by default. */
  min?: number | null;
  /** Largest element; no limit by default. */
  max?: number | null;
}

/**
 * The bounds of a clamp, one after the other or by name.
 *
 * @internal
 */
export function boundsOf(
  operation: string,
  first: number | null | undefined | Bounds,
  second: number | null | undefined,
): { min: number | null; max: number | null } {
  const named =
    typeof first === 'object' && first !== null
      ? checkOptions(`options of ${operation}`, first, ['min', 'max'])
      : { min: first, max: second };
  const { min = null, max = null } = named;
  if (min === null && max === null) throw mismatch(`options of ${operation}`, 'min, max or both', 'neither');
  if (min !== null) checkNumber(`min of ${operation}`, min);
  if (max !== null) checkNumber(`max of ${operation}`, max);
  return { min, max };
}

type Binary = 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';
type Unary =
  | 'neg'
  | 'abs'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'square'
  | 'tanh'
  | 'sigmoid'
  | 'relu'
  | 'logicalNot'
  | 'reciprocal'
  | 'isfinite';

/**
 * Throws unless two shapes broadcast against each other, as NumPy and PyTorch define it.
 *
 * @internal
 */
export function checkBroadcast(operation: string, a: readonly number[], b: readonly number[]): void {
  for (let i = 1; i <= Math.min(a.length, b.length); i++) {
    const [x, y] = [a[a.length - i]!, b[b.length - i]!];
    if (x !== y && x !== 1 && y !== 1) {
      throw new ArgumentError(
        'INVALID_SHAPE',
        `${operation} cannot broadcast shapes ${shapeText(a)} and ${shapeText(b)}: sizes ${x} and ${y} differ and neither is 1`,
      );
    }
  }
}

/** Arithmetic and comparison of tensors. Not made directly; see {@link Tensor}. */
export abstract class TensorMath extends TensorBase {
  #binary(operation: Binary, other: Operand): Tensor {
    const native = nativeOf(this);
    if (typeof other === 'number') return wrap(native[`${operation}Scalar`](other));
    return wrap(native[operation](this.#operand(operation, other)));
  }

  #operand(operation: string, other: unknown): NativeTensor {
    if (!isTensor(other)) throw invalidArgument(`the operand of ${operation}`, 'a Tensor or a number', other);
    // PyTorch lets a single element on the CPU meet a tensor elsewhere.
    if (other.ndim > 0 && this.ndim > 0) checkSameDevice(operation, this, other);
    checkBroadcast(operation, this.shape, other.shape);
    return nativeOf(other);
  }

  #unary(operation: Unary): Tensor {
    return wrap(nativeOf(this)[operation]());
  }

  /**
   * Sum of elements, broadcasting and promoting dtypes as PyTorch does.
   *
   * @example
   * ```ts
   * tensor([[1, 2], [3, 4]]).add(tensor([10, 20])).toArray(); // [[11, 22], [13, 24]]
   * ```
   */
  add(other: Operand): Tensor {
    return this.#binary('add', other);
  }

  /** Difference of elements. */
  sub(other: Operand): Tensor {
    return this.#binary('sub', other);
  }

  /** Product of elements. */
  mul(other: Operand): Tensor {
    return this.#binary('mul', other);
  }

  /** Quotient of elements; integers give float32. */
  div(other: Operand): Tensor {
    return this.#binary('div', other);
  }

  /** Elements to the power of `exponent`. */
  pow(exponent: Operand): Tensor {
    return this.#binary('pow', exponent);
  }

  /** The larger of each pair of elements. */
  maximum(other: TensorBase): Tensor {
    return wrap(nativeOf(this).maximum(this.#operand('maximum', other)));
  }

  /** The smaller of each pair of elements. */
  minimum(other: TensorBase): Tensor {
    return wrap(nativeOf(this).minimum(this.#operand('minimum', other)));
  }

  /**
   * Matrix product, of vectors, matrices or batches of them as PyTorch's `matmul`: `[.., n, k]` with `[.., k, m]` gives
   * `[.., n, m]`.
   *
   * @throws `INVALID_SHAPE` if the inner sizes differ; `INVALID_DTYPE` if the dtypes do.
   *
   * @example
   * ```ts
   * tensor([[1, 2]]).matmul(tensor([[3], [4]])).toArray(); // [[11]]
   * ```
   */
  matmul(other: TensorBase): Tensor {
    const right = checkTensor('the operand of matmul', other);
    checkSameDevice('matmul', this, other);
    const [a, b] = [this.shape, other.shape];
    if (this.dtype !== other.dtype) {
      throw new ArgumentError(
        'INVALID_DTYPE',
        `matmul needs one dtype but received ${this.dtype} and ${other.dtype}; convert one with to({ dtype })`,
      );
    }
    const inner = b.length === 1 ? b[0] : b.at(-2);
    if (a.length === 0 || b.length === 0 || a.at(-1) !== inner) {
      throw new ArgumentError(
        'INVALID_SHAPE',
        `matmul cannot multiply shapes ${shapeText(a)} and ${shapeText(b)}: the last size of the first must be the second to last of the second`,
      );
    }
    checkBroadcast('matmul', a.slice(0, -2), b.slice(0, -2));
    return wrap(nativeOf(this).matmul(right));
  }

  /** Elements with the sign changed. */
  neg(): Tensor {
    return this.#unary('neg');
  }

  /** Absolute values. */
  abs(): Tensor {
    return this.#unary('abs');
  }

  /** e to the power of each element. */
  exp(): Tensor {
    return this.#unary('exp');
  }

  /** Natural logarithms. */
  log(): Tensor {
    return this.#unary('log');
  }

  /** Square roots. */
  sqrt(): Tensor {
    return this.#unary('sqrt');
  }

  /** Squares. */
  square(): Tensor {
    return this.#unary('square');
  }

  /** Reciprocals. */
  reciprocal(): Tensor {
    return this.#unary('reciprocal');
  }

  /** Hyperbolic tangents. */
  tanh(): Tensor {
    return this.#unary('tanh');
  }

  /** `1 / (1 + exp(-x))`. */
  sigmoid(): Tensor {
    return this.#unary('sigmoid');
  }

  /** `max(x, 0)`. */
  relu(): Tensor {
    return this.#unary('relu');
  }

  /**
   * Elements limited to `[min, max]`; leave one out, or give `null`, for no limit on that side. The bounds may also be given as
   * `{ min, max }`.
   *
   * @example
   * ```ts
   * tensor([-5, 2, 9]).clamp(0, 5).toArray(); // [0, 2, 5]
   * ```
   */
  clamp(min: number | null | Bounds, max?: number | null): Tensor {
    const bounds = boundsOf('clamp', min, max);
    return wrap(nativeOf(this).clamp(bounds.min, bounds.max));
  }

  /** bool: equal. */
  eq(other: Operand): Tensor {
    return this.#binary('eq', other);
  }

  /** bool: not equal. */
  ne(other: Operand): Tensor {
    return this.#binary('ne', other);
  }

  /** bool: less than. */
  lt(other: Operand): Tensor {
    return this.#binary('lt', other);
  }

  /** bool: less than or equal. */
  le(other: Operand): Tensor {
    return this.#binary('le', other);
  }

  /** bool: greater than. */
  gt(other: Operand): Tensor {
    return this.#binary('gt', other);
  }

  /** bool: greater than or equal. */
  ge(other: Operand): Tensor {
    return this.#binary('ge', other);
  }

  /** bool: not; any element but zero counts as true. */
  logicalNot(): Tensor {
    return this.#unary('logicalNot');
  }

  /** bool: both. */
  logicalAnd(other: TensorBase): Tensor {
    return wrap(nativeOf(this).logicalAnd(this.#operand('logicalAnd', other)));
  }

  /** bool: one or both. */
  logicalOr(other: TensorBase): Tensor {
    return wrap(nativeOf(this).logicalOr(this.#operand('logicalOr', other)));
  }

  /** bool: neither NaN nor infinite. */
  isfinite(): Tensor {
    return this.#unary('isfinite');
  }

  /** Elements where `condition` (bool) is true, those of `other` elsewhere. */
  where(condition: TensorBase, other: Operand): Tensor {
    const mask = checkTensor('condition of where', condition);
    checkTensorDtype('condition of where', condition, ['bool']);
    checkBroadcast('where', this.shape, condition.shape);
    if (typeof other !== 'number') return wrap(nativeOf(this).where(mask, this.#operand('where', other)));
    const dtype = isFloating(this.dtype) || Number.isInteger(other) ? this.dtype : 'float32';
    const scalar = torch().full([], other, dtype, this.device);
    const result = wrap(nativeOf(this).where(mask, scalar));
    scalar.dispose();
    return result;
  }

  /** A copy in which elements are `value` where `mask` (bool, broadcasting) is true. */
  maskedFill(mask: TensorBase, value: number): Tensor {
    const native = checkTensor('mask of maskedFill', mask);
    checkTensorDtype('mask of maskedFill', mask, ['bool']);
    checkSameDevice('maskedFill', this, mask);
    checkBroadcast('maskedFill', this.shape, mask.shape);
    return wrap(nativeOf(this).maskedFill(native, value));
  }
}
