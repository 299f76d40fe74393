import { ModelFileError } from '../core/errors.js';
import { CARD_KEY, RECORD_VERSION, type TrainingRecord } from '../training/record.js';

/**
 * The training record of a file; undefined for files without one, such as those before 0.5. Unknown fields are kept. A
 * record of a later format is ignored: the model can be used without it.
 *
 * @throws {@link ModelFileError} `INVALID_FILE` for an invalid record.
 */
export function cardOf(metadata: Readonly<Record<string, string>>): TrainingRecord | undefined {
  const text = metadata[CARD_KEY];
  if (text === undefined) return undefined;
  let parsed: Partial<TrainingRecord> | null;
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch (cause) {
    throw new ModelFileError('INVALID_FILE', 'its card is not JSON', { cause });
  }
  const { formatVersion, version, options, data, history } = parsed ?? {};
  if (Number.isSafeInteger(formatVersion) && formatVersion! > RECORD_VERSION) return undefined;
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const epochs = Array.isArray(history) && history.every(isObject);
  const complete =
    formatVersion === RECORD_VERSION && typeof version === 'string' && isObject(options) && isObject(data);
  if (!complete || !epochs) throw new ModelFileError('INVALID_FILE', 'its card is not a training record');
  return parsed as TrainingRecord;
}
