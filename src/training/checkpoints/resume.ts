import { existsSync } from 'node:fs';
import { ArgumentError, invalidArgument, ModelFileError, RecurraError } from '../../core/errors.js';
import type { ResumableEngine, StateEntry } from '../../engine/engine.js';
import type { TrainOptions } from '../../models/classifier/options.js';
import { HuggingFaceTokenizer } from '../../text/huggingFace.js';
import { type Checkpoint, readCheckpoint } from './file.js';
import { checkpointSettings } from './options.js';

/** Reads the checkpoint that the options want to go on from; `undefined` for a training that begins. */
export async function checkpointToResume({ resume, checkpoint }: TrainOptions): Promise<Checkpoint | undefined> {
  if (resume === undefined || resume === false) return undefined;
  if (typeof resume === 'string' && resume !== '') return readCheckpoint(resume);
  if (resume !== true) throw invalidArgument('resume', 'the path of a checkpoint, true or false', resume);
  if (checkpoint === undefined) {
    throw new ArgumentError(
      'INVALID_ARGUMENT',
      'resume: true goes on from the file that the option checkpoint names, but there is no such option; give it, or a path to resume',
    );
  }
  const { path } = checkpointSettings(checkpoint);
  return existsSync(path) ? readCheckpoint(path) : undefined;
}

/** The options of the interrupted training where the new ones say nothing. */
export function resumedOptions(given: TrainOptions, { options, text: { tokenizer } }: Checkpoint): TrainOptions {
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  // The one tokenizer that is no plain value and still in the file.
  const held = tokenizer instanceof HuggingFaceTokenizer ? { tokenizer } : {};
  return { ...options, ...held, ...Object.fromEntries(said) };
}

/**
 * Lets an engine go on from a checkpoint.
 *
 * @returns the weights of the best epoch so far, if there was one.
 * @throws ModelFileError if the checkpoint does not fit the engine.
 */
export async function resumeEngine(engine: ResumableEngine, checkpoint: Checkpoint): Promise<StateEntry[] | undefined> {
  const { path, position, training, model } = checkpoint;
  try {
    await engine.restore(training);
  } catch (error) {
    if (error instanceof RecurraError)
      throw new ModelFileError(error.code, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
  return position.best ? model : undefined;
}

/** Refuses a number of epochs that has been passed already. */
export function checkEpochs({ path, position: { epoch, batch } }: Checkpoint, epochs: number): void {
  const begun = batch > 0 ? epoch : epoch - 1;
  if (epochs >= begun) return;
  throw new ArgumentError(
    'INVALID_ARGUMENT',
    `Expected at least ${begun} for epochs, as many as ${path} has begun, but received ${epochs}`,
  );
}
