import { checkFlag, checkNumber, checkOptions } from '../../core/checks.js';
import { mismatch } from '../../core/errors.js';
import { checkTensorDtype, nativeOf, wrap } from './base.js';
import { checkDim, dimOf, floatingDtypes, shapeText } from './dtype.js';
import { TensorMath } from './math.js';
import type { Tensor } from './tensor.js';

/** Which dimensions a reduction runs over. */
export interface ReduceOptions {
  /** Dimension, or dimensions, to reduce; all by default. Negative ones count from the end. */
  dim?: number | readonly number[];
  /** Whether reduced dimensions stay, with size 1. Default `false`. */
  keepdim?: boolean;
}

/** The one dimension of a reduction that also finds positions. */
export interface ReduceDimOptions {
  /** Dimension to reduce. */
  dim: number;
  /** Whether the reduced dimension stays, with size 1. Default `false`. */
  keepdim?: boolean;
}

/** The options of a reduction, also where they are given as PyTorch's positional arguments: `sum(1, true)`. */
function reduceOptions(
  operation: string,
  options: ReduceOptions | number | readonly number[] | undefined,
  keepdim: boolean | undefined,
): ReduceOptions {
  if (typeof options !== 'number' && !Array.isArray(options))
    return checkOptions(`options of ${operation}`, options as ReduceOptions | undefined, ['dim', 'keepdim']);
  return { dim: options, keepdim: keepdim === undefined ? false : checkFlag(`keepdim of ${operation}`, keepdim) };
}

/** Largest or smallest elements along a dimension; also as `const [values, indices] = x.max(1)`, like PyTorch's named tuple. */
export interface ValuesAndIndices extends Iterable<Tensor> {
  /** The elements. */
  values: Tensor;
  /** Their positions along the dimension, int64. */
  indices: Tensor;
}

class Extremes implements ValuesAndIndices {
  readonly values: Tensor;
  readonly indices: Tensor;

  constructor(values: Tensor, indices: Tensor) {
    this.values = values;
    this.indices = indices;
  }

  *[Symbol.iterator](): Iterator<Tensor> {
    yield this.values;
    yield this.indices;
  }
}

/** Reductions of tensors, and softmax. Not made directly; see {@link Tensor}. */
export abstract class TensorReduce extends TensorMath {
  /**
   * Sum over dimensions; integers and bools give int64.
   *
   * @example
   * ```ts
   * tensor([[1, 2], [3, 4]]).sum({ dim: 0 }).toArray(); // [4, 6]
   * tensor([[1, 2], [3, 4]]).sum(0, true).shape; // [1, 2]
   * ```
   */
  sum(options?: ReduceOptions): Tensor;
  sum(dim: number | readonly number[], keepdim?: boolean): Tensor;
  sum(options?: ReduceOptions | number | readonly number[], keeps?: boolean): Tensor {
    const { dim, keepdim = false } = reduceOptions('sum', options, keeps);
    return wrap(nativeOf(this).sum(this.#dims('sum', dim), keepdim));
  }

  /**
   * Mean over dimensions.
   *
   * @throws `INVALID_DTYPE` unless the elements are floats.
   */
  mean(options?: ReduceOptions): Tensor;
  mean(dim: number | readonly number[], keepdim?: boolean): Tensor;
  mean(options?: ReduceOptions | number | readonly number[], keeps?: boolean): Tensor {
    const { dim, keepdim = false } = reduceOptions('mean', options, keeps);
    checkTensorDtype('mean', this, floatingDtypes);
    return wrap(nativeOf(this).mean(this.#dims('mean', dim), keepdim));
  }

  /** Largest element; with a `dim`, the largest along it and where they are. */
  max(): Tensor;
  max(options: ReduceDimOptions): ValuesAndIndices;
  max(dim: number, keepdim?: boolean): ValuesAndIndices;
  max(options?: ReduceDimOptions | number, keepdim?: boolean): Tensor | ValuesAndIndices {
    return this.#extreme('max', options, keepdim);
  }

  /** Smallest element; with a `dim`, the smallest along it and where they are. */
  min(): Tensor;
  min(options: ReduceDimOptions): ValuesAndIndices;
  min(dim: number, keepdim?: boolean): ValuesAndIndices;
  min(options?: ReduceDimOptions | number, keepdim?: boolean): Tensor | ValuesAndIndices {
    return this.#extreme('min', options, keepdim);
  }

  #extreme(
    operation: 'max' | 'min',
    options: ReduceDimOptions | number | undefined,
    keeps: boolean | undefined,
  ): Tensor | ValuesAndIndices {
    const native = nativeOf(this);
    if (options === undefined) {
      if (this.numel() === 0)
        throw mismatch(operation, 'a tensor with elements', `shape ${shapeText(this.shape)}`, 'INVALID_SHAPE');
      return wrap(operation === 'max' ? native.maxAll() : native.minAll());
    }
    const { dim, keepdim = false } = reduceOptions(operation, options, keeps);
    const at = this.#nonEmptyDim(operation, dim as number);
    const [values, indices] = operation === 'max' ? native.maxDim(at, keepdim) : native.minDim(at, keepdim);
    return new Extremes(wrap(values!), wrap(indices!));
  }

  #nonEmptyDim(operation: string, dim: number): number {
    const at = checkDim(operation, dim, this.ndim);
    if (this.shape[at] === 0) {
      throw mismatch(
        `dim of ${operation}`,
        'a dimension with elements',
        `dimension ${dim} of shape ${shapeText(this.shape)}`,
        'INVALID_SHAPE',
      );
    }
    return at;
  }

  /**
   * Position of the largest element, int64: in the flattened tensor, or along `dim`.
   *
   * @example
   * ```ts
   * tensor([[1, 5, 2]]).argmax({ dim: 1 }).toArray(); // [1]
   * ```
   */
  argmax(options?: Partial<ReduceDimOptions>): Tensor;
  argmax(dim: number, keepdim?: boolean): Tensor;
  argmax(options?: Partial<ReduceDimOptions> | number, keepdim?: boolean): Tensor {
    return this.#position('argmax', options, keepdim);
  }

  /** Position of the smallest element, int64: in the flattened tensor, or along `dim`. */
  argmin(options?: Partial<ReduceDimOptions>): Tensor;
  argmin(dim: number, keepdim?: boolean): Tensor;
  argmin(options?: Partial<ReduceDimOptions> | number, keepdim?: boolean): Tensor {
    return this.#position('argmin', options, keepdim);
  }

  #position(
    operation: 'argmax' | 'argmin',
    options: Partial<ReduceDimOptions> | number | undefined,
    keeps: boolean | undefined,
  ): Tensor {
    const { dim, keepdim = false } = reduceOptions(operation, options, keeps) as Partial<ReduceDimOptions>;
    if (dim === undefined && this.numel() === 0) {
      throw mismatch(operation, 'a tensor with elements', `shape ${shapeText(this.shape)}`, 'INVALID_SHAPE');
    }
    return wrap(nativeOf(this)[operation](dim === undefined ? null : this.#nonEmptyDim(operation, dim), keepdim));
  }

  /** The p-norm of all elements; 2, the Euclidean one, by default. */
  norm(p = 2): Tensor {
    checkTensorDtype('norm', this, floatingDtypes);
    return wrap(nativeOf(this).norm(checkNumber('p of norm', p)));
  }

  /** bool: whether any element is true (not zero). */
  any(): Tensor {
    return wrap(nativeOf(this).any());
  }

  /** bool: whether all elements are true (not zero). */
  all(): Tensor {
    return wrap(nativeOf(this).all());
  }

  /** Exponentials divided by their sum along `dim`. */
  softmax(dim: number | { dim: number }): Tensor {
    return wrap(nativeOf(this).softmax(this.#floatDim('softmax', dimOf(dim))));
  }

  /** Logarithm of {@link softmax}, computed without overflow. */
  logSoftmax(dim: number | { dim: number }): Tensor {
    return wrap(nativeOf(this).logSoftmax(this.#floatDim('logSoftmax', dimOf(dim))));
  }

  #floatDim(operation: string, dim: number): number {
    checkTensorDtype(operation, this, floatingDtypes);
    return checkDim(operation, dim, this.ndim);
  }

  #dims(operation: string, dim: ReduceOptions['dim']): number[] | null {
    if (dim === undefined) return null;
    const dims = (typeof dim === 'number' ? [dim] : [...dim]).map((one) => checkDim(operation, one, this.ndim));
    if (new Set(dims).size !== dims.length) throw mismatch(`dim of ${operation}`, 'different dimensions', `[${dims}]`);
    return dims;
  }
}
