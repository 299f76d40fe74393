import { checkChoice, checkInteger, checkNumber, checkOptions, checkProbability } from '../../core/checks.js';
import { invalidArgument, mismatch } from '../../core/errors.js';
import { torch } from '../../native/torch.js';
import { checkTensor, checkTensorDtype, isTensor, nativeOf, wrap } from '../tensor/base.js';
import { cat, full } from '../tensor/create.js';
import { floatingDtypes, shapeText } from '../tensor/dtype.js';
import { tidy } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { castsTogether, checkExactShape, checkIds, checkLikeWeight } from './check.js';
import { checkTargets } from './functionalLoss.js';
import { resolvePadding } from './padding.js';

export { type EmbeddingBagMode, type EmbeddingBagOptions, embeddingBag } from './functionalBag.js';
export { type NLLLossOptions, nllLoss } from './functionalLoss.js';
/** @internal */
export { cross_entropy, embedding_bag, log_softmax, nll_loss } from './pythonFunctions.js';

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions {
  /** Weight of each class, `[classes]`. Default: all 1. */
  weight?: Tensor | undefined;
  /** Rows with this target are ignored in the loss and the gradient. Default -100. */
  ignoreIndex?: number;
  /** `mean` (default) over the rows, weighted; `sum`; or `none`, which gives each row's loss. */
  reduction?: 'none' | 'mean' | 'sum';
  /** Share of the target that is spread over all classes, from 0 (default) to 1. */
  labelSmoothing?: number;
}

/**
 * `max(x, 0)`.
 *
 * @example
 * ```ts
 * nn.functional.relu(tensor([-1, 2], { dtype: 'float32' })).toArray(); // [0, 2]
 * ```
 */
export function relu(input: Tensor): Tensor {
  checkTensor('input of relu', input);
  return input.relu();
}

/** Hyperbolic tangents. */
export function tanh(input: Tensor): Tensor {
  checkTensor('input of tanh', input);
  return input.tanh();
}

/** `1 / (1 + exp(-x))`. */
export function sigmoid(input: Tensor): Tensor {
  checkTensor('input of sigmoid', input);
  return input.sigmoid();
}

/**
 * Exponentials divided by their sum along `dim`.
 *
 * @example
 * ```ts
 * nn.functional.softmax(tensor([0, 0], { dtype: 'float32' }), { dim: 0 }).toArray(); // [0.5, 0.5]
 * ```
 */
export function softmax(input: Tensor, dim: number | { dim: number }): Tensor {
  checkTensor('input of softmax', input);
  return input.softmax(dim);
}

/** Logarithm of {@link softmax}. */
export function logSoftmax(input: Tensor, dim: number | { dim: number }): Tensor {
  checkTensor('input of logSoftmax', input);
  return input.logSoftmax(dim);
}

/**
 * In training, zeroes each element with probability `p` and multiplies the others by `1 / (1 - p)`; otherwise the input
 * unchanged.
 *
 * @example
 * ```ts
 * nn.functional.dropout(ones([4]), { p: 0.5, training: false }).toArray(); // [1, 1, 1, 1]
 * ```
 */
export function dropout(input: Tensor, { p = 0.5, training = true }: { p?: number; training?: boolean } = {}): Tensor {
  checkProbability('p of dropout', p);
  return wrap(torch().dropout(checkTensor('input of dropout', input), p, training));
}

/**
 * `input @ weight^T + bias`: `[.., in]` with a weight `[out, in]` gives `[.., out]`.
 *
 * @example
 * ```ts
 * const weight = tensor([[1, 2]], { dtype: 'float32' });
 * nn.functional.linear(tensor([[3, 4]], { dtype: 'float32' }), weight).toArray(); // [[11]]
 * ```
 */
export function linear(input: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  checkTensor('weight of linear', weight);
  checkLikeWeight('input of linear', input, weight);
  const features = weight.shape[1];
  if (weight.ndim !== 2)
    throw mismatch('weight of linear', 'shape [out, in]', `shape ${shapeText(weight.shape)}`, 'INVALID_SHAPE');
  if (input.ndim === 0 || input.shape.at(-1) !== features) {
    throw mismatch('input of linear', `shape [.., ${features}]`, `shape ${shapeText(input.shape)}`, 'INVALID_SHAPE');
  }
  if (bias) {
    checkLikeWeight('bias of linear', bias, weight);
    checkExactShape('bias of linear', bias, [weight.shape[0]!], '[out]');
  }
  return wrap(torch().linear(nativeOf(input), nativeOf(weight), bias ? nativeOf(bias) : null));
}

/**
 * Rows of `weight` (`[rows, dim]`) at the ids: `[..]` gives `[.., dim]`. The gradient of row `paddingIdx` is zero.
 *
 * @throws `OUT_OF_RANGE` if an id is not a row of the weight.
 *
 * @example
 * ```ts
 * nn.functional.embedding(tensor([1, 0]), tensor([[1, 2], [3, 4]])).toArray(); // [[3, 4], [1, 2]]
 * ```
 */
export function embedding(
  ids: Tensor,
  weight: Tensor,
  { paddingIdx }: { paddingIdx?: number | undefined } = {},
): Tensor {
  checkTensor('weight of embedding', weight);
  const native = checkTensor('ids of embedding', ids);
  if (weight.ndim !== 2)
    throw mismatch('weight of embedding', 'shape [rows, dim]', `shape ${shapeText(weight.shape)}`, 'INVALID_SHAPE');
  if (ids.device !== weight.device) {
    throw mismatch(
      'ids of embedding',
      `a tensor on ${weight.device}, where the weights are`,
      `one on ${ids.device}`,
      'INVALID_DEVICE',
    );
  }
  checkIds('ids of embedding', ids, weight.shape[0]!, 'rows of the embedding');
  return wrap(torch().embedding(nativeOf(weight), native, resolvePadding(paddingIdx, weight.shape[0]!)));
}

/**
 * Softmax and negative log likelihood in one: logits `[batch, classes]` (or `[classes]`, or `[batch, classes, ..]`) and
 * targets that are class indices of shape `[batch]` (or `[]`, or `[batch, ..]`), int64, or probabilities of the logits'
 * shape.
 *
 * @throws `OUT_OF_RANGE` if a target is not a class (nor `ignoreIndex`).
 *
 * @example
 * ```ts
 * nn.functional.crossEntropy(zeros([1, 2]), tensor([0])).item(); // 0.693...
 * ```
 */
export function crossEntropy(logits: Tensor, target: Tensor, options?: CrossEntropyOptions): Tensor {
  const {
    weight,
    ignoreIndex = -100,
    reduction = 'mean',
    labelSmoothing = 0,
  } = checkOptions('options of crossEntropy', options, ['weight', 'ignoreIndex', 'reduction', 'labelSmoothing']);
  checkTensor('logits of crossEntropy', logits);
  checkTensor('target of crossEntropy', target);
  checkTensorDtype('logits of crossEntropy', logits, floatingDtypes);
  if (logits.ndim === 0)
    throw mismatch('logits of crossEntropy', 'shape [batch, classes]', 'shape []', 'INVALID_SHAPE');
  if (target.device !== logits.device) {
    throw mismatch(
      'target of crossEntropy',
      `a tensor on ${logits.device}, where the logits are`,
      `one on ${target.device}`,
      'INVALID_DEVICE',
    );
  }
  const classes = logits.shape[logits.ndim === 1 ? 0 : 1]!;
  if (target.dtype === logits.dtype || castsTogether(target, logits)) {
    checkExactShape('target of crossEntropy', target, logits.shape, '(probabilities, as the logits)');
  } else {
    const expected = logits.ndim === 1 ? [] : [logits.shape[0]!, ...logits.shape.slice(2)];
    checkTensorDtype('target of crossEntropy', target, ['int64']);
    checkExactShape('target of crossEntropy', target, expected, `(logits have shape ${shapeText(logits.shape)})`);
    checkTargets('crossEntropy', target, classes, checkInteger('ignoreIndex of crossEntropy', ignoreIndex));
  }
  if (weight !== undefined) {
    checkLikeWeight('weight of crossEntropy', weight, logits);
    checkExactShape('weight of crossEntropy', weight, [classes], '[classes]');
  }
  checkChoice('reduction of crossEntropy', reduction, ['none', 'mean', 'sum']);
  checkProbability('labelSmoothing of crossEntropy', labelSmoothing);
  const weights = weight === undefined ? null : nativeOf(weight);
  return wrap(
    torch().crossEntropy(nativeOf(logits), nativeOf(target), weights, reduction, ignoreIndex, labelSmoothing),
  );
}

/**
 * Adds `value` around a tensor: `padding` is `[left, right]` for the last dimension, then two numbers for the one
 * before, and so on. Negative numbers remove elements.
 *
 * @example
 * ```ts
 * nn.functional.pad(tensor([[1, 2]]), [0, 2]).toArray(); // [[1, 2, 0, 0]]
 * ```
 */
export function pad(input: Tensor, padding: readonly number[], { value = 0 }: { value?: number } = {}): Tensor {
  if (!isTensor(input)) throw invalidArgument('input of pad', 'a Tensor', input);
  checkNumber('value of pad', value);
  if (!Array.isArray(padding) || padding.length % 2 !== 0 || padding.length > 2 * input.ndim) {
    throw invalidArgument(
      'padding of pad',
      `an even number of integers, at most ${2 * input.ndim}`,
      padding,
      'INVALID_SHAPE',
    );
  }
  padding.forEach((count, i) => {
    checkInteger(`padding[${i}] of pad`, count);
  });
  return tidy(() => {
    let result = input;
    for (let i = 0; i < padding.length; i += 2) {
      const dim = input.ndim - 1 - i / 2;
      const [left, right] = [padding[i]!, padding[i + 1]!];
      const size = input.shape[dim]!;
      if (size + left + right < 0)
        throw mismatch(
          `padding[${i}] of pad`,
          `at most ${size} elements taken away`,
          `${-left - right}`,
          'OUT_OF_RANGE',
        );
      if (left < 0 || right < 0)
        result = result.slice({ dim, start: Math.max(0, -left), end: size + Math.min(0, right) });
      const filler = (count: number) =>
        full(result.shape.with(dim, count), value, { dtype: input.dtype, device: input.device });
      const parts = [...(left > 0 ? [filler(left)] : []), result, ...(right > 0 ? [filler(right)] : [])];
      if (parts.length > 1) result = cat(parts, dim);
    }
    return result === input ? wrap(nativeOf(input).alias()) : result;
  });
}
