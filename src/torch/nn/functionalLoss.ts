import { checkChoice, checkInteger, checkOptions } from '../../core/checks.js';
import { ArgumentError, mismatch } from '../../core/errors.js';
import { checkTensor, checkTensorDtype } from '../tensor/base.js';
import { floatingDtypes, shapeText } from '../tensor/dtype.js';
import { tidy } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkExactShape, checkLikeWeight, idRange } from './check.js';

/** Options of {@link nllLoss}. */
export interface NLLLossOptions {
  /** Weight of each class, `[classes]`. Default: all 1. */
  weight?: Tensor | undefined;
  /** Rows with this target are ignored in the loss and the gradient. Default -100. */
  ignoreIndex?: number;
  /** `mean` (default) over the rows, weighted; `sum`; or `none`, which gives each row's loss. */
  reduction?: 'none' | 'mean' | 'sum';
}

/**
 * Throws unless all targets are classes, or `ignoreIndex`.
 *
 * @internal
 */
export function checkTargets(operation: string, target: Tensor, classes: number, ignoreIndex: number): void {
  const range = idRange(target);
  if (!range || (range.min >= 0 && range.max < classes)) return;
  const wrong = target.toTypedArray().find((value) => Number(value) !== ignoreIndex && (value < 0 || value >= classes));
  if (wrong !== undefined) {
    throw new ArgumentError(
      'OUT_OF_RANGE',
      `Expected class indices from 0 to ${classes - 1} (the logits have ${classes} classes), or ignoreIndex ${ignoreIndex}, for target of ${operation} but found ${wrong}`,
    );
  }
}

/**
 * Negative log likelihood of log probabilities `[batch, classes]`, such as {@link logSoftmax} gives, for targets `[batch]`, int64 class
 * indices; as `torch.nn.functional.nll_loss`. {@link crossEntropy} computes both in one step and is faster.
 *
 * @throws `OUT_OF_RANGE` if a target is not a class (nor `ignoreIndex`).
 *
 * @example
 * ```ts
 * nn.functional.nllLoss(zeros([1, 2]).logSoftmax(1), tensor([0])).item(); // 0.693...
 * ```
 */
export function nllLoss(logProbabilities: Tensor, target: Tensor, options?: NLLLossOptions): Tensor {
  const {
    weight,
    ignoreIndex = -100,
    reduction = 'mean',
  } = checkOptions('options of nllLoss', options, ['weight', 'ignoreIndex', 'reduction']);
  checkTensor('input of nllLoss', logProbabilities);
  checkTensor('target of nllLoss', target);
  checkTensorDtype('input of nllLoss', logProbabilities, floatingDtypes);
  checkTensorDtype('target of nllLoss', target, ['int64']);
  checkChoice('reduction of nllLoss', reduction, ['none', 'mean', 'sum']);
  const { shape } = logProbabilities;
  if (shape.length !== 2)
    throw mismatch('input of nllLoss', 'shape [batch, classes]', `shape ${shapeText(shape)}`, 'INVALID_SHAPE');
  checkExactShape('target of nllLoss', target, [shape[0]!], `(the input has shape ${shapeText(shape)})`);
  checkTargets('nllLoss', target, shape[1]!, checkInteger('ignoreIndex of nllLoss', ignoreIndex));
  if (weight !== undefined) {
    checkLikeWeight('weight of nllLoss', weight, logProbabilities);
    checkExactShape('weight of nllLoss', weight, [shape[1]!], '[classes]');
  }
  return tidy(() => {
    const counts = target.ne(ignoreIndex);
    // An ignored row reads class 0, whose value is then replaced: a product with 0 would keep an infinite one.
    const classes = target.where(counts, 0);
    const picked = logProbabilities.gather(1, classes.unsqueeze(1)).squeeze(1).neg();
    const weights = weight?.indexSelect(0, classes).mul(counts) ?? counts.to(logProbabilities.dtype);
    const losses = (weight ? picked.mul(weights) : picked).where(counts, 0);
    if (reduction === 'none') return losses;
    return reduction === 'sum' ? losses.sum() : losses.sum().div(weights.sum());
  });
}
