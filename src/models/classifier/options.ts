import { checkRange } from '../../core/checks.js';
import { constraint, invalidArgument } from '../../core/errors.js';
import { custom, flag, integer, share } from '../../core/options/kinds.js';
import { checkRules, option, type Rule, type SettingsOf, settingsOf, type TableOf } from '../../core/options/table.js';
import type { Rows } from '../../data/readers/rows.js';
import { NETWORK } from '../../engine/network.js';
import { TEXT } from '../../text/options.js';
import type { TaskEvent, TrainingStart } from '../../training/events/events.js';
import { ENCODER, type EncoderOptions, withEncoder } from '../../training/options/encoder.js';
import { DEFAULT_EPOCHS, LEARNING } from '../../training/options/learning.js';
import { RUN, type TrainingOptions, type TrainingSettings, trainingSettings } from '../../training/options/train.js';
import type { ValidationResult } from '../../training/progress.js';
import type { SubwordSettings } from '../subwords.js';
import {
  type ClassifierHeadOptions,
  type ClassifierInputOptions,
  HEAD,
  INPUTS,
  MOST_MEMBERS,
  type ModelSettings,
  modelSettings,
} from './network.js';

/**
 * What each class counts for: `'balanced'`, or a weight above 0 for some labels, by name; the others have 1.
 *
 * An object's own enumerable properties count, also one with the name `__proto__` if it was made by `JSON.parse` or
 * `Object.fromEntries`; a `Map` works with every name.
 */
export type ClassWeights = 'balanced' | Readonly<Record<string, number>> | ReadonlyMap<string, number>;

/** What the loss of a classifier depends on. */
export interface ClassifierLossOptions {
  /**
   * What each label counts for in the loss. `'balanced'` makes rare labels count as much as frequent ones.
   *
   * With exclusive labels the loss is that of `torch.nn.CrossEntropyLoss(weight)`: the weighted mean, divided by the sum
   * of the rows' weights; `'balanced'` is scikit-learn's `n / (k * count)`. With `multiLabel` it is that of
   * `torch.nn.BCEWithLogitsLoss(pos_weight)`, by which a label that is there counts that many times as much as one that is not;
   * `'balanced'` is the number of rows without the label divided by the number of those with it. Default: 1 each.
   */
  classWeights?: ClassWeights;
  /**
   * Share of each row's target that is spread evenly over all labels, as `torch.nn.CrossEntropyLoss(label_smoothing)` does:
   * probabilities become less extreme. From 0 to below 1; not with `multiLabel`. Default 0.
   */
  labelSmoothing?: number;
}

/** What stands beside the network of a classifier, or in its place. */
export interface LinearOptions {
  /**
   * Whether a linear model is trained on the same rows and has a say in every prediction: TF-IDF of the texts' words (1 and 2 next to
   * each other) and characters (2 to 5 within a word), logistic regression or a support vector machine, whichever does better on rows
   * that are held out. It is trained apart and before the network, takes little time, and helps most where rows are few or labels
   * many; see `docs/choosing-a-model.md`. It reads the text as it was written: tokenizer, `maxLength` and `labelSmoothing` are the network's.
   *
   * Both probabilities are mixed. The network's share and a temperature are chosen on the validation rows. Without them the network
   * has 0.3 (0.5 if its words begin with the vectors of `embeddings`; with those of `unlabelled` 0.4, or 0.6 with 20,000 words; several
   * `members` at least 0.4), and the temperature is
   * 1, which suits most data. Where the linear model finds little in the texts, another network is
   * trained first, on nine tenths of the rows (20,000 at most), and both numbers are chosen on the others. A `warning` event says that
   * there is no linear model: with more than 2,000 labels, or many rows of many labels. Default `true`.
   */
  linear?: boolean;
  /**
   * The most bytes that the linear model adds to the file, from 1,000 on: of its n-grams those that matter most are kept. Default
   * 1.5 MB and 84 kB more for each label, 16 MB at most.
   */
  maxLinearBytes?: number;
  /**
   * Whether there is a network. `false` trains the linear model alone, in seconds and without epochs.
   * Options of the network, of its texts and of its learning then do nothing, and a `warning` event names those that are given; there
   * are no checkpoints. Validation rows choose the thresholds of `multiLabel` only. Default `true`.
   */
  recurrent?: boolean;
}

/** How many networks a classifier has. */
export interface EnsembleOptions {
  /**
   * Networks that are trained, saved and served as one model, from 1 to 16: its probabilities are the mean of theirs. They begin with
   * different weights and drop out different elements; the first is the one that is trained alone with the same seed. Vocabulary,
   * batches and the linear model are the same for all. Training, prediction and the network's share of the file take as many times
   * as long or as much. Without a network it does nothing. Default 1.
   */
  members?: number;
}

/** The rows have been read and the first step comes next. */
export interface StartEvent extends TrainingStart {
  /** The labels, in the order of the model's outputs. */
  labels: readonly string[];
}

/** What happens in the training of a classifier, told apart by `type`. */
export type TrainingEvent = TaskEvent<ValidationResult, StartEvent>;

/** Options of {@link TextClassifier.train}. */
export interface TrainOptions
  extends TrainingOptions<Rows, TrainingEvent>,
    EncoderOptions,
    ClassifierHeadOptions,
    ClassifierInputOptions,
    ClassifierLossOptions,
    LinearOptions,
    EnsembleOptions {}

/** {@link ClassWeights} as a map, checked but for the names, which only the rows tell. */
function checkClassWeights(option: string, value: unknown): 'balanced' | ReadonlyMap<string, number> {
  if (value === 'balanced') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidArgument(option, WEIGHTS, value);
  const map = new Map<string, number>(value instanceof Map ? value : Object.entries(value));
  for (const [label, weight] of map) {
    const name = `${option}[${JSON.stringify(label)}]`;
    if (typeof label !== 'string') throw invalidArgument(`a label of ${option}`, 'a string', label);
    checkRange(name, weight, { above: 0 });
    // Above 0 and finite also as a float32, which is what the loss computes with.
    if (!(Math.fround(weight) > 0 && Math.fround(weight) < Number.POSITIVE_INFINITY))
      throw invalidArgument(name, 'a number above 0 that float32 can hold', weight, 'OUT_OF_RANGE');
  }
  return map;
}

const WEIGHTS = "'balanced' or an object from label to weight";

/** Reads `balanced`, or `label=weight` given once for each label; the last `=` counts, so that a label may have one. */
function typedClassWeights(text: string, before: unknown): ClassWeights {
  const at = text.lastIndexOf('=');
  const several = before instanceof Map;
  if (at < 0) {
    if (text !== 'balanced' || several) throw new Error("Expected 'balanced' or label=weight.");
    return text;
  }
  if (before === 'balanced') throw new Error("Expected 'balanced' alone.");
  const label = text.slice(0, at);
  const typed = text.slice(at + 1);
  if (typed.trim() === '' || !Number.isFinite(Number(typed))) throw new Error('Expected a number.');
  const weights = new Map<string, number>(several ? before : []);
  if (weights.has(label)) throw new Error(`${label} has a weight already.`);
  return weights.set(label, Number(typed));
}

/** The table of {@link ClassifierLossOptions}. */
const LOSS = {
  classWeights: option(custom<ClassWeights, 'balanced' | ReadonlyMap<string, number>>(WEIGHTS, checkClassWeights), {
    defaultText: '1 each',
    flag: '<weights>',
    help: 'what each label counts for in the loss',
    flagHelp: "class weights: 'balanced', or label=weight (repeatable)",
    parse: typedClassWeights,
    repeatable: true,
  }),
  labelSmoothing: option(share, { default: 0, flag: '<share>', help: 'share of the target spread over all labels' }),
} as const satisfies TableOf<ClassifierLossOptions>;

/** The table of {@link LinearOptions}. */
const LINEAR = {
  linear: option(flag, {
    default: true,
    flag: '',
    help: 'mix the predictions with those of a linear model of n-grams, trained on the same rows',
    flagHelp: 'train the network alone, without a linear model beside it',
  }),
  maxLinearBytes: option(integer(1_000, 2 ** 31 - 1), {
    defaultText: '1.5 MB and 84 kB a label, at most 16 MB',
    flag: '<n>',
    help: 'the most bytes that the linear model adds to the file',
  }),
  recurrent: option(flag, {
    default: true,
    flag: '',
    help: 'train a network; without it the linear model alone',
    flagHelp: 'train the linear model alone, without a network',
  }),
} as const satisfies TableOf<LinearOptions>;

/** The table of {@link EnsembleOptions}. */
const ENSEMBLE = {
  members: option(integer(1, MOST_MEMBERS), {
    default: 1,
    flag: '<n>',
    help: 'networks that are trained with different seeds and answer as one: the mean of their probabilities',
  }),
} as const satisfies TableOf<EnsembleOptions>;

/** The table of {@link TrainOptions}, in the order of help and guide. */
export const CLASSIFIER = {
  ...NETWORK,
  ...ENCODER,
  ...HEAD,
  ...INPUTS,
  ...TEXT,
  ...LEARNING,
  ...LOSS,
  ...LINEAR,
  ...ENSEMBLE,
  ...RUN,
} as const satisfies TableOf<TrainOptions>;

/**
 * Passes over the rows where no option says how many. With many labels the network is far from having learned its rows after 4
 * passes: on banking77 with its 77 labels, 13 passes give 91.1 % instead of 87.4 % of the test rows. With up to four labels it is 4.
 */
export function defaultEpochs(labels: number): number {
  return Math.round(DEFAULT_EPOCHS * Math.min(3.5, Math.max(1, Math.log2(labels) / 2)));
}

/**
 * Options that a training without a network has no use for. Its linear model has a seed and class weights too, and the tokens of its answers
 * and explanations are the tokenizer's.
 */
const NETWORK_ALONE: readonly string[] = [
  ...Object.keys(NETWORK),
  'pooling',
  'subwords',
  ...Object.keys(TEXT).filter((name) => name !== 'tokenizer'),
  ...Object.keys(LEARNING).filter((name) => name !== 'seed'),
  'labelSmoothing',
  'members',
  'freezeEmbeddings',
  'precision',
  'tensorboard',
];

/** Rows and labels up to which adversarial training is on where no option says so. */
const ADVERSARIAL = { rows: 12_000, labels: 32 } as const;

/**
 * Length of the adversarial noise where no option says it: 0.05 up to 12,000 rows with up to 32 labels, and otherwise none, since it
 * doubles the time of the network. Beside the linear model, 0.05 changed the share of right answers on held-out training rows and on
 * test rows by these points:
 *
 * - AG News, 4 labels: 500 rows +0.6 and +0.2, 2,000 rows +0.2 and +0.3, 8,000 rows +0.2 and +0.3 (3 seeds each);
 * - WordNet's nouns, 8 labels: 3,001 rows +0.2 and +0.4 (3 seeds); 26 labels: 5,004 rows +0.2 and +0.3 (2 seeds);
 * - WordNet's verbs, 15 labels: 9,925 rows +0.6 and +0.8 (2 seeds);
 * - SNIPS, 7 labels: 993 rows 0.0 and -0.1 (2 seeds), 12,406 rows +0.1 and 0.0 (1 seed);
 * - outside the rule: nouns, 8 labels, 42,629 rows -0.1 and +0.2 (1 seed); banking77, 77 labels, 1,803 rows +0.2 and +0.2, 8,998
 *   rows 0.0 and -0.2 (2 seeds each).
 *
 * The network alone gains more: +1.0 and +1.1 on 2,000 rows of AG News.
 */
export function defaultAdversarial(rows: number, labels: number): number {
  return rows <= ADVERSARIAL.rows && labels <= ADVERSARIAL.labels ? 0.05 : 0;
}

/** Labels from which on, and rows for each of them up to which, the network is trained with the characters of words where no option says so. */
const SUBWORDS_ON = { labels: 20, rowsOfLabel: 50 } as const;

/**
 * Whether the network is trained with the characters of words where no option says it: from 20 labels on, with up to 50 rows each. Beside the
 * linear model they changed the share of right answers on held-out training rows by these points:
 *
 * - banking77, 77 labels: 700 rows +1.0 (3 seeds), 1,500 rows +0.5 (5), 3,000 rows +0.6 (3); on test rows 1,500 rows +0.8 (3);
 * - WordNet's nouns, 26 labels: 1,000 rows +0.6 (4 seeds); on test rows +0.2 (3);
 * - outside the rule: banking77, 8,000 rows -0.3 (3); WordNet's verbs, 15 labels, 600 rows +0.3 (4; on test rows 0.0), 2,000 rows +0.1 (3);
 *   SNIPS, 7 labels, 200 rows +0.1 (4), 1,000 rows 0.0 (3); AG News, 4 labels, 150 rows 0.0 (4), 500 rows -0.3 (4), 2,000 rows 0.0 (2); Chinese
 *   reviews, 2 labels, 1,500 rows -1.2 (2).
 */
export function defaultSubwords(rows: number, labels: number): boolean {
  return labels >= SUBWORDS_ON.labels && rows <= SUBWORDS_ON.rowsOfLabel * labels;
}

/** {@link TrainOptions} with every default filled in. */
export interface TrainSettings extends TrainingSettings<Rows, TrainingEvent>, SettingsOf<typeof LOSS> {
  model: ModelSettings;
  /** How the network reads the characters of words; undefined if it does not. */
  subwords: SubwordSettings | undefined;
  /** Whether that is to be chosen by the rows. */
  choosesSubwords: true | undefined;
  /** Whether the tokenizer is to be chosen by the first rows. */
  choosesTokenizer: true | undefined;
  /** Whether there is a linear model. */
  linear: boolean;
  /** The most bytes of the linear model; what suits the number of labels if undefined. */
  maxLinearBytes: number | undefined;
  /** False where there is no network; undefined where there is one. */
  recurrent: false | undefined;
  /** Networks that answer as one; undefined where there are not several. */
  members: number | undefined;
  /** Options that were given and do nothing without a network; undefined if there are none. */
  idle: readonly string[] | undefined;
}

const RULES: readonly Rule<TrainSettings>[] = [
  {
    option: 'labelSmoothing',
    when: ({ labelSmoothing, model }) => labelSmoothing > 0 && model.multiLabel,
    message: 'labelSmoothing does not apply to multiLabel models: their loss has no smoothing',
  },
  {
    option: 'checkpoint',
    when: ({ checkpoint, recurrent }) => checkpoint !== undefined && recurrent === false,
    message: 'checkpoint does not apply with recurrent: false: a linear model is trained in one go',
  },
  {
    option: 'embeddings',
    when: ({ embeddings, recurrent }) => embeddings !== undefined && recurrent === false,
    message: 'embeddings does not apply with recurrent: false: a linear model has no word vectors',
  },
  {
    option: 'unlabelled',
    when: ({ unlabelled, recurrent }) => unlabelled !== undefined && recurrent === false,
    message: 'unlabelled does not apply with recurrent: false: a linear model has no word vectors',
  },
  {
    option: 'subwords',
    when: ({ encoder, subwords }) => encoder !== undefined && subwords !== undefined,
    message:
      'subwords does not apply with encoder: its layers read words without their characters; leave one of both out',
  },
  {
    option: 'encoder',
    when: ({ encoder, recurrent }) => encoder !== undefined && recurrent === false,
    message: 'encoder does not apply with recurrent: false: a linear model has no layers',
  },
  {
    option: 'maxLinearBytes',
    when: ({ maxLinearBytes, linear }) => maxLinearBytes !== undefined && !linear,
    message: 'maxLinearBytes does not apply with linear: false: there is no linear model',
  },
];

/**
 * Checks {@link TrainOptions} and fills in the defaults.
 *
 * @throws ArgumentError naming the option, what was expected and what was given.
 */
export function trainSettings(given: TrainOptions): TrainSettings {
  const options = withEncoder(given);
  // It reads what the encoder reads, if a tokenizer gives that.
  if (options !== given && given.tokenizer === undefined && given.encoder?.tokenizer !== undefined)
    options.tokenizer = given.encoder.tokenizer;
  const { epochs, ...common } = trainingSettings<Rows, TrainingEvent>('TextClassifier.train', CLASSIFIER, options);
  const { linear, maxLinearBytes, recurrent } = settingsOf(LINEAR, options);
  const { members } = settingsOf(ENSEMBLE, options);
  if (!recurrent && options.linear === false)
    throw constraint('linear', 'recurrent: false leaves the linear model alone, so linear cannot be false too');
  const idle = Object.entries(given).filter(([name, value]) => value !== undefined && NETWORK_ALONE.includes(name));
  const settings: TrainSettings = {
    ...common,
    // Without a network there is nothing to go through the rows for.
    epochs: recurrent ? epochs : 0,
    ...settingsOf(LOSS, options),
    model: modelSettings(options),
    subwords: (recurrent && settingsOf(INPUTS, options).subwords) || undefined,
    choosesSubwords: recurrent && options.subwords === undefined ? true : undefined,
    choosesTokenizer: options.tokenizer === undefined ? true : undefined,
    linear,
    maxLinearBytes,
    recurrent: recurrent ? undefined : false,
    members: recurrent && members > 1 ? members : undefined,
    idle: recurrent || idle.length === 0 ? undefined : idle.map(([name]) => name),
  };
  checkRules(settings, RULES);
  return settings;
}
