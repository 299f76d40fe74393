import { checkFlag, checkOptions } from '../../core/checks.js';
import { ArgumentError, mismatch } from '../../core/errors.js';
import { beforeBackward } from '../../native/cuda.js';
import { type NativeTensor, torch } from '../../native/torch.js';
import { checkSameDevice, checkTensor, nativeOf, setTensorClass, TensorBase, wrapUntracked } from './base.js';
import { dtypeText, isFloating, shapeText } from './dtype.js';
import { TensorInPlace } from './inPlace.js';
import { refuseOperators, TENSOR_NAMES } from './operators.js';
import { refusePythonNames } from './python.js';

/** How {@link Tensor.backward} begins. */
export interface BackwardOptions {
  /** Gradient of the final result by this tensor, of its shape; 1 by default, which needs a tensor of one element. */
  gradient?: TensorBase;
  /** Whether the graph stays for another `backward`. Default `false`. */
  retainGraph?: boolean;
}

/**
 * A multi-dimensional array of libtorch with automatic differentiation, under PyTorch's names.
 *
 * Made by {@link tensor}, `zeros`, `randn` and the like. Operations return new tensors and never change their operands;
 * only methods whose name ends in an underscore do. Memory is given back by {@link dispose}, at the end of {@link
 * tidy}, or by the garbage collector.
 *
 * @example
 * ```ts
 * const x = tensor([[1.5, 2], [3, 4]], { requiresGrad: true });
 * x.mul(x).sum().backward();
 * x.grad!.toArray(); // [[3, 4], [6, 8]]
 * ```
 */
export class Tensor extends TensorInPlace {
  /**
   * Whether operations on this tensor are recorded for `backward`. Set it, or call {@link requiresGrad_}, on a tensor
   * of floats.
   */
  get requiresGrad(): boolean {
    return nativeOf(this).requiresGrad();
  }

  /** Same as {@link requiresGrad_}. */
  set requiresGrad(on: boolean) {
    this.requiresGrad_(on);
  }

  /**
   * Sets {@link requiresGrad} and returns this tensor.
   *
   * @throws `INVALID_DTYPE` if the elements are not floats; `INVALID_ARGUMENT` if it is the result of a recorded
   * operation.
   */
  requiresGrad_(on = true): this {
    checkFlag('requiresGrad', on);
    if (on && !isFloating(this.dtype)) {
      throw mismatch(
        'requiresGrad',
        'a tensor of float32, float64 or bfloat16',
        `${this.dtype} tensor`,
        'INVALID_DTYPE',
      );
    }
    const native = nativeOf(this);
    if (!on && !native.isLeaf()) {
      throw new ArgumentError(
        'INVALID_ARGUMENT',
        'requiresGrad of the result of a recorded operation cannot be switched off; use detach()',
      );
    }
    native.setRequiresGrad(on);
    return this;
  }

  /** `true` unless this tensor is the result of a recorded operation. */
  get isLeaf(): boolean {
    return nativeOf(this).isLeaf();
  }

  /**
   * Gradient that `backward` has accumulated here, or `null`. Not disposed by {@link tidy}: it belongs to this tensor.
   */
  get grad(): Tensor | null {
    const native = nativeOf(this).grad();
    return native ? wrapUntracked(native) : null;
  }

  /** Replaces the gradient; it must have this tensor's shape and dtype. */
  set grad(value: TensorBase | null) {
    if (value !== null) {
      checkTensor('grad', value);
      this.#checkLike('grad', value);
    }
    nativeOf(this).setGrad(value === null ? null : nativeOf(value));
  }

  /**
   * Computes the gradients of this tensor by every tensor with `requiresGrad` that it was computed from, and adds them
   * to their `grad`.
   *
   * @throws `INVALID_ARGUMENT` if nothing was recorded; `INVALID_SHAPE` if there are several elements and no
   * `gradient`, or its shape differs.
   */
  backward(options?: BackwardOptions): void {
    const [gradient, retainGraph] = this.#beginBackward(options);
    nativeOf(this).backward(gradient, retainGraph);
  }

  /**
   * As {@link backward}, off the main thread: the event loop stays free, also where the gradients of several processes are averaged. Nothing
   * else may use the tensors of the graph until the promise is settled.
   *
   * @throws As {@link backward}; `DistributedError` in a `DistributedDataParallel` where another process is lost.
   */
  async backwardAsync(options?: BackwardOptions): Promise<void> {
    const [gradient, retainGraph] = this.#beginBackward(options);
    await nativeOf(this).backwardAsync(gradient, retainGraph);
  }

  #beginBackward(options?: BackwardOptions): [NativeTensor | null, boolean] {
    const { gradient, retainGraph = false } = checkOptions('options of backward', options, ['gradient', 'retainGraph']);
    const native = nativeOf(this);
    if (!native.requiresGrad()) {
      throw new ArgumentError(
        'INVALID_ARGUMENT',
        'backward has nothing to follow: this tensor was not computed from one with requiresGrad, or was computed inside noGrad',
      );
    }
    if (gradient === undefined) {
      if (this.numel() !== 1) {
        throw new ArgumentError(
          'INVALID_SHAPE',
          `backward of a tensor of shape ${shapeText(this.shape)} needs a gradient of that shape; only one element can do without (take sum() or mean() first)`,
        );
      }
    } else {
      checkTensor('gradient of backward', gradient);
      this.#checkLike('gradient of backward', gradient);
    }
    beforeBackward();
    return [gradient === undefined ? null : nativeOf(gradient), retainGraph];
  }

  /** The same elements without history, as PyTorch's `.data`. */
  get data(): Tensor {
    return this.detach();
  }

  /**
   * Copies another tensor's elements into this one, without recording it.
   *
   * @throws `INVALID_SHAPE` if it has another shape; {@link copy_} broadcasts.
   */
  set data(value: TensorBase) {
    checkTensor('data', value);
    if (shapeText(value.shape) !== shapeText(this.shape)) {
      throw mismatch('data', `shape ${shapeText(this.shape)}`, `shape ${shapeText(value.shape)}`, 'INVALID_SHAPE');
    }
    withoutGrad(() => this.copy_(value));
  }

  /** Same as `to('float32')`. */
  float(): Tensor {
    return this.to('float32');
  }

  /** Same as `to('int64')`. */
  long(): Tensor {
    return this.to('int64');
  }

  #checkLike(name: string, other: TensorBase): void {
    const same = other.shape.length === this.ndim && other.shape.every((size, i) => size === this.shape[i]);
    if (!same)
      throw mismatch(
        name,
        `a tensor of shape ${shapeText(this.shape)}`,
        `shape ${shapeText(other.shape)}`,
        'INVALID_SHAPE',
      );
    if (other.dtype !== this.dtype)
      throw mismatch(name, dtypeText(this.dtype), dtypeText(other.dtype), 'INVALID_DTYPE');
    checkSameDevice(name, this, other);
  }
}

setTensorClass(Tensor);
refuseOperators(TensorBase.prototype);
refusePythonNames(Tensor.prototype, { variable: 't', others: TENSOR_NAMES });

function withoutGrad<T>(fn: () => T): T {
  const previous = torch().setGradEnabled(false);
  try {
    return fn();
  } finally {
    torch().setGradEnabled(previous);
  }
}
