import { checkChoice, checkFunction, checkInteger, checkOptions } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import type { Precision } from '../../core/precision.js';
import { amp } from '../amp/index.js';
import { CrossEntropyLoss } from '../nn/loss.js';
import { Adam } from '../optim/adam.js';
import { Optimizer } from '../optim/optimizer.js';
import { noGrad } from '../tensor/grad.js';
import { tidy } from '../tensor/memory.js';
import {
  type BatchSource,
  type Classifier,
  checkNet,
  deviceOf,
  emptyLoader,
  forEachBatch,
  type LossFunction,
  logitsOf,
  lossOf,
  prepare,
  type TrainProgress,
} from './step.js';
import { sumsOn } from './sums.js';

/** Options of {@link trainEpoch}. */
export interface TrainEpochOptions {
  /** Learning rate of the Adam that is made if no optimizer is given. Default 0.01, as in the lesson. */
  lr?: number;
  /** The optimizer. Default: a new Adam, whose state ends with the epoch. */
  optimizer?: Pick<Optimizer, 'step' | 'zeroGrad'>;
  /** The loss. Default: `CrossEntropyLoss`, the mean over the batch. */
  lossFn?: LossFunction;
  /** Ends the epoch after more than this many samples. Default: when the loader ends. */
  epochSize?: number | undefined;
  /**
   * `'bfloat16'` computes logits and loss of each batch under {@link amp.autocast}, on the model's device, and the gradients after it;
   * the weights stay float32. On a GPU of compute capability 8.0 that is faster, on the CPU slower. Default `'float32'`: as the
   * tensors are.
   */
  precision?: Precision;
  /** Number of batches between calls of `onProgress`, and between readings of a GPU. Default 200. */
  reportEvery?: number;
  /** Called every `reportEvery` batches, with the figures since the beginning of the epoch. */
  onProgress?: (progress: TrainProgress) => void;
  /** Ends the epoch before the next batch, with a `RecurraError` of code `ABORTED`. The model keeps what it learned. */
  signal?: AbortSignal | undefined;
}

/**
 * Names of {@link TrainEpochOptions}.
 *
 * @internal
 */
export const EPOCH_OPTIONS = [
  'lr',
  'optimizer',
  'lossFn',
  'epochSize',
  'precision',
  'reportEvery',
  'onProgress',
  'signal',
];

/** What {@link trainEpoch} returns. */
export interface EpochResult {
  /**
   * Sum of the batches' losses, divided by the number of samples: with a mean loss, the loss per sample divided by the
   * batch size.
   */
  loss: number;
  /** Share of samples that were right at the time they were trained on. */
  accuracy: number;
  /** Number of samples. */
  count: number;
}

/**
 * Trains a model for one epoch, as the lesson's `train_epoch`: for each batch `[labels, ...inputs]`,
 * `net.forward(...inputs)` gives logits, and the optimizer steps by the gradient of the loss. Sets the model to
 * training.
 *
 * The loss it returns is, as in the lesson, the sum of batch means over the number of *samples*; {@link evaluate} gives
 * the loss per sample. Tensors made in a step are disposed after it; batches are moved to the model's device. Other
 * work of the process continues between batches.
 *
 * On a GPU nothing is read before `reportEvery` batches or the end: until then no loss is known, only that no weight was moved by one
 * that was not finite.
 *
 * @throws `NON_FINITE_LOSS` if a batch's loss is NaN or infinite, before the weights are changed by it; `ABORTED`;
 * `EMPTY_DATASET` without batches.
 *
 * @example
 * ```ts
 * const loader = new DataLoader(data, { batchSize: 16, shuffle: true, collate: padify });
 * const { loss, accuracy } = await trainEpoch(classifier, loader, {
 *   lr: 1e-3,
 *   onProgress: ({ count, accuracy }) => console.log(`${count}: acc=${accuracy}`),
 * });
 * ```
 */
export async function trainEpoch(
  net: Classifier,
  loader: BatchSource,
  options?: TrainEpochOptions,
): Promise<EpochResult> {
  return runEpoch(
    'trainEpoch',
    net,
    loader,
    checkOptions('options of trainEpoch', options, EPOCH_OPTIONS),
    () => false,
  );
}

/**
 * Trains a model for one epoch. `stays` tells which of a batch's inputs remain on the CPU.
 *
 * @internal
 */
export async function runEpoch(
  where: string,
  net: Classifier,
  loader: BatchSource,
  options: TrainEpochOptions,
  stays: (index: number) => boolean,
): Promise<EpochResult> {
  const {
    lr = 0.01,
    optimizer: given,
    lossFn = new CrossEntropyLoss(),
    epochSize,
    precision = 'float32',
    reportEvery = 200,
    onProgress,
    signal,
  } = options;
  checkNet(where, net);
  const computeLoss = lossOf(where, lossFn);
  checkChoice(`precision of ${where}`, precision, ['float32', 'bfloat16']);
  checkInteger(`reportEvery of ${where}`, reportEvery, 1);
  if (epochSize !== undefined) checkInteger(`epochSize of ${where}`, epochSize, 1);
  if (onProgress !== undefined) checkFunction(`onProgress of ${where}`, onProgress);
  if (given !== undefined && !(given instanceof Optimizer))
    throw invalidArgument(`optimizer of ${where}`, 'an Optimizer', given);
  const optimizer = given ?? new Adam(net.parameters(), { lr });
  const device = deviceOf(net);
  const deviceType = device === 'cpu' ? 'cpu' : 'cuda';
  const compute: <T>(forward: () => T) => T =
    precision === 'bfloat16' ? (forward) => amp.autocast({ deviceType }, forward) : (forward) => forward();
  const sums = sumsOn(where, device);
  let [count, batches] = [0, 0];
  const progress = (): TrainProgress => {
    const { total, correct } = sums.read();
    return { batches, count, loss: total / count, accuracy: correct / count };
  };
  net.train();
  try {
    await forEachBatch(where, loader, signal, (batch) => {
      batches++;
      tidy(() => {
        const { labels, inputs } = prepare(where, batch, device, stays);
        optimizer.zeroGrad();
        const { logits, loss } = compute(() => {
          const logits = logitsOf(where, net, inputs, labels);
          return { logits, loss: computeLoss(logits, labels) };
        });
        sums.watch(loss);
        loss.backward();
        sums.step(optimizer);
        noGrad(() => sums.add(loss, logits, labels, 1));
        count += labels.shape[0]!;
      });
      if (batches % reportEvery === 0) {
        const now = progress();
        onProgress?.(now);
      }
      return epochSize === undefined || count <= epochSize;
    });
  } finally {
    if (given === undefined) (optimizer as Adam).dispose();
  }
  if (count === 0) throw emptyLoader(where);
  const { loss, accuracy } = progress();
  return { loss, accuracy, count };
}
