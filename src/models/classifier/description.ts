import { ModelFileError } from '../../core/errors.js';
import type { Mix } from '../../engine/linear.js';
import { LINEAR_PREFIX } from '../../engine/memberNames.js';
import type { FileKind } from '../description.js';
import { MOST_MEMBERS, type ModelSettings, modelSettings } from './network.js';

/** A classifier file's description of its outputs. */
export interface ClassifierFields {
  /** The labels, in the order of the outputs. */
  labels: readonly string[];
  /** The decision threshold of each label, if a text may have several. */
  thresholds: readonly number[] | undefined;
  /** How the network and the linear model are mixed, if there is one. */
  linear: Mix | undefined;
  /** Whether there is a network. */
  recurrent: boolean;
  /** Networks in the ensemble; also 1 if there is none. */
  members: number;
  /** What it tells of validation rows, as it stands there; `certaintyOf` checks it. */
  certainty?: unknown;
  /** What it tells of the look of these rows, as it stands there; `checkedScope` checks it. */
  scope?: unknown;
}

/** A multi-label model has one threshold per label, any other model none. */
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

/** A file's mix, checked; undefined for a file without a linear model. */
function checkMix(value: unknown): Mix | undefined {
  if (value === undefined) return undefined;
  const { network, sharpness } = (value ?? {}) as Partial<Mix>;
  const fits = (number: unknown, most: number) => typeof number === 'number' && number >= 0 && number <= most;
  if (!fits(network, 1) || !fits(sharpness, 1e3))
    throw new ModelFileError('INVALID_FILE', 'its mix of network and linear model must have two numbers in range');
  return { network: network!, sharpness: sharpness! };
}

/** A file's number of networks, checked; 1 if it is not given. */
function checkMembers(value: unknown): number {
  if (value === undefined) return 1;
  if (Number.isSafeInteger(value) && (value as number) >= 2 && (value as number) <= MOST_MEMBERS)
    return value as number;
  const message = `its members must be a whole number from 2 to ${MOST_MEMBERS}, and are ${JSON.stringify(value)}`;
  throw new ModelFileError('INVALID_FILE', message);
}

/**
 * The description of classifier files. Versions of its format:
 *
 * - 1: `basic_english` or a function; the beginning of long texts.
 * - 2: the other tokenizers, `ngrams`, `truncate`; multi-label models with thresholds; pooling by attention. The `kind`
 *   came later: a description without one is a classifier's.
 * - 3: a linear model. A file without one still has version 2.
 * - 4: ensembles. A file with one network still has version 2 or 3.
 * - 5: compressed models.
 */
export const classifierFile: FileKind<ModelSettings, ClassifierFields> = {
  kind: 'classifier',
  version: 5,
  settings: modelSettings,
  parse({ labels, thresholds, linear, recurrent, members, certainty, scope }, { multiLabel }) {
    const distinct =
      Array.isArray(labels) &&
      labels.every((label) => typeof label === 'string') &&
      new Set(labels).size === labels.length;
    if (!distinct || labels.length < 2)
      throw new ModelFileError('INVALID_FILE', 'expected two or more distinct labels');
    checkThresholds(thresholds, multiLabel, labels.length);
    return {
      labels,
      thresholds: thresholds as readonly number[] | undefined,
      linear: checkMix(linear),
      recurrent: recurrent !== false,
      members: recurrent === false ? 1 : checkMembers(members),
      certainty,
      scope,
    };
  },
  outputs: ({ labels }) => labels.length,
  members: ({ members }) => members,
  hasNetwork: ({ recurrent }) => recurrent,
};

/**
 * Whether a file has a linear model, from the names of its arrays.
 *
 * @throws {@link ModelFileError} for a linear model without a mix, or the reverse.
 */
export function hasLinear(
  arrays: readonly { name: string }[],
  { linear: mix, recurrent }: Pick<ClassifierFields, 'linear' | 'recurrent'>,
): boolean {
  const there = arrays.some(({ name }) => name.startsWith(LINEAR_PREFIX));
  if (!mix && !there && recurrent) return false;
  if (mix && there) return true;
  const message = there ? 'it has a linear model, but not its mix' : 'it has a mix, but no linear model';
  throw new ModelFileError('INVALID_FILE', message);
}
