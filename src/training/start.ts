import { availableParallelism } from 'node:os';
import { counted } from '../core/counted.js';
import { constraint, RecurraError } from '../core/errors.js';
import { checkOptionsObject } from '../core/options/names.js';
import { checkOutputs, type Input, type Output } from '../core/outputs.js';
import type { RowsOrigin } from '../data/readers/rows.js';
import { engineOn } from '../engine/create.js';
import type { ExplainingEngine } from '../engine/engine.js';
import type { NetworkSettings } from '../engine/network.js';
import { noEngine } from '../engine/none.js';
import { formsOfVocabulary, type WordFeatures } from '../text/forms.js';
import { Checkpointer, checkpointOutputs, prepareCheckpoints } from './checkpoints/checkpointer.js';
import type { Checkpoint } from './checkpoints/file.js';
import { checkFingerprint, checkUnlabelled, fingerprintOf } from './checkpoints/fingerprint.js';
import { beginning } from './checkpoints/position.js';
import { checkEpochs, checkpointToResume, resumedOptions, resumeEngine } from './checkpoints/resume.js';
import { checkSettings, firstVectors, settingsBefore, storedSettings } from './checkpoints/settings.js';
import { columnsOf, withColumns } from './columns.js';
import { openSession, type Session } from './distributed/session.js';
import { setEmbeddings, wordsOfFile } from './embeddings.js';
import { setLayers, wordsOfEncoder } from './encoder.js';
import { abortedBefore, TrainingError } from './errors.js';
import type { TrainingControl } from './events/control.js';
import type { Choice } from './events/events.js';
import { progressListener } from './events/progress.js';
import { TensorboardLog } from './events/tensorboard.js';
import { type FirstVectors, type FirstWords, ROWS_ALONE, wordsOfCheckpoint } from './firstWords.js';
import { DEFAULT_EPOCHS, defaultBatchSize } from './options/learning.js';
import { type RecordedCourse, recordFrame, withCard } from './record.js';
import { rehearse } from './rehearsal.js';
import { TrainingRun } from './run.js';
import type { CommonSettings, Listeners, Task, TaskTypes, TrainingInput } from './task.js';
import { Trainer } from './trainer.js';
import { hashOfTexts, type VectorWatcher, wordsOfTexts } from './unlabelled.js';

type ControlOf<T extends TaskTypes> = TrainingControl<T['validation'], T['start']>;
type CheckpointOf<T extends TaskTypes> = Checkpoint<T['validation'], T['chosen']>;

/** Starts a task's training and returns at once. */
export function startTraining<T extends TaskTypes>(
  task: Task<T>,
  rows: T['rows'],
  options: T['options'],
): TrainingRun<T['model'], T['validation'], T['start']> {
  return new TrainingRun((control) => train(task, rows, options, control));
}

/** The whole way from rows to a model: options, rows, engine, training, model. */
async function train<T extends TaskTypes>(
  task: Task<T>,
  rows: T['rows'],
  given: T['options'],
  control: ControlOf<T>,
): Promise<T['model']> {
  checkOptionsObject(given);
  const checkpoint: CheckpointOf<T> | undefined = await checkpointToResume(given, (path) => task.read(path));
  const settings = task.settings(checkpoint ? resumedOptions(given, checkpoint, task.options) : given);
  const asked = { ...settings, ...wholeTexts(settings, checkpoint) };
  const session = await openSession(asked.distributed);
  try {
    await session.agree(agreed(asked, checkpoint));
    await session.apart(async () => {
      if (checkpoint) {
        checkSettings(checkpoint.path, checkpoint.settings, storedSettings(withRanks(asked, session)));
        if (asked.epochs !== undefined) checkEpochs(checkpoint, asked.epochs);
      }
      if (session.company.share.rank > 0) return;
      await checkPaths(rows, asked);
      if (asked.checkpoint) await prepareCheckpoints(asked.checkpoint);
    });
    watch(control, asked);
    const found = await session.apart(() => read(task, rows, asked, control, checkpoint));
    try {
      return await trained(task, rows, found, control, checkpoint, session);
    } finally {
      await found.data.close?.();
    }
  } finally {
    await session.close();
  }
}

/**
 * Whether equal texts stay on one side where validation rows are split off. A training that an earlier version began
 * splits its rows as that version did.
 */
function wholeTexts(settings: CommonSettings, checkpoint: Checkpoint | undefined): Pick<CommonSettings, 'wholeTexts'> {
  const { validation } = settings as { validation?: unknown };
  if (checkpoint ? checkpoint.settings.wholeTexts === true : typeof validation === 'number')
    return { wholeTexts: true };
  return {};
}

/** Settings with the number of ranks, which affects the result; unchanged for one. */
function withRanks<S extends CommonSettings>(settings: S, { company: { share } }: Session): S & { ranks?: number } {
  return share.size === 1 ? settings : { ...settings, ranks: share.size };
}

/** Values that must be equal on all ranks. */
function agreed(settings: CommonSettings, checkpoint: Checkpoint | undefined) {
  // Machine-specific settings may differ.
  const { threads: _, tensorboard: __, memoryUnits: ___, ...stored } = storedSettings(settings);
  const resumed = checkpoint ? `step ${checkpoint.position.step} of ${checkpoint.data.sha256.slice(0, 12)}` : 'nothing';
  return { ...stored, 'the checkpoint to resume from': resumed };
}

/** From the data to a model. */
async function trained<T extends TaskTypes>(
  task: Task<T>,
  rows: T['rows'],
  { data, settings, vectors, unlabelled, choices }: Read<T>,
  control: ControlOf<T>,
  checkpoint: CheckpointOf<T> | undefined,
  session: Session,
): Promise<T['model']> {
  const { company } = session;
  const { rank, size } = company.share;
  const network = checkpoint
    ? apart(checkpoint.network, task.characters?.(settings))
    : { ...settings.model, ...(vectors && { embeddingDim: vectors.dim }) };
  const threads = settings.threads ?? availableParallelism();
  const usual = {
    batchSize: Math.ceil(defaultBatchSize(data.train.length) / size),
    ...(task.epochs?.(data) ?? USUAL_EPOCHS),
  };
  const { batchSize = usual.batchSize, epochs = usual.epochs } = settings;
  if (settings.epochs === undefined) choices.push({ option: 'epochs', value: epochs, why: usual.why });
  if (settings.batchSize === undefined && epochs > 0)
    choices.push({
      option: 'batchSize',
      value: batchSize,
      why: `${counted(data.train.length)}${size > 1 ? `, ${size} ranks` : ''}`,
    });
  const input = { data, settings, network };
  const noise = task.adversarial?.(data);
  const adversarial = settings.adversarial ?? noise?.adversarial ?? 0;
  if (settings.adversarial === undefined && noise && epochs > 0)
    choices.push({ option: 'adversarial', value: adversarial, why: noise.why });
  const fingerprint = await session.apart(() => fingerprintOf(data, task.contents(data)));
  await session.agree({
    'the data': `${fingerprint.rows} rows of ${fingerprint.sha256.slice(0, 12)}`,
    batchSize,
    epochs,
    adversarial,
  });
  if (checkpoint) checkFingerprint(checkpoint.path, checkpoint.data, fingerprint, rows.file);
  const build = async (given: TrainingInput<T>) => {
    const engine = await buildEngine(task, given, threads);
    try {
      if (vectors) await setEmbeddings(engine, vectors);
      // A checkpoint has the weights.
      if (settings.encoder && !checkpoint) await setLayers(engine, settings.encoder);
    } catch (error) {
      engine.close();
      throw error;
    }
    return engine;
  };
  const rehearsal = checkpoint || epochs === 0 ? undefined : task.rehearsal?.(data, settings);
  const chosen =
    rehearsal &&
    (await session.apart(() => rehearse(task, rehearsal, { settings, network, epochs, adversarial }, build, control)));
  if (!checkpoint) choices.push(...(task.chosen?.(data, settings, chosen) ?? []));
  const engine = await session.apart(() => build(input));
  try {
    const best = checkpoint && (await session.apart(() => resumeEngine(engine, checkpoint, company.share)));
    if (session.table !== undefined) distribute(engine, session.table);
    const position = checkpoint?.position ?? beginning(settings.seed, chosen);
    const stored = storedSettings(withRanks({ ...settings, threads, batchSize, epochs, adversarial }, session));
    const frame = {
      settings: { ...settingsBefore(checkpoint?.settings), ...stored },
      data: { ...fingerprint, unlabelled },
    };
    const checkpointer = settings.checkpoint && new Checkpointer(settings.checkpoint, frame, position.step);
    const columns = columnsOf(rows);
    const begun = recordFrame(frame.settings, frame.data);
    const described = checkpointer && task.describe(input);
    const describe = (now: T['chosen'] | undefined, course: RecordedCourse) =>
      withCard(withColumns(described?.(now) ?? {}, columns), { ...begun, ...course });
    const watching = { choices, control, checkpointer, describe, company };
    const parts = { task, engine, data, settings, epochs, batchSize, adversarial, position, best, ...watching };
    const { failure, course, ...outcome } = await logged(rank === 0 ? settings.tensorboard : undefined, control, () =>
      new Trainer(parts).run(),
    );
    engine.distribute?.(undefined);
    const model = await task.model({ ...input, engine, ...outcome, record: { ...begun, ...course }, columns });
    if (!failure) return model;
    const { code, message, cause } = failure;
    throw new TrainingError(code, message, model, cause === undefined ? {} : { cause });
  } catch (error) {
    // The model of a training that ended early owns the engine.
    if (!(error instanceof TrainingError)) engine.close();
    throw error;
  }
}

/** Lets an engine train with the other ranks. */
function distribute(engine: ExplainingEngine, table: bigint): void {
  if (!engine.distribute)
    throw constraint('distributed', 'this model cannot be trained in several processes yet; remove distributed');
  engine.distribute(table);
}

/** The network of a checkpoint, whose file has merged vectors of words and their characters. */
function apart(network: NetworkSettings, characters: WordFeatures | undefined): NetworkSettings {
  return characters ? { ...network, embeddingDim: network.embeddingDim - characters.dim } : network;
}

/** Checks before reading anything that all outputs can be written and are not also inputs. */
async function checkPaths<T extends TaskTypes>(rows: T['rows'], settings: T['settings']): Promise<void> {
  const { checkpoint, tensorboard, embeddings, unlabelled, validation } = settings as T['settings'] & {
    validation?: unknown;
  };
  const outputs: Output[] = checkpoint ? checkpointOutputs(checkpoint) : [];
  if (tensorboard !== undefined)
    outputs.push({ option: 'tensorboard', what: 'the log for TensorBoard', path: tensorboard, folder: true });
  if (outputs.length === 0) return;
  const inputs = [
    ...inputsOf('the file of the rows', rows),
    ...inputsOf('the file of the validation rows', validation as RowsOrigin | undefined),
    ...inputsOf('the file of word vectors', embeddings),
    ...inputsOf('the file of unlabelled texts', unlabelled?.texts as RowsOrigin | undefined),
  ];
  await checkOutputs(outputs, inputs);
}

/** The files of a source, if it has any. */
function inputsOf(what: string, origin: Pick<RowsOrigin, 'file' | 'files'> | undefined): Input[] {
  const files = [...(origin?.files ?? []), origin?.file];
  return files.filter((path) => typeof path === 'string').map((path) => ({ what, path }));
}

/** Connects the listeners of the options. */
function watch<T extends TaskTypes>(control: ControlOf<T>, { onEvent, onProgress }: Listeners<T>): void {
  if (onEvent) {
    control.watched = true;
    control.listen(onEvent);
  }
  if (onProgress) control.listen(progressListener(onProgress));
}

/** Default passes over the rows of a task without its own rule. */
const USUAL_EPOCHS = { epochs: DEFAULT_EPOCHS, why: 'whatever the rows' };

/** The data of a training, after reading its rows. */
interface Read<T extends TaskTypes> {
  data: T['data'];
  settings: T['settings'];
  vectors: FirstVectors | undefined;
  /** The hash of the unlabelled texts that word vectors were learned from. */
  unlabelled: string | undefined;
  choices: Choice[];
}

/** Reads the rows and the initial vectors; stopped by the signal of the options and by `stop()`. */
async function read<T extends TaskTypes>(
  task: Task<T>,
  given: T['rows'],
  asked: T['settings'],
  control: ControlOf<T>,
  checkpoint: CheckpointOf<T> | undefined,
): Promise<Read<T>> {
  const either = new AbortController();
  const signals = [control.stopSignal, ...(asked.signal ? [asked.signal] : [])];
  // AbortSignal.any is younger than the first Node 20.
  const abort = () => either.abort(signals.find((signal) => signal.aborted)?.reason);
  for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
  if (signals.some((signal) => signal.aborted)) abort();
  try {
    const { signal } = either;
    const settled = await task.settle?.(given, asked, signal);
    const { rows, settings, chosen } = settled ?? { rows: given, settings: asked, chosen: [] };
    if (checkpoint && settings.unlabelled) {
      const now = await hashOfTexts(settings.unlabelled, signal);
      checkUnlabelled(checkpoint.path, checkpoint.data, now, (settings.unlabelled.texts as RowsOrigin).file);
    }
    const words = checkpoint
      ? wordsOfCheckpoint(checkpoint.vocab, firstVectors(checkpoint.settings))
      : wordsBeside(settings, signal, control);
    const data = await task.prepare(rows, settings, signal, control, words);
    const decided = task.decide?.(data, settings, checkpoint !== undefined) ?? { settings, chosen: [] };
    const unlabelled = checkpoint ? checkpoint.data.unlabelled : words.hash?.();
    const choices = [...chosen, ...decided.chosen];
    return { data, settings: decided.settings, vectors: await words.vectors(data.vocab), unlabelled, choices };
  } catch (error) {
    throw error instanceof RecurraError && error.code === 'ABORTED' ? abortedBefore(error.cause) : error;
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', abort);
  }
}

/** The source of additional words of a new training. */
function wordsBeside(settings: CommonSettings, signal: AbortSignal, watcher: VectorWatcher): FirstWords {
  const { embeddings, unlabelled, encoder } = settings;
  if (encoder) return wordsOfEncoder(encoder, signal);
  if (embeddings) return wordsOfFile(embeddings, signal);
  return unlabelled ? wordsOfTexts(unlabelled, settings, signal, watcher) : ROWS_ALONE;
}

/** Builds the network, if there is one, with weights drawn from the seed. */
async function buildEngine<T extends TaskTypes>(
  task: Task<T>,
  { data, settings, network }: TrainingInput<T>,
  threads: number,
): Promise<ExplainingEngine> {
  const { vocab } = data;
  const { embeddingStd, seed } = settings;
  const head = task.head(data, settings);
  if (task.hasNetwork?.(settings) === false) return noEngine({ head });
  const words = { vocabSize: vocab.length, paddingIdx: vocab.padIndex!, unknownIdx: vocab.defaultIndex!, embeddingStd };
  const members = task.members?.(settings) ?? 1;
  const subwords = task.characters?.(settings);
  const ownForms = subwords && (await formsOfVocabulary(vocab, subwords));
  try {
    const config = { ...network, head, ...words, ...(subwords && { subwords, ownForms }), seed, members, threads };
    return await engineOn(settings.device, config, settings.precision);
  } finally {
    ownForms?.close();
  }
}

/** Runs a training and logs it for TensorBoard, if a folder is named. */
async function logged<R, T extends TaskTypes>(
  folder: string | undefined,
  control: ControlOf<T>,
  run: () => Promise<R>,
): Promise<R> {
  const log = folder === undefined ? undefined : new TensorboardLog(folder, control);
  try {
    return await run();
  } finally {
    await log?.close();
  }
}
