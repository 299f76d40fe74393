import { checkOptions } from '../core/checks.js';
import { EPOCH_OPTIONS, type EpochResult, runEpoch, type TrainEpochOptions, trainEpoch } from '../torch/train/epoch.js';
import type { BatchSource, Classifier } from '../torch/train/step.js';

/** Options of {@link trainEpochEmb}. */
export interface TrainEpochEmbOptions extends TrainEpochOptions {
  /**
   * Whether the third part of a batch contains lengths for packing, which stay on the CPU. Default `false`: offsets,
   * which are moved to the model's device.
   */
  usePackSequence?: boolean;
}

/**
 * Like {@link trainEpoch}, for batches `[labels, text, offsets]` (`EmbeddingBag`) or `[labels, text, lengths]`
 * (packing: `usePackSequence`), as the lesson's `train_epoch_emb`: calls `net.forward(text, offsetsOrLengths)`.
 *
 * @example
 * ```ts
 * const loader = new DataLoader(data, { batchSize: 16, shuffle: true, collate: offsetify });
 * await trainEpochEmb(classifier, loader, { lr: 1e-3 });
 * ```
 */
export async function trainEpochEmb(
  net: Classifier,
  loader: BatchSource,
  options?: TrainEpochEmbOptions,
): Promise<EpochResult> {
  const { usePackSequence = false, ...rest } = checkOptions('options of trainEpochEmb', options, [
    ...EPOCH_OPTIONS,
    'usePackSequence',
  ]);
  return runEpoch('trainEpochEmb', net, loader, rest, (index) => usePackSequence && index === 1);
}
