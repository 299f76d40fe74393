import { checkInteger } from '../../core/checks.js';
import { dimOf } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { logSoftmax, relu, sigmoid, softmax, tanh } from './functional.js';
import { Module } from './module.js';

/**
 * `max(x, 0)` as a module, for {@link Sequential}.
 *
 * @example
 * ```ts
 * const mlp = new nn.Sequential(new nn.Linear(8, 4), new nn.ReLU(), new nn.Linear(4, 2));
 * mlp.forward(randn([3, 8])).shape; // [3, 2]
 * ```
 */
export class ReLU extends Module {
  /** The input with negative elements set to 0; same shape. */
  forward(input: Tensor): Tensor {
    return relu(input);
  }
}

/** Hyperbolic tangents as a module, for {@link Sequential}. */
export class Tanh extends Module {
  /** The hyperbolic tangents; same shape. */
  forward(input: Tensor): Tensor {
    return tanh(input);
  }
}

/** `1 / (1 + exp(-x))` as a module, for {@link Sequential}. */
export class Sigmoid extends Module {
  /** `1 / (1 + exp(-x))` of each element; same shape. */
  forward(input: Tensor): Tensor {
    return sigmoid(input);
  }
}

/** What {@link Softmax} and {@link LogSoftmax} have in common. Not made directly. */
export abstract class SoftmaxBase extends Module {
  /** Dimension along which the exponentials are summed up; negative ones count from the end. */
  readonly dim: number;

  /** @param dim - As `1` or, like Python's `dim=1`, as `{ dim: 1 }`. */
  constructor(dim: number | { dim: number }) {
    super();
    this.dim = checkInteger(`dim of ${new.target.name}`, dimOf(dim));
  }

  protected override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/**
 * Exponentials divided by their sum along `dim`.
 *
 * @example
 * ```ts
 * new nn.Softmax({ dim: 0 }).forward(tensor([0, 0], { dtype: 'float32' })).toArray(); // [0.5, 0.5]
 * ```
 */
export class Softmax extends SoftmaxBase {
  /** The shares; same shape. */
  forward(input: Tensor): Tensor {
    return softmax(input, this.dim);
  }
}

/**
 * Logarithm of {@link Softmax}; with {@link NLLLoss} it is the same as {@link CrossEntropyLoss}, which is faster.
 *
 * @example
 * ```ts
 * const net = new nn.Sequential(new nn.Linear(8, 4), new nn.LogSoftmax({ dim: 1 }));
 * const loss = new nn.NLLLoss().forward(net.forward(randn([2, 8])), tensor([0, 3]));
 * ```
 */
export class LogSoftmax extends SoftmaxBase {
  /** The logarithms of the shares; same shape. */
  forward(input: Tensor): Tensor {
    return logSoftmax(input, this.dim);
  }
}
