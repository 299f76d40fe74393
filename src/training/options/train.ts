import { availableParallelism } from 'node:os';
import { checkRange, isSource } from '../../core/checks.js';
import type { Device } from '../../core/device.js';
import { constraint, invalidArgument } from '../../core/errors.js';
import { type Any, callback, choice, custom, integer, signal, text } from '../../core/options/kinds.js';
import {
  checkNames,
  checkRules,
  type OptionTable,
  option,
  type Rule,
  settingsOf,
  type TableOf,
} from '../../core/options/table.js';
import { PRECISIONS, type Precision } from '../../core/precision.js';
import { readTexts } from '../../data/readers/readRows.js';
import type { UnlabelledText } from '../../data/readers/rows.js';
import {
  deviceFor,
  type HeadConfig,
  NETWORK,
  type NetworkOptions,
  type NetworkSettings,
} from '../../engine/network.js';
import { chooseDevice } from '../../native/device.js';
import { TEXT, type TextOptions, type TextSettings } from '../../text/options.js';
import { type CheckpointOptions, type CheckpointSettings, checkpointSettings } from '../checkpoints/options.js';
import {
  DISTRIBUTED_WORDS,
  type DistributedOptions,
  type DistributedSettings,
  distributedSettings,
} from '../distributed/options.js';
import type { EncoderSettings } from '../encoder.js';
import type { TaskEvent } from '../events/events.js';
import type { Progress } from '../progress.js';
import { ENCODER, type EncoderOptions } from './encoder.js';
import { LEARNING, LEARNING_RULES, type LearningOptions, type LearningSettings } from './learning.js';

/** Options of every training: `R` are its rows, `E` its events, `P` its reports. */
export interface TrainingOptions<R, E = TaskEvent, P = Progress>
  extends NetworkOptions,
    TextOptions,
    LearningOptions,
    RunOptions<R, E, P> {}

/** Unlabelled texts: strings or rows with a text; or a file with one text per line. */
export type Unlabelled = string | Iterable<string | UnlabelledText> | AsyncIterable<string | UnlabelledText>;

/** Options of a training other than those of its network, its texts and its learning. */
export interface RunOptions<R, E = TaskEvent, P = Progress> {
  /**
   * Rows to measure on after each epoch: a share of the training rows, stratified by label, or separate rows. With it,
   * the weights of the best epoch are kept. A share has no texts that other rows with the same labels have too, and
   * whole groups where rows have a `group`. Default: none.
   */
  validation?: number | R;
  /**
   * Pretrained word vectors to start from: a file of GloVe or word2vec (text or binary), or fastText's `.vec` or
   * `.bin`. Training words in the file start with its vector, others with a random one. The file's other words are also
   * added to the vocabulary, see {@link embeddingWords}. The vector size is that of the file, so `embeddingDim` may be
   * omitted. Default: none.
   */
  embeddings?: string;
  /**
   * Unlabelled texts to learn word vectors from before training: texts, rows with a `text` such as those of
   * {@link readTexts}, or the path of a file with one text per line. A model learns little about words from few
   * labelled rows; other texts of the same kind tell it which words are similar. The texts of the training rows are
   * also used. Words with at least three occurrences start with their learned vector of size `embeddingDim`, others
   * with a random one; words that no training row has are added to the vocabulary, see {@link embeddingWords}. Vectors
   * are learned as by {@link learnVectors} with its defaults and the model's tokenizer and `seed`. Not with
   * `embeddings`. Default: none.
   */
  unlabelled?: Unlabelled;
  /**
   * Maximum words of `embeddings`, `unlabelled` or `encoder` added to those of the training rows: the first ones of the
   * file or the most frequent ones, as far as `maxTokens` allows and the tokenizer can produce them. They keep their
   * vector and cost no time in training. Each takes four bytes per element of its vector in the model's file: 50,000
   * words of size 64 are 13 MB. With 0, only words of the training rows are known. Default 50,000.
   */
  embeddingWords?: number;
  /**
   * Freezes the word vectors for the first `n` epochs, or with `true` for all; they are then excluded from the optimizer and
   * from `clipGradNorm`. Default `false`, which is 0.
   */
  freezeEmbeddings?: number | boolean;
  /**
   * Threads for numeric work, at most the number of processors: more would only wait for one another. Default: the
   * number of processors.
   */
  threads?: number;
  /**
   * Where to compute: `'cpu'`, a GPU (`'cuda'`, `'cuda:1'`), or with `'auto'` the first usable GPU, otherwise the CPU,
   * with a warning that says why. The model is the same on both up to rounding. Default `'cpu'`.
   */
  device?: Device | 'auto';
  /**
   * With `'bfloat16'`, a GPU computes the products and recurrent layers of the training in bfloat16, as in PyTorch's
   * autocast; weights, losses and predictions stay float32. On the CPU everything is float32. Default `'float32'`.
   */
  precision?: Precision;
  /**
   * Writes checkpoints, from which the training can resume after a crash: the file's path, or an object that also says
   * when to write. A checkpoint is also a model file: {@link TextClassifier.load} returns the weights that the training
   * would have ended with at that point. A final one is written when the training is stopped or aborted. A checkpoint
   * that cannot be written is a `warning` event; after three in a row the training fails with `IO`. Default: none.
   */
  checkpoint?: string | CheckpointOptions;
  /**
   * Resumes from a checkpoint. The weights are bit-identical to those of an uninterrupted run, given the same rows in
   * the same order, the same number of threads and the same kind of processor. A path names the checkpoint; `true` uses
   * that of `checkpoint`, or starts a new training if there is none yet. Omitted options, including the number of
   * threads, are those of the interrupted training; others must be the same, except `epochs`, `threads`, `checkpoint`,
   * `tensorboard` and callbacks. Functions and validation rows must be given again. Default `false`.
   */
  resume?: boolean | string;
  /**
   * Trains in several processes as one: `true`, or how they find each other. All are started with the same rows and
   * options, on one or several machines, by `torchrun`, `srun` or `recurra launch`, whose environment variables
   * identify each process. Each step then has `batchSize` rows of each rank and is equivalent to a step of one process
   * with all those rows; all ranks have the same weights. Rank 0 writes checkpoints and the log. Needs the torch addon,
   * but no GPU; a single process trains as usual. Default `false`.
   */
  distributed?: boolean | DistributedOptions;
  /** Called with everything that happens, as it happens; {@link TextClassifier.start} gives the same for `for await`. */
  onEvent?: (event: E) => void;
  /**
   * Folder to write event files for TensorBoard to: loss, accuracy, learning rate and speed by step, and validation
   * figures. A resumed training writes to the same folder. Default: none.
   */
  tensorboard?: string;
  /** Called regularly during training, at most about ten times a second, and after each epoch. */
  onProgress?: (progress: P) => void;
  /**
   * Stops the training; the promise rejects with a {@link TrainingError} whose model has the weights learned so far.
   */
  signal?: AbortSignal;
}

/** Epochs during which word vectors stay frozen. */
function frozenEpochs(name: string, value: unknown): number {
  if (typeof value === 'boolean') return value ? Number.MAX_SAFE_INTEGER : 0;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw invalidArgument(name, FREEZE, value, Number.isInteger(value) ? 'OUT_OF_RANGE' : 'INVALID_ARGUMENT');
}

/** Words that a file of vectors adds where no option says how many: most of the words that texts have which are not in the rows. */
const EMBEDDING_WORDS = 50_000;

const UNLABELLED = 'texts, rows with a text, or the path of a file of texts';
const FREEZE = 'true, false or a number of epochs';
const VALIDATION = 'rows, or a share between 0 and 1';

const THREADS = integer(1, 1_024);

/** Device and threads: options of both trainings and loaded models. */
export const COMPUTE = {
  threads: option(
    custom<number>(
      THREADS.expected,
      (name, value) => Math.min(THREADS.check(name, value), availableParallelism()),
      'integer',
    ),
    {
      defaultText: 'the number of processors',
      flag: '<n>',
      help: 'threads for numeric work, at most the number of processors',
    },
  ),
  device: option(
    custom<Device | 'auto', Device>("'cpu', 'cuda', 'cuda:<number>' or 'auto'", (_, value) => chooseDevice(value)),
    { default: 'cpu', flag: '<name>', help: 'where to compute: `cpu`, `cuda`, `cuda:1`, or `auto`' },
  ),
} as const;

/** The table of {@link RunOptions}. Each task defines its rows and events. */
export const RUN = {
  validation: option(
    custom<Any>(VALIDATION, (name, value) => {
      if (typeof value !== 'object' || value === null)
        return checkRange(name, value, { above: 0, below: 1 }, VALIDATION);
      if (!isSource(value)) throw invalidArgument(name, VALIDATION, value);
      return value;
    }),
    {
      defaultText: 'none',
      flag: '<share-or-file>',
      help: 'rows to measure on after each epoch: a share of the training rows, or separate rows',
      flagHelp: 'measure after each epoch on this share of the rows (such as 0.1), or on this file',
    },
  ),
  embeddings: option(text('the path of a file of word vectors'), {
    defaultText: 'none',
    flag: '<file>',
    help: 'start with the word vectors of this file: GloVe, word2vec, or `.vec` or `.bin` of fastText',
  }),
  unlabelled: option(
    custom<Unlabelled, Exclude<Unlabelled, string>>(UNLABELLED, (name, value) => {
      if (typeof value === 'string' && value !== '') return readTexts(value);
      if (isSource(value)) return value as Exclude<Unlabelled, string>;
      throw invalidArgument(name, UNLABELLED, value);
    }),
    {
      defaultText: 'none',
      flag: '<file>',
      help: 'learn word vectors from these texts and those of the rows, and start with them: texts, or a file with one text per line',
      flagHelp:
        'learn word vectors from this file of texts and from the rows, and start with them; one text per line, or a file like that of the rows',
    },
  ),
  embeddingWords: option(integer(0, 2 ** 31 - 1), {
    default: EMBEDDING_WORDS,
    flag: '<n>',
    help: 'maximum words of `embeddings`, `unlabelled` or `encoder` added to those of the rows',
  }),
  freezeEmbeddings: option(custom<number | boolean, number>(FREEZE, frozenEpochs, 'integer'), {
    default: 0,
    defaultText: 'false',
    flag: '[epochs]',
    help: 'freeze the word vectors for the first epochs, or with `true` for all',
    flagHelp: 'freeze the word vectors for the first N epochs (without a number: for all)',
  }),
  ...COMPUTE,
  precision: option(choice(PRECISIONS), {
    default: 'float32',
    flag: '<name>',
    help: 'precision of computations on a GPU',
  }),
  checkpoint: option(
    custom<string | CheckpointOptions, CheckpointSettings>('a path, or an object with a path', (_, value) =>
      checkpointSettings(value as string | CheckpointOptions),
    ),
    { defaultText: 'none', flag: '<file>', help: 'write checkpoints to this file, at least after each epoch' },
  ),
  resume: option(
    custom<boolean | string>('the path of a checkpoint, true or false', (_, value) => value as string, 'flag'),
    {
      default: false,
      flag: '',
      help: 'resume from the checkpoint if there is one, with the same rows and options',
      flagHelp: 'resume from the checkpoint if there is one, with the same rows and flags',
    },
  ),
  tensorboard: option(text('the path of a folder'), {
    defaultText: 'none',
    flag: '<folder>',
    help: 'write event files for TensorBoard to this folder',
  }),
  distributed: option(
    custom<boolean | DistributedOptions, DistributedSettings | undefined>(
      DISTRIBUTED_WORDS,
      (_, value) => distributedSettings(value),
      'flag',
    ),
    {
      defaultText: 'false',
      flag: '',
      help: 'train in several processes as one, started by `torchrun`, `srun` or `recurra launch`',
    },
  ),
  onEvent: option(callback<Any>(), { help: 'called with everything that happens, as it happens' }),
  onProgress: option(callback<Any>(), { help: 'called regularly, and after each epoch' }),
  signal: option(signal, { help: 'stops the training when it is aborted' }),
} as const satisfies TableOf<RunOptions<Any, Any, Any>>;

/** {@link TrainingOptions} with every default filled in. */
export interface TrainingSettings<R, E = TaskEvent, P = Progress> extends LearningSettings {
  model: NetworkSettings;
  text: TextSettings;
  validation: number | R | undefined;
  /**
   * Whether equal texts stay on one side where validation rows are split off; left out in a training that a version
   * before 0.7 began.
   */
  wholeTexts?: boolean | undefined;
  /** File of word vectors, their expected size, if any, and the maximum number of added words; undefined for none. */
  embeddings: { file: string; dim: number | undefined; words: number | undefined } | undefined;
  /** Texts to learn word vectors from, and the maximum number of added words; undefined for none. */
  unlabelled: { texts: Exclude<Unlabelled, string>; words: number | undefined } | undefined;
  /** A model to start from. */
  encoder?: EncoderSettings | undefined;
  /** Epochs with frozen word vectors. */
  freezeEmbeddings: number;
  threads: number | undefined;
  device: Device;
  /** Undefined for float32. */
  precision: 'bfloat16' | undefined;
  checkpoint: CheckpointSettings | undefined;
  tensorboard: string | undefined;
  /** How the ranks find each other; undefined for one process. */
  distributed?: DistributedSettings | undefined;
  onEvent: ((event: E) => void) | undefined;
  onProgress: ((progress: P) => void) | undefined;
  signal: AbortSignal | undefined;
}

/** Rules of distributed training. */
const DISTRIBUTED_RULES: readonly Rule<Pick<TrainingSettings<unknown>, 'distributed' | 'device'>>[] = [
  {
    option: 'distributed',
    when: ({ distributed, device }) => distributed !== undefined && device !== 'cpu',
    message: "distributed trains on CPUs; remove device, or use device: 'cpu'",
  },
];

/** The rows of a table with a task's own defaults. Other rows keep the usual ones. */
function ownRows<Table extends OptionTable>(rows: Table, table: OptionTable): Table {
  const own = Object.entries(rows).map(([name, row]) => [name, table[name] ?? row]);
  return Object.fromEntries(own) as Table;
}

/**
 * Checks the options that every training has and fills in the defaults.
 *
 * @param where - Whose options they are, for messages.
 * @param table - All options of the task; other names are refused.
 * @param head - The head of the network, which affects `device: 'auto'`.
 * @throws ArgumentError naming the option, what was expected and what was given.
 */
export function trainingSettings<R, E = TaskEvent, P = Progress>(
  where: string,
  table: OptionTable,
  options: TrainingOptions<R, E, P> & EncoderOptions,
  head: HeadConfig['kind'] = 'classes',
): TrainingSettings<R, E, P> {
  checkNames(where, options, table);
  const { resume: _, embeddings, unlabelled, embeddingWords, precision, ...run } = settingsOf(RUN, options);
  const words = embeddingWords || undefined;
  const { encoder } = settingsOf(ENCODER, options);
  const model = settingsOf(ownRows(NETWORK, table), options);
  const settings = {
    model,
    text: settingsOf(ownRows(TEXT, table), options),
    ...settingsOf(ownRows(LEARNING, table), options),
    ...(run as Pick<TrainingSettings<R, E, P>, keyof typeof run>),
    device: deviceFor(options.device, run.device, model.cell, head),
    embeddings: embeddings === undefined ? undefined : { file: embeddings, dim: options.embeddingDim, words },
    unlabelled: unlabelled && { texts: unlabelled, words },
    precision: precision === 'bfloat16' ? precision : undefined,
    ...(encoder && { encoder: { model: encoder, words } }),
  };
  if (!embeddings && !unlabelled && !encoder && options.embeddingWords !== undefined)
    throw constraint('embeddingWords', 'embeddingWords needs embeddings, unlabelled or encoder');
  if (embeddings && unlabelled) {
    const message =
      'unlabelled cannot be combined with embeddings: words start either with the vectors of a file or with learned ones';
    throw constraint('unlabelled', message);
  }
  checkRules(settings, LEARNING_RULES);
  checkRules(settings, DISTRIBUTED_RULES);
  return settings;
}
