import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DataError, invalidArgument } from '../../core/errors.js';
import { duration, jsonLine, note, percent } from '../../core/terminal.js';
import { TextClassifier } from '../../models/classifier/classifier.js';
import { CLASSIFIER, type TrainOptions } from '../../models/classifier/options.js';
import { HuggingFaceTokenizer } from '../../text/huggingFace.js';
import { isTokenizerName, TOKENIZER_NAMES, type TokenizerLike } from '../../text/tokenizer.js';
import { progressDisplay } from '../../training/display.js';
import { TrainingError } from '../../training/errors.js';
import { type CheckpointFlags, checkpointOption, eventNotes } from '../checkpointFlags.js';
import { type DeviceFlag, deviceOption } from '../device.js';
import { givenOptions } from '../flags.js';
import { EXIT } from '../output.js';
import { noteSkipped, openRows, openUnlabelled, type RowFlags } from '../rows.js';
import { checkTask, type TaskFlag } from '../tasks.js';

/** Flags of `recurra train`. */
export interface TrainFlags extends TaskFlag, RowFlags, CheckpointFlags, DeviceFlag {
  out: string;
  tokenizer?: string;
  unlabelled?: string;
  validation?: string;
  json?: boolean;
}

/** Finds out before hours of work, not after, that its result could not be written. */
export async function checkWritable(what: string, out: string): Promise<void> {
  const folder = dirname(resolve(out));
  try {
    await access(folder, constants.W_OK);
    if ((await stat(out).catch(() => undefined))?.isDirectory()) throw new Error('it is a folder');
  } catch (error) {
    throw new DataError('IO', `${what} cannot be written to ${out}: ${(error as Error).message}`);
  }
}

/** A tokenizer by its name, or by the file that describes it. */
export async function namedTokenizer(given: string): Promise<TokenizerLike> {
  if (isTokenizerName(given)) return given;
  if (/\.json$/i.test(given)) return HuggingFaceTokenizer.fromFile(given);
  throw invalidArgument('tokenizer', `one of ${TOKENIZER_NAMES.join(', ')}, or a file that ends in .json`, given);
}

/** The options that the flags mean: most are flags as they are, some name what is to be opened first. */
async function trainOptions(flags: TrainFlags): Promise<TrainOptions> {
  const options: TrainOptions = {
    ...givenOptions<TrainOptions>(CLASSIFIER, flags),
    ...checkpointOption(flags),
    ...deviceOption(flags),
  };
  const { tokenizer, unlabelled, validation } = flags;
  if (tokenizer !== undefined) options.tokenizer = await namedTokenizer(tokenizer);
  if (unlabelled !== undefined) options.unlabelled = openUnlabelled(unlabelled, flags);
  if (validation !== undefined) {
    const share = Number(validation);
    options.validation = Number.isFinite(share) ? share : openRows(validation, flags);
  }
  return options;
}

/** Turns the first Ctrl-C or SIGTERM into an abort; at the second one the process ends as it would have. */
export function abortOnSignals(notice: string): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const release = () => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.removeListener(name, stop);
  };
  const stop = () => {
    note(`recurra: ${notice} (again: stop at once)`);
    release();
    controller.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop);
  return { signal: controller.signal, release };
}

/** `recurra train`: trains on a file and saves the model. */
export async function trainCommand(file: string, flags: TrainFlags): Promise<number> {
  checkTask(file, flags);
  await checkWritable('the model', flags.out);
  const rows = openRows(file, flags);
  const display = progressDisplay({ json: flags.json === true });
  const notes = eventNotes(flags.json === true);
  const { signal, release } = abortOnSignals('stopping; what was learned so far will be saved');
  const began = performance.now();
  let model: TextClassifier;
  let failure: TrainingError | undefined;
  try {
    model = await TextClassifier.train(rows, {
      ...(await trainOptions(flags)),
      signal,
      onEvent(event) {
        if (event.type === 'prepare') display.prepare(event);
        else notes(event);
      },
      onProgress: display.update,
    });
  } catch (error) {
    if (!(error instanceof TrainingError) || !error.model) throw error;
    failure = error;
    model = error.model;
  } finally {
    display.stop();
    release();
  }
  await model.save(flags.out);
  noteSkipped(rows);
  const last = model.history.at(-1);
  const seconds = (performance.now() - began) / 1000;
  const summary = {
    event: 'end',
    model: flags.out,
    rows: model.trainedRows,
    skipped: rows.skipped,
    loss: last?.loss ?? null,
    accuracy: last?.accuracy ?? null,
    validation: last?.validation ?? null,
    labels: model.labels.length,
    vocabulary: model.vocab.length,
    seconds,
    interrupted: failure?.code === 'ABORTED',
  };
  if (failure && failure.code !== 'ABORTED')
    note(`recurra: the weights from before the fault are saved in ${flags.out}`);
  if (flags.json) {
    if (failure) jsonLine({ event: 'error', code: failure.code, message: failure.message });
    jsonLine(summary);
  } else {
    const measured = last ? `, loss ${last.loss.toFixed(4)}, training accuracy ${percent(last.accuracy)}` : '';
    process.stdout.write(
      `${flags.out}: ${summary.rows} rows, ${summary.labels} labels${measured}, ${duration(seconds)}\n`,
    );
  }
  if (!failure) return EXIT.ok;
  if (failure.code === 'ABORTED') return EXIT.interrupted;
  note(`recurra: ${failure.message} [${failure.code}]`);
  return EXIT.failure;
}
