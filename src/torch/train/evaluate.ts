import { checkInteger, checkOptions } from '../../core/checks.js';
import { CrossEntropyLoss } from '../nn/loss.js';
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

/** Options of {@link evaluate}. */
export interface EvaluateOptions {
  /** The loss, as a mean over the batch. Default: `CrossEntropyLoss`. */
  lossFn?: LossFunction;
  /** Number of batches between calls of `onProgress`. Default 200. */
  reportEvery?: number;
  /** Called every `reportEvery` batches, with the figures so far. */
  onProgress?: (progress: TrainProgress) => void;
  /** Ends the evaluation before the next batch, with a `RecurraError` of code `ABORTED`. */
  signal?: AbortSignal | undefined;
}

/** What {@link evaluate} returns. */
export interface EvaluateResult {
  /** Loss per sample: batch means weighted by the sizes of the batches. */
  loss: number;
  /** Share of samples whose largest logit is at the label. */
  accuracy: number;
  /** Number of samples. */
  count: number;
}

/**
 * Measures a model on batches `[labels, ...inputs]` without changing it: without dropout and without recording
 * gradients. Modules that were training are so again afterwards.
 *
 * Its loss is per sample, unlike that of {@link trainEpoch}.
 *
 * @throws `NON_FINITE_LOSS`, `ABORTED`, or `EMPTY_DATASET` without batches.
 *
 * @example
 * ```ts
 * const loader = new DataLoader(data, { batchSize: 64, collate: padify });
 * const { loss, accuracy } = await evaluate(classifier, loader);
 * ```
 */
export async function evaluate(
  net: Classifier,
  loader: BatchSource,
  options?: EvaluateOptions,
): Promise<EvaluateResult> {
  const {
    lossFn = new CrossEntropyLoss(),
    reportEvery = 200,
    onProgress,
    signal,
  } = checkOptions('options of evaluate', options, ['lossFn', 'reportEvery', 'onProgress', 'signal']);
  checkNet('evaluate', net);
  const computeLoss = lossOf('evaluate', lossFn);
  checkInteger('reportEvery of evaluate', reportEvery, 1);
  const device = deviceOf(net);
  const sums = sumsOn('evaluate', device);
  let [count, batches] = [0, 0];
  const progress = (): TrainProgress => {
    const { total, correct } = sums.read();
    return { batches, count, loss: total / count, accuracy: correct / count };
  };
  const modes = net.modules().map((module) => [module, module.training] as const);
  net.eval();
  try {
    await forEachBatch('evaluate', loader, signal, (batch) => {
      batches++;
      tidy(() =>
        noGrad(() => {
          const { labels, inputs } = prepare('evaluate', batch, device);
          const logits = logitsOf('evaluate', net, inputs, labels);
          const rows = labels.shape[0]!;
          const loss = computeLoss(logits, labels);
          sums.watch(loss);
          sums.add(loss, logits, labels, rows);
          count += rows;
        }),
      );
      if (batches % reportEvery === 0) {
        const now = progress();
        onProgress?.(now);
      }
      return true;
    });
  } finally {
    for (const [module, training] of modes) module.training = training;
  }
  if (count === 0) throw emptyLoader('evaluate');
  const { loss, accuracy } = progress();
  return { loss, accuracy, count };
}
