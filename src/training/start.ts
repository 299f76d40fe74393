import { availableParallelism } from 'node:os';
import { RecurraError } from '../core/errors.js';
import type { Rows } from '../data/readers/rows.js';
import { engineOn } from '../engine/create.js';
import type { ExplainingEngine, StateEntry } from '../engine/engine.js';
import { type PreparedData, prepareData } from '../models/classifier/dataset.js';
import {
  type ModelSettings,
  type TrainOptions,
  type TrainSettings,
  trainSettings,
} from '../models/classifier/options.js';
import { describedText, modelMetadata } from '../models/file.js';
import type { Vectors } from '../text/vectors.js';
import { Checkpointer, prepareCheckpoints } from './checkpoints/checkpointer.js';
import type { Checkpoint } from './checkpoints/file.js';
import { checkFingerprint, type Fingerprint, fingerprintOf } from './checkpoints/fingerprint.js';
import { beginning } from './checkpoints/position.js';
import { checkEpochs, checkpointToResume, resumedOptions, resumeEngine } from './checkpoints/resume.js';
import { checkSettings, storedOptions, storedSettings } from './checkpoints/settings.js';
import { loadEmbeddings, setEmbeddings } from './embeddings.js';
import { TrainingError } from './errors.js';
import type { TrainingControl } from './events/control.js';
import { progressListener } from './events/progress.js';
import { TensorboardLog } from './events/tensorboard.js';
import { Training, type TrainingOutcome } from './trainer.js';

/** Everything that is there before the first step. */
export interface BegunTraining {
  engine: ExplainingEngine;
  data: PreparedData;
  /** The options, those of a resumed training filled in. */
  options: TrainOptions;
  settings: TrainSettings;
  threads: number;
  /** What the network looks like, the size of pretrained vectors included. */
  network: ModelSettings;
  /** What the training goes on from. */
  checkpoint: Checkpoint | undefined;
  /** The weights of the best epoch before that. */
  best: StateEntry[] | undefined;
  fingerprint: Fingerprint | undefined;
}

interface Read {
  data: PreparedData;
  vectors: Vectors | undefined;
}

/** Reads the rows, and the vectors to begin with; both the signal of the options and `stop()` end that. */
async function read(rows: Rows, settings: TrainSettings, resumed: boolean, stopSignal: AbortSignal): Promise<Read> {
  const either = new AbortController();
  const signals = [stopSignal, ...(settings.signal ? [settings.signal] : [])];
  // AbortSignal.any is younger than the first Node 20.
  const abort = () => either.abort(signals.find((signal) => signal.aborted)?.reason);
  for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
  if (signals.some((signal) => signal.aborted)) abort();
  try {
    const { signal } = either;
    const data = await prepareData(rows, { ...settings, signal });
    const { embeddings } = settings;
    return { data, vectors: embeddings && !resumed ? await loadEmbeddings(embeddings, data.vocab, signal) : undefined };
  } catch (error) {
    if (error instanceof RecurraError && error.code === 'ABORTED') {
      throw new TrainingError('ABORTED', 'training was stopped while its rows were read', undefined, { cause: error });
    }
    throw error;
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', abort);
  }
}

/** Checks the options, reads the rows, and builds the engine or lets it go on from a checkpoint. */
export async function beginTraining(rows: Rows, given: TrainOptions, control: TrainingControl): Promise<BegunTraining> {
  const checkpoint = await checkpointToResume(given);
  const options = checkpoint ? resumedOptions(given, checkpoint) : given;
  const settings = trainSettings(options);
  if (checkpoint) {
    checkSettings(checkpoint.path, checkpoint.settings, storedSettings(settings));
    checkEpochs(checkpoint, settings.epochs);
  }
  if (settings.checkpoint) await prepareCheckpoints(settings.checkpoint);
  if (settings.onEvent) {
    control.watched = true;
    control.listen(settings.onEvent);
  }
  if (settings.onProgress) control.listen(progressListener(settings.onProgress));
  const { data, vectors } = await read(rows, settings, checkpoint !== undefined, control.stopSignal);
  const fingerprint = settings.checkpoint || checkpoint ? await fingerprintOf(data) : undefined;
  if (checkpoint) checkFingerprint(checkpoint.path, checkpoint.data, fingerprint!, rows.file);
  const network = checkpoint?.network ?? { ...settings.model, ...(vectors ? { embeddingDim: vectors.dim } : {}) };
  const { train, vocab } = data;
  const threads = settings.threads ?? availableParallelism();
  const engine = await engineOn(
    settings.device,
    {
      ...network,
      vocabSize: vocab.length,
      numClasses: train.classes.length,
      paddingIdx: vocab.padIndex!,
      unknownIdx: vocab.defaultIndex!,
      embeddingStd: settings.embeddingStd,
      seed: settings.seed,
      threads,
    },
    settings.precision,
  );
  try {
    if (vectors) await setEmbeddings(engine, vectors);
    const best = checkpoint ? await resumeEngine(engine, checkpoint) : undefined;
    return { engine, data, options, settings, threads, network, checkpoint, best, fingerprint };
  } catch (error) {
    engine.close();
    throw error;
  }
}

/** Trains; leaves the weights to keep in the engine. */
export async function runTraining(begun: BegunTraining, control: TrainingControl): Promise<TrainingOutcome> {
  const { engine, data, options, settings, threads, network, checkpoint, best, fingerprint } = begun;
  const { train, validation, vocab } = data;
  const position = checkpoint?.position ?? beginning(settings.seed);
  const frame = settings.checkpoint && {
    metadata: modelMetadata({
      settings: network,
      text: describedText(settings.text),
      labels: [...train.classes],
      thresholds: undefined,
      vocab,
    }),
    options: storedOptions(options, threads),
    settings: storedSettings(settings),
    data: fingerprint!,
  };
  const checkpointer = frame && new Checkpointer(settings.checkpoint!, frame, position.step);
  const vocabulary = vocab.length;
  const parts = { engine, train, validation, vocabulary, settings, control, position, best, checkpointer };
  const log = settings.tensorboard === undefined ? undefined : new TensorboardLog(settings.tensorboard, control);
  try {
    return await new Training(parts).run();
  } finally {
    await log?.close();
  }
}
