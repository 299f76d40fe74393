import { integer, number } from '../../core/checks.js';
import { checkOptionNames, invalidArgument } from '../../core/errors.js';
import type { Rows } from '../../data/readers/rows.js';
import { chooseDevice } from '../../engine/create.js';
import { MODEL_NAMES, type ModelOptions, type ModelSettings, modelSettings } from '../../engine/network.js';
import { TEXT_NAMES, type TextOptions, type TextSettings, textSettings } from '../../text/options.js';
import type { Precision } from '../../torch/amp/index.js';
import type { Device } from '../../torch/tensor/dtype.js';
import { type CheckpointOptions, type CheckpointSettings, checkpointSettings } from '../checkpoints/options.js';
import type { AnyTrainingEvent, TrainingEvent } from '../events/events.js';
import type { Progress } from '../progress.js';
import { LEARNING_NAMES, type LearningOptions, type LearningSettings, learningSettings } from './learning.js';

/** Options of {@link TextClassifier.train}. */
export interface TrainOptions<E extends AnyTrainingEvent = TrainingEvent>
  extends ModelOptions,
    TextOptions,
    LearningOptions {
  /**
   * Rows to measure on after each epoch: a share of the training rows, split off by label, or rows of their own. With it,
   * the weights of the best epoch are kept. Default: none.
   */
  validation?: number | Rows;
  /**
   * Pretrained word vectors to begin with: a file of GloVe or word2vec (text or binary), or fastText's `.vec`, whose words
   * that the training rows have are taken over. Their size is that of the file, so `embeddingDim` may be left out. Words
   * that the file does not have begin as all do without a file. Default: none.
   */
  embeddings?: string;
  /**
   * Leaves the word vectors as they are in the first `n` epochs, or with `true` in all: they are no parameters then, also of
   * the norm that `clipGradNorm` bounds. Default `false`, which is 0.
   */
  freezeEmbeddings?: number | boolean;
  /** Threads of the numeric work. Default: as many as there are processors. */
  threads?: number;
  /**
   * Where to compute: `'cpu'`, a GPU (`'cuda'`, `'cuda:1'`), or with `'auto'` the first GPU if there is one that can be used, and
   * else the CPU, after a warning that says why. The model is the same on both, but for rounding. Default `'cpu'`.
   */
  device?: Device | 'auto';
  /**
   * `'bfloat16'` lets a GPU compute products and recurrent layers of the training in bfloat16, as PyTorch's autocast does; weights,
   * losses and predictions stay float32. On the CPU everything is float32. Default `'float32'`.
   */
  precision?: Precision;
  /**
   * Writes checkpoints to a file, from which the training can go on after a crash: its path, or when to write them. A
   * checkpoint is a model file too: {@link TextClassifier.load} gives the weights that the training would have ended with there.
   * One more is written when the training is stopped or aborted. A checkpoint that cannot be written is a `warning` event, and
   * after three in a row the training ends with `IO`. Default: none.
   */
  checkpoint?: string | CheckpointOptions;
  /**
   * Goes on from a checkpoint to the very weights that the training would have had without the interruption, given the same rows
   * in the same order, the same number of threads and the same kind of processor. A path names the checkpoint; `true` is that
   * of `checkpoint`, and if there is none yet, the training begins. Options that are left out are those of the interrupted
   * training, so is the number of threads; others must be the same, except `epochs`, `threads`, `checkpoint`, `tensorboard`
   * and what watches or stops. Functions and validation rows must be given again. Default `false`.
   */
  resume?: boolean | string;
  /** Called with everything that happens, as it happens; {@link TextClassifier.start} gives the same for `for await`. */
  onEvent?: (event: E) => void;
  /**
   * Folder to write event files for TensorBoard to: loss, accuracy, learning rate and speed by step, and how the model does on
   * the validation rows. A resumed training goes on in the same folder. Default: none.
   */
  tensorboard?: string;
  /** Called from time to time while training, at most about ten times a second, and after each epoch. */
  onProgress?: (progress: Progress) => void;
  /** Stops the training; the promise rejects with a {@link TrainingError} that carries the model as far as it has learned. */
  signal?: AbortSignal;
}

/** {@link TrainOptions} with every default filled in. */
export interface TrainSettings<E extends AnyTrainingEvent = TrainingEvent> extends LearningSettings {
  model: ModelSettings;
  text: TextSettings;
  validation: number | Rows | undefined;
  /** File of word vectors, and the size that they are expected to have, if any. */
  embeddings: { file: string; dim: number | undefined } | undefined;
  /** Epochs during which the word vectors stay. */
  freezeEmbeddings: number;
  threads: number | undefined;
  device: Device;
  /** Undefined for float32. */
  precision: 'bfloat16' | undefined;
  checkpoint: CheckpointSettings | undefined;
  tensorboard: string | undefined;
  onEvent: ((event: E) => void) | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
  signal: AbortSignal | undefined;
}

const TRAIN_NAMES = [
  'validation',
  'embeddings',
  'freezeEmbeddings',
  'threads',
  'device',
  'precision',
  'checkpoint',
  'resume',
  'tensorboard',
  'onEvent',
  'onProgress',
  'signal',
] as const;

function embeddingSettings(
  options: Pick<TrainOptions, 'embeddings' | 'embeddingDim' | 'freezeEmbeddings'>,
): Pick<TrainSettings, 'embeddings' | 'freezeEmbeddings'> {
  const { embeddings: file, embeddingDim: dim, freezeEmbeddings = false } = options;
  if (file !== undefined && (typeof file !== 'string' || file === '')) {
    throw invalidArgument('embeddings', 'the path of a file of word vectors', file);
  }
  const embeddings = file === undefined ? undefined : { file, dim };
  if (freezeEmbeddings === true) return { embeddings, freezeEmbeddings: Number.MAX_SAFE_INTEGER };
  const epochs = freezeEmbeddings === false ? 0 : freezeEmbeddings;
  if (!Number.isSafeInteger(epochs) || epochs < 0) {
    throw invalidArgument('freezeEmbeddings', 'true, false or a number of epochs', freezeEmbeddings);
  }
  return { embeddings, freezeEmbeddings: epochs };
}

/**
 * Checks {@link TrainOptions} and fills in the defaults.
 *
 * @throws ArgumentError naming the option, what was expected and what was given.
 */
export function trainSettings<E extends AnyTrainingEvent>(options: TrainOptions<E>): TrainSettings<E> {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  checkOptionNames('TextClassifier.train', options, [...MODEL_NAMES, ...TEXT_NAMES, ...LEARNING_NAMES, ...TRAIN_NAMES]);
  const { validation, checkpoint, tensorboard, onEvent, onProgress, signal } = options;
  if (typeof validation === 'number') {
    number('validation', validation, (value) => value > 0 && value < 1, 'rows, or a share between 0 and 1');
  }
  for (const [name, value] of Object.entries({ onProgress, onEvent })) {
    if (value !== undefined && typeof value !== 'function') throw invalidArgument(name, 'a function', value);
  }
  if (tensorboard !== undefined && (typeof tensorboard !== 'string' || tensorboard === ''))
    throw invalidArgument('tensorboard', 'the path of a folder', tensorboard);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidArgument('signal', 'an AbortSignal', signal);
  const { precision } = options;
  if (precision !== undefined && precision !== 'float32' && precision !== 'bfloat16')
    throw invalidArgument('precision', "'float32' or 'bfloat16'", precision);
  const model = modelSettings(options);
  const learning = learningSettings(options);
  if (learning.patience !== undefined && validation === undefined) {
    throw invalidArgument(
      'patience',
      'nothing without validation, which tells whether an epoch was better,',
      options.patience,
    );
  }
  if (learning.labelSmoothing > 0 && model.multiLabel) {
    throw invalidArgument(
      'labelSmoothing',
      'nothing with multiLabel, whose loss has no smoothing,',
      options.labelSmoothing,
    );
  }
  return {
    model,
    text: textSettings(options),
    ...learning,
    validation,
    ...embeddingSettings(options),
    threads: options.threads === undefined ? undefined : integer('threads', options.threads, 1, 1_024),
    device: chooseDevice(options.device),
    precision: precision === 'bfloat16' ? precision : undefined,
    checkpoint: checkpoint === undefined ? undefined : checkpointSettings(checkpoint),
    tensorboard,
    onEvent,
    onProgress,
    signal,
  };
}
