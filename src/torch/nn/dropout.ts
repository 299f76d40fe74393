import { checkProbability } from '../../core/checks.js';
import type { Tensor } from '../tensor/tensor.js';
import { dropout } from './functional.js';
import { Module } from './module.js';

/**
 * In training, zeroes each element with probability `p` and multiplies the others by `1 / (1 - p)`; in evaluation
 * changes nothing.
 *
 * @example
 * ```ts
 * const dropout = new nn.Dropout(0.5).eval();
 * dropout.forward(tensor([1, 2], { dtype: 'float32' })).toArray(); // [1, 2]
 * ```
 */
export class Dropout extends Module {
  /** Probability of an element to be zeroed. */
  readonly p: number;

  constructor(p = 0.5) {
    super();
    this.p = checkProbability('p of Dropout', p);
  }

  /** The input with, in training, some elements zeroed; same shape. */
  forward(input: Tensor): Tensor {
    return dropout(input, { p: this.p, training: this.training });
  }

  protected override extraRepr(): string {
    return `p=${this.p}`;
  }
}
