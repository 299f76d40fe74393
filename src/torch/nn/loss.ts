import { checkChoice, checkOptions, checkProbability } from '../../core/checks.js';
import type { Tensor } from '../tensor/tensor.js';
import { type CrossEntropyOptions, crossEntropy, type NLLLossOptions, nllLoss } from './functional.js';
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

/**
 * Negative log likelihood of log probabilities: see {@link nllLoss}. {@link CrossEntropyLoss} takes logits and needs no {@link LogSoftmax}.
 *
 * @example
 * ```ts
 * const loss = new nn.NLLLoss().forward(logits.logSoftmax(1), target); // [batch, classes], [batch]
 * ```
 */
export class NLLLoss extends Module {
  /** Weight of each class, or `null`; a buffer. */
  weight: Tensor | null = null;
  /** Target that does not count. */
  readonly ignoreIndex: number;
  /** How the rows' losses are summed up. */
  readonly reduction: 'none' | 'mean' | 'sum';

  constructor(options?: NLLLossOptions) {
    super();
    const {
      weight,
      ignoreIndex = -100,
      reduction = 'mean',
    } = checkOptions('options of NLLLoss', options, ['weight', 'ignoreIndex', 'reduction']);
    this.ignoreIndex = ignoreIndex;
    this.reduction = checkChoice('reduction of NLLLoss', reduction, ['none', 'mean', 'sum']);
    if (weight !== undefined) this.registerBuffer('weight', weight);
  }

  /**
   * Loss of log probabilities `[batch, classes]` for targets `[batch]` (int64 class indices): one number, or `[batch]` with
   * reduction `none`.
   */
  forward(logProbabilities: Tensor, target: Tensor): Tensor {
    const { ignoreIndex, reduction } = this;
    return nllLoss(logProbabilities, target, { weight: this.weight ?? undefined, ignoreIndex, reduction });
  }
}
