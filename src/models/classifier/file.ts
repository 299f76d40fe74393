import { ModelFileError } from '../../core/errors.js';
import { type CommonDescription, type FileKind, modelMetadata, withFields } from '../file.js';
import { type ModelSettings, modelSettings } from './options.js';

/** What a classifier's file says of its outputs. */
export interface ClassifierFields {
  /** The labels, in the order of the outputs. */
  labels: readonly string[];
  /** The probability from which on each label is given, if a text may have several. */
  thresholds: readonly number[] | undefined;
}

/** A model with several labels a text has one threshold for each, any other none. */
function checkThresholds(thresholds: unknown, multiLabel: boolean, labels: number): void {
  const fits = (value: unknown) => typeof value === 'number' && value >= 0 && value <= 1;
  const expected = multiLabel
    ? Array.isArray(thresholds) && thresholds.length === labels && thresholds.every(fits)
    : thresholds === undefined;
  if (expected) return;
  const message = multiLabel
    ? `expected a threshold from 0 to 1 for each of its ${labels} labels`
    : 'it has thresholds, but its labels are exclusive';
  throw new ModelFileError('INVALID_FILE', message);
}

/** The kind of file that holds a classifier. */
export const classifierFile: FileKind<ModelSettings, ClassifierFields> = {
  kind: 'classifier',
  settings: modelSettings,
  parse({ labels, thresholds }, { multiLabel }) {
    const distinct =
      Array.isArray(labels) &&
      labels.every((label) => typeof label === 'string') &&
      new Set(labels).size === labels.length;
    if (!distinct || labels.length < 2)
      throw new ModelFileError('INVALID_FILE', 'expected two or more different labels');
    checkThresholds(thresholds, multiLabel, labels.length);
    return { labels, thresholds: thresholds as readonly number[] | undefined };
  },
  outputs: ({ labels }) => labels.length,
};

/**
 * Describes a classifier for its file: first all but the thresholds, which a training chooses last.
 *
 * @returns the metadata for given thresholds.
 */
export function classifierMetadata(
  common: CommonDescription<ModelSettings>,
  labels: readonly string[],
): (thresholds: ClassifierFields['thresholds']) => Record<string, string> {
  const metadata = modelMetadata('classifier', common, { labels });
  return (thresholds) => withFields(metadata, thresholds ? { thresholds } : {});
}
