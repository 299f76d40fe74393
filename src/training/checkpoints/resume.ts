import { existsSync } from 'node:fs';
import { constraint, invalidArgument, ModelFileError, RecurraError } from '../../core/errors.js';
import type { OptionTable } from '../../core/options/table.js';
import type { ResumableEngine, StateEntry } from '../../engine/engine.js';
import { ownState } from '../distributed/carried.js';
import type { Share } from '../distributed/share.js';
import type { TrainingOptions } from '../options/train.js';
import type { Validation } from '../progress.js';
import type { CommonOptions, StoredTraining } from '../task.js';
import { type Checkpoint, readCheckpoint } from './file.js';
import { checkpointSettings } from './options.js';
import { storedOptions } from './settings.js';

/** Reads the checkpoint that the options want to resume from; `undefined` for a new training. */
export async function checkpointToResume<V extends Validation, C extends object>(
  { resume, checkpoint }: CommonOptions,
  read: (path: string) => Promise<StoredTraining>,
): Promise<Checkpoint<V, C> | undefined> {
  if (resume === undefined || resume === false) return undefined;
  if (typeof resume === 'string' && resume !== '') return readCheckpoint(resume, read);
  if (resume !== true) throw invalidArgument('resume', 'the path of a checkpoint, true or false', resume);
  if (checkpoint === undefined) {
    throw constraint(
      'resume',
      'resume: true needs the option checkpoint, whose file it resumes from; add it, or give the path as resume',
    );
  }
  const { path } = checkpointSettings(checkpoint);
  return existsSync(path) ? readCheckpoint(path, read) : undefined;
}

/**
 * The options of the interrupted training, overridden by the new ones.
 *
 * @param table - The options of the task; its settings may contain more, which no option changes.
 */
export function resumedOptions<O extends CommonOptions>(
  given: O,
  { settings, tokenizer }: Checkpoint,
  table: OptionTable,
): O {
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  const stored: Partial<TrainingOptions<unknown>> = { ...storedOptions(settings), ...(tokenizer && { tokenizer }) };
  const own = Object.entries(stored).filter(([name]) => name in table);
  return Object.fromEntries([...own, ...said]) as O;
}

/**
 * Lets an engine resume from a checkpoint.
 *
 * @param share - This process's share of each batch.
 * @returns the weights of the best epoch so far, if there was one.
 * @throws {@link ModelFileError} if the checkpoint does not match the engine.
 */
export async function resumeEngine(
  engine: ResumableEngine,
  { path, position, training, state }: Checkpoint,
  share: Share,
): Promise<StateEntry[] | undefined> {
  try {
    await engine.restore(ownState(training, share));
  } catch (error) {
    if (error instanceof RecurraError)
      throw new ModelFileError(error.code, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
  return position.best ? state : undefined;
}

/** Refuses a number of epochs that is already exceeded. */
export function checkEpochs({ path, position: { epoch, batch } }: Checkpoint, epochs: number): void {
  const begun = batch > 0 ? epoch : epoch - 1;
  if (epochs >= begun) return;
  throw constraint(
    'epochs',
    `Expected at least ${begun} for epochs, the number that ${path} has reached, but received ${epochs}`,
  );
}
