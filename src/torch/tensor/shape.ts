import { checkInteger, checkOptions } from '../../core/checks.js';
import { ArgumentError, invalidArgument, mismatch } from '../../core/errors.js';
import { checkSameDevice, checkTensor, checkTensorDtype, nativeOf, type TensorBase, wrap } from './base.js';
import { checkDim, countElements, shapeText, sizesOf } from './dtype.js';
import { TensorReduce } from './reduce.js';
import type { Tensor } from './tensor.js';

/** What {@link TensorShape.slice} takes, as Python's `start:end:step`. */
export interface SliceOptions {
  /** Dimension to slice. Default 0. */
  dim?: number;
  /** First position; negative counts from the end. Default 0. */
  start?: number | null;
  /** Position after the last; negative counts from the end. Default: all to the end. */
  end?: number | null;
  /** Distance between positions, at least 1. Default 1. */
  step?: number;
}

/** Selection and rearrangement of elements. Not made directly; see {@link Tensor}. */
export abstract class TensorShape extends TensorReduce {
  /** The part at position `index` of dimension `dim`, which goes away. Negative positions count from the end. */
  select(dim: number, index: number): Tensor {
    const at = this.#dim('select', dim);
    const size = this.shape[at]!;
    checkInteger('index of select', index);
    if (index < -size || index >= size) {
      throw invalidArgument(
        'index of select',
        `a position from ${-size} to ${size - 1} (shape ${shapeText(this.shape)})`,
        index,
        'OUT_OF_RANGE',
      );
    }
    return wrap(nativeOf(this).select(at, index < 0 ? index + size : index));
  }

  /**
   * The part at position `index` of the first dimension, as Python's `t[index]`: `h.at(-1)` is the last layer's state.
   *
   * @example
   * ```ts
   * tensor([[1, 2], [3, 4]]).at(-1).toArray(); // [3, 4]
   * ```
   */
  at(index: number): Tensor {
    if (this.ndim === 0) throw mismatch('at', 'a tensor with dimensions', 'a tensor of shape []', 'INVALID_SHAPE');
    return this.select(0, index);
  }

  /** A range of positions along a dimension; positions beyond the ends are cut off, as in Python. */
  slice(options: SliceOptions): Tensor {
    const {
      dim = 0,
      start = null,
      end = null,
      step = 1,
    } = checkOptions('options of slice', options, ['dim', 'start', 'end', 'step']);
    const at = this.#dim('slice', dim);
    if (start !== null) checkInteger('start of slice', start);
    if (end !== null) checkInteger('end of slice', end);
    checkInteger('step of slice', step, 1);
    return wrap(nativeOf(this).slice(at, start, end, step));
  }

  /** The parts at the positions in `index` (int64 or int32, one dimension) along `dim`, in that order. */
  indexSelect(dim: number, index: TensorBase): Tensor {
    const at = this.#dim('indexSelect', dim);
    const native = this.#index('index of indexSelect', index);
    if (index.ndim > 1)
      throw mismatch(
        'index of indexSelect',
        'a tensor of one dimension',
        `shape ${shapeText(index.shape)}`,
        'INVALID_SHAPE',
      );
    return wrap(nativeOf(this).indexSelect(at, native));
  }

  /**
   * `out[i][j][k] = input[index[i][j][k]][j][k]` for dimension 0, and so on; `index` is int64 with as many dimensions.
   */
  gather(dim: number, index: TensorBase): Tensor {
    const at = this.#dim('gather', dim);
    const native = this.#index('index of gather', index);
    if (index.ndim !== this.ndim || index.shape.some((size, i) => i !== at && size > this.shape[i]!)) {
      throw mismatch(
        'index of gather',
        `a tensor with ${this.ndim} dimensions, none but ${at} larger than in shape ${shapeText(this.shape)}`,
        `shape ${shapeText(index.shape)}`,
        'INVALID_SHAPE',
      );
    }
    return wrap(nativeOf(this).gather(at, native));
  }

  /**
   * Indexing by tensors, as Python's `t[i, :, j]`: one entry per leading dimension, `null` for a whole dimension. Index
   * tensors are int64 (positions, broadcasting against each other) or bool (a mask).
   */
  index(indices: TensorBase | readonly (TensorBase | null)[]): Tensor {
    const list = Array.isArray(indices) ? (indices as readonly (TensorBase | null)[]) : [indices as TensorBase];
    if (list.length === 0 || list.length > Math.max(this.ndim, 1)) {
      throw mismatch('indices of index', `from 1 to ${this.ndim} tensors or nulls`, `${list.length}`, 'INVALID_SHAPE');
    }
    return wrap(
      nativeOf(this).index(
        list.map((entry, i) => {
          if (entry === null) return null;
          const native = checkTensor(`indices[${i}] of index`, entry);
          checkTensorDtype(`indices[${i}] of index`, entry, ['int64', 'int32', 'bool']);
          checkSameDevice('index', this, entry);
          return native;
        }),
      ),
    );
  }

  /**
   * Two dimensions exchanged.
   *
   * @example
   * ```ts
   * tensor([[1, 2, 3]]).transpose(0, 1).shape; // [3, 1]
   * ```
   */
  transpose(dim0: number, dim1: number): Tensor {
    return wrap(
      nativeOf(this).transpose(
        checkDim('transpose', dim0, this.ndim, 'dim0'),
        checkDim('transpose', dim1, this.ndim, 'dim1'),
      ),
    );
  }

  /** A matrix transposed; tensors of fewer dimensions as they are. */
  t(): Tensor {
    if (this.ndim > 2)
      throw mismatch('t', 'a tensor of at most 2 dimensions', `shape ${shapeText(this.shape)}`, 'INVALID_SHAPE');
    return this.ndim < 2 ? wrap(nativeOf(this).alias()) : this.transpose(0, 1);
  }

  /** Dimensions in another order; each must occur once. */
  permute(...dims: number[] | [dims: readonly number[]]): Tensor {
    const list = sizesOf(dims);
    if (!Array.isArray(list)) throw invalidArgument('dims of permute', 'an array of dimensions', list);
    const order = list.map((dim) => checkDim('permute', dim, this.ndim, 'dims'));
    if (order.length !== this.ndim || new Set(order).size !== order.length) {
      throw mismatch('dims of permute', `each of ${this.ndim} dimensions once`, `[${list}]`, 'INVALID_SHAPE');
    }
    return wrap(nativeOf(this).permute(order));
  }

  /**
   * The elements in another shape; one size may be -1 and is then computed. Copies only where it must. Sizes may also be given
   * one by one, as in PyTorch: `reshape(2, -1)`.
   *
   * @example
   * ```ts
   * tensor([1, 2, 3, 4]).reshape([2, -1]).toArray(); // [[1, 2], [3, 4]]
   * ```
   */
  reshape(...shape: number[] | [shape: readonly number[]]): Tensor {
    return wrap(nativeOf(this).reshape(this.#resolveShape('reshape', sizesOf(shape))));
  }

  /** As {@link reshape}; as in PyTorch for adjacent elements, which are then shared. */
  view(...shape: number[] | [shape: readonly number[]]): Tensor {
    return wrap(nativeOf(this).reshape(this.#resolveShape('view', sizesOf(shape))));
  }

  /** Without the dimensions of size 1, or without `dim` if its size is 1. */
  squeeze(dim?: number): Tensor {
    return wrap(nativeOf(this).squeeze(dim === undefined ? null : this.#dim('squeeze', dim)));
  }

  /** With a new dimension of size 1 at position `dim`, from `-ndim - 1` to `ndim`. */
  unsqueeze(dim: number): Tensor {
    return wrap(nativeOf(this).unsqueeze(checkDim('unsqueeze', dim, this.ndim + 1)));
  }

  /** Dimensions `startDim` to `endDim` (all by default) made into one. */
  flatten(startDim = 0, endDim = -1): Tensor {
    const start = checkDim('flatten', startDim, this.ndim, 'startDim');
    const end = checkDim('flatten', endDim, this.ndim, 'endDim');
    if (start > end) throw invalidArgument('startDim of flatten', `a dimension not after endDim ${endDim}`, startDim);
    return wrap(nativeOf(this).flatten(start, end));
  }

  /** Dimensions of size 1 repeated, without copying, to give `shape`; -1 keeps a size. */
  expand(...sizes: number[] | [shape: readonly number[]]): Tensor {
    const shape = sizesOf(sizes);
    const offset = shape.length - this.ndim;
    const fits =
      Array.isArray(shape) &&
      offset >= 0 &&
      shape.every((size, i) => {
        const own = i < offset ? undefined : this.shape[i - offset];
        return (
          Number.isSafeInteger(size) &&
          (size === own || (size === -1 && own !== undefined) || (size >= 0 && (own === undefined || own === 1)))
        );
      });
    if (!fits) {
      throw mismatch(
        'shape of expand',
        `a shape that ${shapeText(this.shape)} can be repeated to (only sizes of 1 can be)`,
        Array.isArray(shape) ? shapeText(shape) : String(shape),
        'INVALID_SHAPE',
      );
    }
    return wrap(nativeOf(this).expand([...shape]));
  }

  /** Elements in reverse order along the dimensions. */
  flip(dims: number | readonly number[]): Tensor {
    const list = (typeof dims === 'number' ? [dims] : dims).map((dim) => checkDim('flip', dim, this.ndim, 'dims'));
    return wrap(nativeOf(this).flip(list));
  }

  /** The parts along `dim`, each without that dimension. */
  unbind(dim = 0): Tensor[] {
    const at = this.#dim('unbind', dim);
    return Array.from({ length: this.shape[at]! }, (_, i) => this.select(at, i));
  }

  /**
   * The parts along the first dimension, as PyTorch's `for row in tensor`. Each is a view, made when it is its turn; {@link tidy}
   * disposes those made in it.
   *
   * @throws `INVALID_SHAPE` if there are no dimensions.
   *
   * @example
   * ```ts
   * [...tensor([[1, 2], [3, 4]])].map((row) => row.sum().item()); // [3, 7]
   * ```
   */
  [Symbol.iterator](): IterableIterator<Tensor> {
    if (this.ndim === 0)
      throw new ArgumentError(
        'INVALID_SHAPE',
        'iteration over a 0-d tensor: a tensor of shape [] has no rows; item() gives its number',
      );
    return this.#rows();
  }

  *#rows(): Generator<Tensor, void, undefined> {
    for (let i = 0; i < this.shape[0]!; i++) yield this.select(0, i);
  }

  #dim(operation: string, dim: number): number {
    if (this.ndim === 0) {
      throw mismatch(operation, 'a tensor with dimensions', 'a tensor of shape []', 'INVALID_SHAPE');
    }
    return checkDim(operation, dim, this.ndim);
  }

  #index(name: string, index: TensorBase) {
    const native = checkTensor(name, index);
    checkTensorDtype(name, index, ['int64', 'int32']);
    checkSameDevice(name, this, index);
    return native;
  }

  #resolveShape(operation: string, shape: readonly number[]): number[] {
    if (!Array.isArray(shape))
      throw invalidArgument(`shape of ${operation}`, 'an array of sizes', shape, 'INVALID_SHAPE');
    const unknown = shape.indexOf(-1);
    const known = countElements(shape.filter((_, i) => i !== unknown));
    const count = this.numel();
    const valid = shape.every((size, i) => i === unknown || (Number.isSafeInteger(size) && size >= 0));
    if (!valid || (unknown < 0 ? known !== count : known === 0 || count % known !== 0)) {
      throw new ArgumentError(
        'INVALID_SHAPE',
        `${operation} cannot give ${count} elements of shape ${shapeText(this.shape)} the shape ${shapeText(shape as number[])}`,
      );
    }
    return shape.map((size, i) => (i === unknown ? count / known : size));
  }
}
