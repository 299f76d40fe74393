import { stat } from 'node:fs/promises';
import { bytesInWords } from '../../core/byteSize.js';
import { counted } from '../../core/counted.js';
import { constraint, invalidArgument } from '../../core/errors.js';
import { checkOutputs, type Output } from '../../core/outputs.js';
import { printable } from '../../core/printable.js';
import { duration, jsonLine, note, percent } from '../../core/terminal.js';
import { PAIR_COLUMNS, PAIRS, ROWS, TEXTS } from '../../data/readers/options.js';
import { TAGS } from '../../data/readers/readTags.js';
import type { FileRows } from '../../data/readers/source.js';
import { TextClassifier } from '../../models/classifier/classifier.js';
import { CLASSIFIER, type TrainOptions } from '../../models/classifier/options.js';
import { ModelKindError } from '../../models/description.js';
import { LanguageModel } from '../../models/language/language.js';
import { LANGUAGE, type LanguageOptions } from '../../models/language/options.js';
import { SEQ2SEQ, type Seq2SeqOptions } from '../../models/seq2seq/options.js';
import { Seq2Seq } from '../../models/seq2seq/seq2seq.js';
import { TAGGER, type TaggerTrainOptions } from '../../models/tagger/options.js';
import { TextTagger } from '../../models/tagger/tagger.js';
import { HuggingFaceTokenizer } from '../../text/huggingFace.js';
import { isTokenizerName, TOKENIZER_NAMES } from '../../text/names.js';
import type { TokenizerLike } from '../../text/tokenizer.js';
import { checkpointOutputs } from '../../training/checkpoints/checkpointer.js';
import { checkpointSettings } from '../../training/checkpoints/options.js';
import { progressDisplay, validationWords } from '../../training/display.js';
import type { DistributedOptions } from '../../training/distributed/options.js';
import { TrainingError } from '../../training/errors.js';
import type { AnyTaskEvent } from '../../training/events/events.js';
import type { EncoderOptions } from '../../training/options/encoder.js';
import type { Progress } from '../../training/progress.js';
import { type CheckpointFlags, checkpointOption, eventNotes } from '../checkpointFlags.js';
import { type DeviceFlag, deviceOption } from '../device.js';
import { type DistributedFlags, distributedOption, rankOf } from '../distributedFlags.js';
import { givenOptions } from '../flags.js';
import { EXIT } from '../output.js';
import { trainingInputs } from '../outputs.js';
import { type ReadingDisplay, readingDisplay } from '../reading.js';
import {
  checkCorpusFlags,
  noteSkipped,
  openCorpus,
  openPairs,
  openRows,
  openTags,
  openUnlabelled,
  type RowFlags,
  refuseFlags,
} from '../rows.js';
import { onStopSignal } from '../signals.js';
import { type AnyModel, checkTask, type TaskFlag } from '../tasks.js';

/** Flags of `recurra train`. */
export interface TrainFlags extends TaskFlag, RowFlags, CheckpointFlags, DeviceFlag, DistributedFlags {
  out: string;
  tokenizer?: string;
  sourceTokenizer?: string;
  targetTokenizer?: string;
  unlabelled?: string;
  validation?: string;
  embeddings?: string;
  encoder?: string;
  tensorboard?: string;
  json?: boolean;
}

/** Checks before reading anything that all output files can be written and are not also inputs. */
async function checkPaths(files: readonly string[], flags: TrainFlags): Promise<void> {
  const { out, checkpoint, tensorboard } = flags;
  const outputs: Output[] = [{ option: 'out', what: 'the model', path: out }];
  if (checkpoint !== undefined) outputs.push(...checkpointOutputs(checkpointSettings(checkpoint)));
  if (tensorboard !== undefined)
    outputs.push({ option: 'tensorboard', what: 'the log for TensorBoard', path: tensorboard, folder: true });
  await checkOutputs(outputs, trainingInputs(files, flags));
}

/** A tokenizer by its name, or by the file that describes it. */
export async function namedTokenizer(given: string): Promise<TokenizerLike> {
  if (isTokenizerName(given)) return given;
  if (/\.json$/i.test(given)) return HuggingFaceTokenizer.fromFile(given);
  throw invalidArgument('tokenizer', `one of ${TOKENIZER_NAMES.join(', ')}, or a file that ends in .json`, given);
}

/**
 * Runs a training with the language model that `--encoder` names, if given, and closes the model afterwards.
 *
 * @throws ArgumentError for a model of another kind.
 */
async function beginning<T>(
  { encoder: path, threads }: TrainFlags,
  train: (begun: EncoderOptions) => Promise<T>,
): Promise<T> {
  if (path === undefined) return train({});
  let encoder: LanguageModel;
  try {
    encoder = await LanguageModel.load(path, threads === undefined ? {} : { threads });
  } catch (error) {
    if (!(error instanceof ModelKindError)) throw error;
    throw constraint('encoder', `--encoder needs a language model; ${path} is a model of kind "${error.kind}"`);
  }
  try {
    return await train({ encoder });
  } finally {
    await encoder.close();
  }
}

/** The options from the flags: most are passed on as they are, some name a file that is opened first. */
async function trainOptions(flags: TrainFlags, reading: ReadingDisplay): Promise<TrainOptions> {
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
    options.validation = Number.isFinite(share) ? share : openRows(validation, flags, reading.update);
  }
  return options;
}

/** Turns the first stop signal into an abort; a second one ends the process at once. */
export function abortOnSignals(notice: string): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const release = onStopSignal(() => {
    note(`recurra: ${notice} (again: stop at once)`);
    release();
    controller.abort();
  });
  return { signal: controller.signal, release };
}

/** The measure by which the best epoch was found, as {@link Task.score} has it; equal ones are compared by the loss. */
function bestBy(model: Trained): string {
  if (model instanceof Seq2Seq) return 'the fewest unit errors';
  if (model instanceof LanguageModel) return 'the smallest loss';
  if (model instanceof TextTagger) return model.scheme === undefined ? 'the best accuracy' : 'the best F1';
  return model.thresholds ? 'the smallest loss' : 'the best accuracy';
}

/** Describes the epoch whose weights were saved. */
function keptWords(model: Trained): string {
  const { kept, history } = model;
  if (!kept) return '';
  const { epoch, epochs, loss, accuracy, validation } = kept;
  const chosen = validation && history.length > 1;
  const which = chosen ? `, epoch ${epoch} of ${epochs} kept (${bestBy(model)} on validation)` : '';
  const measured = validation ? `, validation ${validationWords(validation)}` : '';
  return `${which}, loss ${loss.toFixed(4)}, training accuracy ${percent(accuracy)}${measured}`;
}

/** What a training makes. */
type Trained = AnyModel;

/** The training that the flags ask for. */
interface Asked {
  rows: FileRows<unknown>;
  train(watch: Watching): Promise<Trained>;
}

/** Describes what a model learned from. */
function learned(model: Trained): string {
  const { trainedRows, vocab } = model;
  if (model instanceof Seq2Seq)
    return `${counted(trainedRows, 'pair')}, ${counted(vocab.length, 'different source unit')}, ${counted(model.targetVocab.length, 'target unit')}`;
  if ('labels' in model) return `${counted(trainedRows)}, ${counted(model.labels.length, 'label')}`;
  return `${trainedRows} ${model.units}, ${vocab.length} different ones`;
}

/** Control and progress of a training. */
interface Watching {
  signal: AbortSignal;
  /** The other processes; a single process if omitted. */
  distributed?: DistributedOptions;
  onEvent(event: AnyTaskEvent): void;
  onProgress(progress: Progress): void;
}

function classifying(files: readonly string[], flags: TrainFlags, reading: ReadingDisplay): Asked {
  for (const table of [TAGGER, TAGS, LANGUAGE, SEQ2SEQ, PAIR_COLUMNS])
    refuseFlags(flags, table, [CLASSIFIER, ROWS], '--task classify');
  if (flags.group !== undefined && !Number.isFinite(Number(flags.validation ?? Number.NaN)))
    throw constraint('group', '--group needs --validation with a share of the rows, such as 0.1');
  const rows = openRows(files, flags, reading.update);
  const train = async (watch: Watching) => {
    const options = await trainOptions(flags, reading);
    return beginning(flags, (begun) => TextClassifier.train(rows, { ...options, ...begun, ...watch }));
  };
  return { rows, train };
}

function tagging(files: readonly string[], flags: TrainFlags, reading: ReadingDisplay): Asked {
  for (const table of [CLASSIFIER, LANGUAGE, SEQ2SEQ, PAIR_COLUMNS]) refuseFlags(flags, table, [TAGGER], '--task tag');
  const rows = openTags(files, flags, reading.update);
  const options = (): TaggerTrainOptions => {
    const given: TaggerTrainOptions = {
      ...givenOptions<TaggerTrainOptions>(TAGGER, flags),
      ...checkpointOption(flags),
      ...deviceOption(flags),
    };
    const { unlabelled, validation } = flags;
    if (unlabelled !== undefined) given.unlabelled = openUnlabelled(unlabelled, {});
    if (validation !== undefined) {
      const share = Number(validation);
      given.validation = Number.isFinite(share) ? share : openTags(validation, flags, reading.update);
    }
    return given;
  };
  const train = (watch: Watching) =>
    beginning(flags, (begun) => TextTagger.train(rows, { ...options(), ...begun, ...watch }));
  return { rows, train };
}

function modelling(files: readonly string[], flags: TrainFlags, reading: ReadingDisplay): Asked {
  for (const table of [CLASSIFIER, TAGGER, SEQ2SEQ, ROWS, TAGS, PAIR_COLUMNS])
    refuseFlags(flags, table, [LANGUAGE, { ...TEXTS, header: ROWS.header }], '--task language');
  for (const file of files) checkCorpusFlags(file, flags);
  const rows = openCorpus(files, flags, reading.update);
  const options = async (): Promise<LanguageOptions> => {
    const { tokenizer: _, ...given } = givenOptions<LanguageOptions>(LANGUAGE, flags);
    const options: LanguageOptions = { ...given, ...(checkpointOption(flags) as LanguageOptions) };
    const { tokenizer, validation } = flags;
    if (tokenizer !== undefined && isTokenizerName(tokenizer))
      throw constraint(
        'tokenizer',
        '--tokenizer needs a tokenizer file for a language model; use --units for built-in units',
      );
    if (tokenizer !== undefined) options.tokenizer = await HuggingFaceTokenizer.fromFile(tokenizer);
    if (validation !== undefined) {
      const share = Number(validation);
      options.validation = Number.isFinite(share) ? share : openCorpus(validation, flags, reading.update);
    }
    return options;
  };
  // Events and reports of all tasks are shown in the same way.
  const train = async (watch: Watching) =>
    LanguageModel.train(rows, { ...(await options()), ...(watch as unknown as LanguageOptions) });
  return { rows, train };
}

function pairing(files: readonly string[], flags: TrainFlags, reading: ReadingDisplay): Asked {
  for (const table of [CLASSIFIER, TAGGER, LANGUAGE, ROWS, TAGS])
    refuseFlags(flags, table, [SEQ2SEQ, PAIRS], '--task seq2seq');
  const rows = openPairs(files, flags, reading.update);
  const options = async (): Promise<Seq2SeqOptions> => {
    const { sourceTokenizer: _, targetTokenizer: __, ...given } = givenOptions<Seq2SeqOptions>(SEQ2SEQ, flags);
    const options: Seq2SeqOptions = { ...given, ...(checkpointOption(flags) as Seq2SeqOptions) };
    const { sourceTokenizer, targetTokenizer, validation } = flags;
    if (sourceTokenizer !== undefined) options.sourceTokenizer = await HuggingFaceTokenizer.fromFile(sourceTokenizer);
    if (targetTokenizer !== undefined) options.targetTokenizer = await HuggingFaceTokenizer.fromFile(targetTokenizer);
    if (validation !== undefined) {
      const share = Number(validation);
      options.validation = Number.isFinite(share) ? share : openPairs(validation, flags, reading.update);
    }
    return options;
  };
  // Events and reports of all tasks are shown in the same way.
  const train = async (watch: Watching) =>
    Seq2Seq.train(rows, { ...(await options()), ...(watch as unknown as Seq2SeqOptions) });
  return { rows, train };
}

/** A display that shows nothing, for all processes but the first. */
const SILENT = { update() {}, prepare() {}, stop() {} };

/** The trainings, by what `--task` names. */
const TRAININGS = { classify: classifying, tag: tagging, language: modelling, seq2seq: pairing } as const;

/** `recurra train`: trains on files and saves the model. */
export async function trainCommand(files: readonly string[], flags: TrainFlags): Promise<number> {
  checkTask(files, flags);
  const others = distributedOption(flags);
  // Of several processes, only the first writes and reports.
  const first = rankOf(flags) === 0;
  if (first) await checkPaths(files, flags);
  const json = flags.json === true;
  const reading = first ? readingDisplay(json) : SILENT;
  const { rows, train } = TRAININGS[flags.task ?? 'classify'](files, flags, reading);
  const display = first ? progressDisplay({ json }) : SILENT;
  const notes = first ? eventNotes(json) : () => {};
  let ranks = 1;
  const { signal, release } = abortOnSignals('stopping; the weights learned so far, if any, will be saved');
  const began = performance.now();
  let model: Trained;
  let failure: TrainingError | undefined;
  try {
    model = await train({
      signal,
      ...others,
      onEvent(event) {
        if (event.type === 'start') ranks = event.ranks;
        if (event.type === 'prepare') display.prepare(event);
        else notes(event);
      },
      onProgress: display.update,
    });
  } catch (error) {
    if (!(error instanceof TrainingError) || !error.model) throw error;
    failure = error;
    model = error.model as Trained;
  } finally {
    reading.stop();
    display.stop();
    release();
  }
  if (!first) return exitCode(failure);
  await model.save(flags.out);
  noteSkipped(rows);
  const { kept } = model;
  const { size: bytes } = await stat(flags.out);
  const seconds = (performance.now() - began) / 1000;
  const summary = {
    event: 'end',
    model: flags.out,
    bytes,
    rows: model.trainedRows,
    skipped: rows.skipped,
    // The figures are those of the epoch whose weights were saved.
    epoch: kept?.epoch ?? null,
    epochs: model.history.at(-1)?.epoch ?? 0,
    loss: kept?.loss ?? null,
    accuracy: kept?.accuracy ?? null,
    validation: kept?.validation ?? null,
    ...('labels' in model && { labels: model.labels.length }),
    vocabulary: model.vocab.length,
    ranks,
    seconds,
    interrupted: failure?.code === 'ABORTED',
  };
  if (failure && failure.code !== 'ABORTED')
    note(`recurra: the weights from before the fault are saved in ${flags.out}`);
  if (flags.json) {
    if (failure) jsonLine({ event: 'error', code: failure.code, message: failure.message });
    jsonLine(summary);
  } else {
    process.stdout.write(
      `${printable(flags.out)} (${bytesInWords(bytes)}): ${learned(model)}${keptWords(model)}, ${duration(seconds)}\n`,
    );
  }
  return exitCode(failure);
}

/** The exit code; prints the reason of a failure. */
function exitCode(failure: TrainingError | undefined): number {
  if (!failure) return EXIT.ok;
  if (failure.code === 'ABORTED') return EXIT.interrupted;
  note(`recurra: ${failure.message} [${failure.code}]`);
  return EXIT.failure;
}
