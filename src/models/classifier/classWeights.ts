import { constraint } from '../../core/errors.js';
import type { EncodedDataset } from '../../data/sets/encoded.js';
import type { TrainSettings } from './options.js';

/** Number of rows of each label. */
function rowCounts(dataset: EncodedDataset): number[] {
  const counts = dataset.classes.map(() => 0);
  for (const label of dataset.labels) counts[label]!++;
  return counts;
}

/**
 * A weight for each class of a training set, in the order of its classes, or empty for 1 each. See
 * {@link ClassifierLossOptions.classWeights}.
 *
 * @throws ArgumentError for a weight whose label no row has.
 */
export function classWeightsOf(weights: TrainSettings['classWeights'], dataset: EncodedDataset): number[] {
  if (weights === undefined) return [];
  const { classes } = dataset;
  if (weights !== 'balanced') {
    for (const label of weights.keys()) {
      if (!classes.includes(label)) {
        throw constraint(
          'classWeights',
          `classWeights has the label ${JSON.stringify(label)}, which no training row has; labels: ${classes
            .slice(0, 20)
            .map((name) => JSON.stringify(name))
            .join(', ')}${classes.length > 20 ? ', ...' : ''}`,
          'UNKNOWN_LABEL',
        );
      }
    }
    return classes.map((label) => weights.get(label) ?? 1);
  }
  const rows = dataset.length;
  const counts = rowCounts(dataset);
  // As scikit-learn's compute_class_weight. The weight of a class without training rows has no effect.
  if (!dataset.multiLabel) return counts.map((count) => rows / (classes.length * Math.max(count, 1)));
  // A label that every row has would get 0 and never be learned.
  return counts.map((count) => Math.max(rows - count, 1) / Math.max(count, 1));
}
