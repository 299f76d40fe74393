import { checkChoice, checkOptions, checkProbability } from '../../core/checks.js';
import type { Tensor } from '../tensor/tensor.js';
import { type CrossEntropyOptions, crossEntropy } from './functional.js';
import { Module } from './module.js';

/**
 * Softmax and negative log likelihood in one: see {@link crossEntropy}.
 *
 * @example
 * ```ts
 * const loss = new nn.CrossEntropyLoss().forward(logits, target); // [batch, classes], [batch]
 * ```
 */
export class CrossEntropyLoss extends Module {
  /** Weight of each class, or `null`; a buffer. */
  weight: Tensor | null = null;
  /** Target that does not count. */
  readonly ignoreIndex: number;
  /** How the rows' losses are summed up. */
  readonly reduction: 'none' | 'mean' | 'sum';
  /** Share of the target spread over all classes. */
  readonly labelSmoothing: number;

  constructor(options?: CrossEntropyOptions) {
    super();
    const {
      weight,
      ignoreIndex = -100,
      reduction = 'mean',
      labelSmoothing = 0,
    } = checkOptions('options of CrossEntropyLoss', options, ['weight', 'ignoreIndex', 'reduction', 'labelSmoothing']);
    this.ignoreIndex = ignoreIndex;
    this.reduction = checkChoice('reduction of CrossEntropyLoss', reduction, ['none', 'mean', 'sum']);
    this.labelSmoothing = checkProbability('labelSmoothing of CrossEntropyLoss', labelSmoothing);
    if (weight !== undefined) this.registerBuffer('weight', weight);
  }

  /**
   * Loss of logits `[batch, classes]` for targets `[batch]` (int64 class indices): one number, or `[batch]` with
   * reduction `none`.
   */
  forward(logits: Tensor, target: Tensor): Tensor {
    const { ignoreIndex, reduction, labelSmoothing } = this;
    return crossEntropy(logits, target, { weight: this.weight ?? undefined, ignoreIndex, reduction, labelSmoothing });
  }
}
