import { DataError, RecurraError } from '../../core/errors.js';
import type { EncodedDataset } from '../../data/sets/encoded.js';

/** With fewer validation rows, one row changes the accuracy by more than epochs differ. */
const FEW_ROWS = 20;

/** Maximum labels named in a warning. */
const NAMED = 3;

const rowsInWords = (count: number) => (count === 1 ? '1 row' : `${count} rows`);

/** Advice for a validation part that is too small. */
const ADVICE =
  'give more rows, or a file of validation rows that has every label, or train without validation and measure the model on other rows';

/**
 * Refuses an empty validation part before anything is trained: a label with one row has none to spare.
 *
 * @param share - The requested share of the rows; undefined if validation rows were given.
 * @param grouped - Whether whole groups were split off.
 * @throws {@link DataError} `EMPTY_DATASET`
 */
export function checkSomeValidation(
  validation: EncodedDataset,
  train: EncodedDataset,
  share: number | undefined,
  file: string | undefined,
  grouped: boolean,
): void {
  if (validation.length > 0) return;
  const message =
    share === undefined
      ? 'there are no validation rows'
      : grouped
        ? `a validation share of ${share} of ${rowsInWords(train.length)} has no rows: the rows of a group stay together, and each label needs ` +
          'rows of two groups; give more groups, or a file of validation rows, or leave the groups out'
        : `a validation share of ${share} of ${rowsInWords(train.length)} has no rows: each of the ${train.classes.length} labels ` +
          'has one row, which is needed to learn from; give more rows for a label, or a file of validation rows, or train without validation';
  throw new DataError('EMPTY_DATASET', message, { file });
}

/** Labels of training rows that no validation row has. */
function labelsWithout(validation: EncodedDataset, train: EncodedDataset): string[] {
  const learned = new Set(train.labels);
  for (const label of validation.labels) learned.delete(label);
  return [...learned].sort((a, b) => a - b).map((label) => train.classes[label]!);
}

/** Advice for texts that are on both sides, where validation rows were split off and where they were given. */
const REPEATED = 'some labels have few different texts, or texts have several labels (recurra inspect lists them)';
const AGAINST = 'remove them from one side (recurra inspect TRAINING --against VALIDATION lists them)';

/** Share of validation rows with the text of a training row above which figures are too good. */
const SOME_REPEATED = 0.01;

/**
 * Why the figures of a validation part are unreliable; undefined if they are reliable.
 *
 * @param repeated - Validation rows with the text of a training row.
 * @param byShare - Whether they were split off.
 */
export function validationWarning(
  validation: EncodedDataset,
  train: EncodedDataset,
  repeated: number,
  byShare: boolean,
): RecurraError | undefined {
  const missing = labelsWithout(validation, train);
  const parts: string[] = [];
  if (validation.length < FEW_ROWS)
    parts.push(`the validation part has ${rowsInWords(validation.length)}, too few to compare epochs by`);
  if (missing.length > 0) {
    const names = missing.slice(0, NAMED).map((label) => JSON.stringify(label));
    const more = missing.length > NAMED ? ', ...' : '';
    parts.push(
      `${missing.length} of ${train.classes.length} labels have no validation row (${names.join(', ')}${more}), so the figures say nothing about them`,
    );
  }
  const few = parts.length === 0 ? [] : [`${parts.join('; ')}: ${ADVICE}`];
  if (repeated > SOME_REPEATED * validation.length)
    few.push(
      `${repeated} of ${rowsInWords(validation.length)} of validation ${repeated === 1 ? 'has' : 'have'} the text of a training row, so the figures are too good: ` +
        (byShare ? REPEATED : AGAINST),
    );
  return few.length === 0 ? undefined : new RecurraError('OUT_OF_RANGE', few.join('; '));
}
