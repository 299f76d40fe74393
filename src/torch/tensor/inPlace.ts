import { checkNumber, checkOptions } from '../../core/checks.js';
import { ArgumentError, invalidArgument, mismatch } from '../../core/errors.js';
import { type NativeTensor, torch } from '../../native/torch.js';
import { checkSameDevice, checkTensor, checkTensorDtype, isTensor, nativeOf, type TensorBase } from './base.js';
import { type DType, isFloating, shapeText } from './dtype.js';
import { type Bounds, boundsOf, checkBroadcast, type Operand } from './math.js';
import { TensorShape } from './shape.js';

/** Options of {@link TensorInPlace.add_} and {@link TensorInPlace.sub_}. */
export interface AddInPlaceOptions {
  /** What the other operand is multiplied by first. Default 1. */
  alpha?: number;
}

/**
 * Changes of a tensor in place, each of which returns the tensor. They are recorded for `backward` as every operation; a tensor
 * that requires gradients itself can be changed only inside `noGrad`. Not made directly; see {@link Tensor}.
 */
export abstract class TensorInPlace extends TensorShape {
  /** Copies the elements of `source`, which broadcasts to this shape, into this tensor, converting dtype and device. */
  copy_(source: TensorBase): this {
    const native = checkTensor('source of copy_', source);
    this.#checkFits('copy_', 'source of copy_', source);
    this.#writable('copy_').copy_(native);
    return this;
  }

  /** Sets every element to `value`. */
  fill_(value: number): this {
    this.#writable('fill_').fill_(checkNumber('value of fill_', value));
    return this;
  }

  /** Sets every element to 0. */
  zero_(): this {
    this.#writable('zero_').zero_();
    return this;
  }

  /** Draws every element from the normal distribution, from PyTorch's generator: see `manualSeed`. */
  normal_(mean = 0, std = 1): this {
    this.#writable('normal_').normal_(checkNumber('mean of normal_', mean), checkNumber('std of normal_', std));
    return this;
  }

  /** Draws every element uniformly from `[low, high)`, from PyTorch's generator: see `manualSeed`. */
  uniform_(low = 0, high = 1): this {
    if (checkNumber('low of uniform_', low) > checkNumber('high of uniform_', high))
      throw invalidArgument('high of uniform_', `a number of at least ${low}`, high);
    this.#writable('uniform_').uniform_(low, high);
    return this;
  }

  /**
   * Adds `alpha * other` to this tensor.
   *
   * @throws `INVALID_SHAPE` if `other` does not broadcast to this shape; `INVALID_DTYPE` if the sum has fractions, and this tensor
   * is one of integers.
   */
  add_(other: Operand, options?: AddInPlaceOptions): this {
    return this.#addIn('add', other, options);
  }

  /**
   * Subtracts `alpha * other` from this tensor.
   *
   * @throws As {@link add_}.
   *
   * @example
   * ```ts
   * noGrad(() => {
   *   for (const p of net.parameters()) if (p.grad) p.sub_(p.grad, { alpha: 0.1 });
   * });
   * ```
   */
  sub_(other: Operand, options?: AddInPlaceOptions): this {
    return this.#addIn('sub', other, options);
  }

  /**
   * Multiplies this tensor by `other`.
   *
   * @throws As {@link add_}.
   */
  mul_(other: Operand): this {
    return this.#scale('mul', other);
  }

  /**
   * Divides this tensor by `other`.
   *
   * @throws As {@link add_}. A quotient has fractions: this tensor must be one of floats.
   */
  div_(other: Operand): this {
    return this.#scale('div', other);
  }

  /** Limits the elements to `[min, max]`, as {@link clamp} does. */
  clamp_(min: number | null | Bounds, max?: number | null): this {
    const bounds = boundsOf('clamp_', min, max);
    for (const bound of [bounds.min, bounds.max]) if (bound !== null) this.#checkHolds('clamp_', this.dtype, bound);
    this.#writable('clamp_').clamp_(bounds.min, bounds.max);
    return this;
  }

  /** Sets the elements to `value` where `mask` (bool, broadcasting) is true. */
  maskedFill_(mask: TensorBase, value: number): this {
    const native = checkTensor('mask of maskedFill_', mask);
    checkTensorDtype('mask of maskedFill_', mask, ['bool']);
    checkSameDevice('maskedFill_', this, mask);
    this.#checkFits('maskedFill_', 'mask of maskedFill_', mask);
    this.#writable('maskedFill_').maskedFill_(native, checkNumber('value of maskedFill_', value));
    return this;
  }

  #addIn(operation: 'add' | 'sub', other: Operand, options: AddInPlaceOptions | undefined): this {
    const name = `${operation}_`;
    const { alpha = 1 } = checkOptions(`options of ${name}`, options, ['alpha']);
    checkNumber(`alpha of ${name}`, alpha);
    if (!isFloating(this.dtype) && !Number.isInteger(alpha))
      throw invalidArgument(`alpha of ${name}`, `an integer, as the elements of this ${this.dtype} tensor`, alpha);
    const operand = this.#operand(name, other);
    const target = this.#writable(name);
    if (typeof operand === 'number') target[`${operation}Scalar_`](operand, alpha);
    else target[`${operation}_`](operand, alpha);
    return this;
  }

  #scale(operation: 'mul' | 'div', other: Operand): this {
    const name = `${operation}_`;
    const operand = this.#operand(name, other, operation === 'div');
    const target = this.#writable(name);
    if (typeof operand === 'number') target[`${operation}Scalar_`](operand);
    else target[`${operation}_`](operand);
    return this;
  }

  // `divides`: the result has fractions whatever the operands are.
  #operand(operation: string, other: unknown, divides = false): number | NativeTensor {
    const name = `the operand of ${operation}`;
    if (typeof other === 'number') {
      this.#checkHolds(operation, divides ? 'float32' : this.dtype, other);
      return other;
    }
    if (!isTensor(other)) throw invalidArgument(name, 'a Tensor or a number', other);
    // PyTorch lets a single element on the CPU meet a tensor elsewhere.
    if (other.ndim > 0) checkSameDevice(operation, this, other);
    this.#checkFits(operation, name, other);
    this.#checkHolds(operation, divides && !isFloating(other.dtype) ? 'float32' : other.dtype);
    return nativeOf(other);
  }

  // libtorch says these things too, without the operation and what to do.
  #checkHolds(operation: string, dtype: DType, number = 0): void {
    const given = Number.isInteger(number) || isFloating(dtype) ? dtype : 'float32';
    if (rank(given) <= rank(this.dtype)) return;
    throw new ArgumentError(
      'INVALID_DTYPE',
      `${operation} would give elements of ${given}, which this ${this.dtype} tensor cannot hold; use ${operation.slice(0, -1)}, which returns a new tensor, or convert with to('${given}') first`,
    );
  }

  #checkFits(operation: string, name: string, source: TensorBase): void {
    checkBroadcast(operation, this.shape, source.shape);
    const offset = this.ndim - source.ndim;
    if (offset >= 0 && source.shape.every((size, i) => size === 1 || size === this.shape[i + offset])) return;
    throw mismatch(
      name,
      `a tensor that broadcasts to ${shapeText(this.shape)}`,
      `shape ${shapeText(source.shape)}`,
      'INVALID_SHAPE',
    );
  }

  // libtorch refuses this too; the message here says what to do about it.
  #writable(operation: string): NativeTensor {
    const native = nativeOf(this);
    if (native.isLeaf() && native.requiresGrad() && torch().isGradEnabled()) {
      throw new ArgumentError(
        'INVALID_ARGUMENT',
        `${operation} would change a tensor that requires gradients; do it inside noGrad(() => ...)`,
      );
    }
    return native;
  }
}

/** Elements of a higher rank do not fit into those of a lower one. */
function rank(dtype: DType): number {
  if (isFloating(dtype)) return 2;
  return dtype === 'bool' ? 0 : 1;
}
