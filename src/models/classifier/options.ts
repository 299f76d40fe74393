import { typedByteSize } from '../../core/byteSize.js';
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
 * Class weights: `'balanced'`, or a weight above 0 for some labels, by name; others have weight 1.
 *
 * An object's own enumerable properties count, including one named `__proto__` if it was made by `JSON.parse` or
 * `Object.fromEntries`; a `Map` works with every name.
 */
export type ClassWeights = 'balanced' | Readonly<Record<string, number>> | ReadonlyMap<string, number>;

/** Options of a classifier's loss. */
export interface ClassifierLossOptions {
  /**
   * Weight of each label in the loss. `'balanced'` makes rare labels count as much as frequent ones.
   *
   * With exclusive labels the loss is that of `torch.nn.CrossEntropyLoss(weight)`: the weighted mean, divided by the
   * sum of the rows' weights; `'balanced'` is scikit-learn's `n / (k * count)`. With `multiLabel` it is that of
   * `torch.nn.BCEWithLogitsLoss(pos_weight)`, where a present label counts that many times as much as an absent one;
   * `'balanced'` is the number of rows without the label divided by the number of those with it. Default: 1 each.
   */
  classWeights?: ClassWeights;
  /**
   * Share of each row's target that is spread evenly over all labels, as in
   * `torch.nn.CrossEntropyLoss(label_smoothing)`: probabilities become less extreme. In `[0, 1)`; not with
   * `multiLabel`. Default 0.
   */
  labelSmoothing?: number;
}

/** Options of the linear model, which complements or replaces the network. */
export interface LinearOptions {
  /**
   * Whether to train a linear model on the same rows and mix it into every prediction: TF-IDF of the texts' words (1-
   * and 2-grams) and characters (2- to 5-grams within words), with logistic regression or a support vector machine,
   * whichever does better on held-out rows. It is trained separately before the network, takes little time, and helps
   * most with few rows or many labels; see `docs/choosing-a-model.md`. It reads the original text: tokenizer,
   * `maxLength` and `labelSmoothing` apply to the network only.
   *
   * Both probabilities are mixed. The network's share and a temperature are chosen on the validation rows. Without
   * validation rows, the network's share is 0.3 (0.5 with vectors from `embeddings`; 0.4 with those from `unlabelled`,
   * or 0.6 with 20,000 words; at least 0.4 with several `members`), and the temperature is 1, which suits most data. If
   * the linear model finds little in the texts, another network is trained first, on nine tenths of the rows (at most
   * 20,000), and both numbers are chosen on the others. A `warning` event says that there is no linear model: with more
   * than 2,000 labels, or many rows of many labels. Default `true`.
   */
  linear?: boolean;
  /**
   * Maximum bytes that the linear model adds to the file, at least 1,000: the most important n-grams are kept. Default
   * 1.5 MB plus 84 kB per label, at most 16 MB.
   */
  maxLinearBytes?: number;
  /**
   * Whether there is a network. `false` trains only the linear model, in seconds and without epochs. Options of the
   * network, its texts and its learning then have no effect, and a `warning` event names those that were given; there
   * are no checkpoints. Validation rows choose the thresholds of `multiLabel` only. Default `true`.
   */
  recurrent?: boolean;
}

/** Options of an ensemble. */
export interface EnsembleOptions {
  /**
   * Number of networks, from 1 to 16, that are trained, saved and served as one model, with the mean of their
   * probabilities. They differ in initial weights and dropout; the first one is the network that would be trained alone
   * with the same seed. They share the vocabulary, the batches and the linear model. Training time, prediction time and
   * the network's part of the file grow accordingly. Without a network it has no effect. Default 1.
   */
  members?: number;
}

/** The rows have been read and the first step comes next. */
export interface StartEvent extends TrainingStart {
  /** The labels, in the order of the model's outputs. */
  labels: readonly string[];
}

/** What happens in the training of a classifier, distinguished by `type`. */
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

/** {@link ClassWeights} as a map, checked except for the names, which depend on the rows. */
function checkClassWeights(option: string, value: unknown): 'balanced' | ReadonlyMap<string, number> {
  if (value === 'balanced') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidArgument(option, WEIGHTS, value);
  const map = new Map<string, number>(value instanceof Map ? value : Object.entries(value));
  for (const [label, weight] of map) {
    const name = `${option}[${JSON.stringify(label)}]`;
    if (typeof label !== 'string') throw invalidArgument(`a label of ${option}`, 'a string', label);
    checkRange(name, weight, { above: 0 });
    // Positive and finite also as a float32, which the loss uses.
    if (!(Math.fround(weight) > 0 && Math.fround(weight) < Number.POSITIVE_INFINITY))
      throw invalidArgument(name, 'a number above 0 that float32 can represent', weight, 'OUT_OF_RANGE');
  }
  return map;
}

const WEIGHTS = "'balanced' or an object from label to weight";

/** Parses `balanced`, or `label=weight`, repeatable; the last `=` counts, so that a label may contain one. */
function typedClassWeights(text: string, before: unknown): ClassWeights {
  const at = text.lastIndexOf('=');
  const several = before instanceof Map;
  if (at < 0) {
    if (text !== 'balanced' || several) throw new Error("Expected 'balanced' or label=weight.");
    return text;
  }
  if (before === 'balanced') throw new Error("Expected only 'balanced'.");
  const label = text.slice(0, at);
  const typed = text.slice(at + 1);
  if (typed.trim() === '' || !Number.isFinite(Number(typed))) throw new Error('Expected a number.');
  const weights = new Map<string, number>(several ? before : []);
  if (weights.has(label)) throw new Error(`${label} already has a weight.`);
  return weights.set(label, Number(typed));
}

/** The table of {@link ClassifierLossOptions}. */
const LOSS = {
  classWeights: option(custom<ClassWeights, 'balanced' | ReadonlyMap<string, number>>(WEIGHTS, checkClassWeights), {
    defaultText: '1 each',
    flag: '<weights>',
    help: 'weight of each label in the loss',
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
    flagHelp: 'train only the network, without a linear model',
  }),
  maxLinearBytes: option(integer(1_000, 2 ** 31 - 1), {
    defaultText: '1.5 MB plus 84 kB per label, at most 16 MB',
    flag: '<size>',
    help: 'maximum bytes that the linear model adds to the file',
    flagHelp: 'maximum size that the linear model adds to the file, such as 500kB',
    parse: typedByteSize,
  }),
  recurrent: option(flag, {
    default: true,
    flag: '',
    help: 'train a network; otherwise only the linear model',
    flagHelp: 'train only the linear model, without a network',
  }),
} as const satisfies TableOf<LinearOptions>;

/** The table of {@link EnsembleOptions}. */
const ENSEMBLE = {
  members: option(integer(1, MOST_MEMBERS), {
    default: 1,
    flag: '<n>',
    help: 'number of networks, trained with different seeds, whose probabilities are averaged',
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
 * Passes over the rows if no option says how many. With many labels, 4 passes are far from enough: on banking77 with
 * its 77 labels, 13 passes give 91.1 % instead of 87.4 % of the test rows. With up to four labels it is 4.
 */
export function defaultEpochs(labels: number): number {
  return Math.round(DEFAULT_EPOCHS * Math.min(3.5, Math.max(1, Math.log2(labels) / 2)));
}

/**
 * Options that do not apply to a training without a network. The linear model also uses the seed and class weights, and
 * the tokenizer determines the tokens of its answers and explanations.
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

/** Rows and labels up to which adversarial training is on if no option says so. */
const ADVERSARIAL = { rows: 12_000, labels: 32 } as const;

/**
 * Length of the adversarial noise if no option says it: 0.05 with at most 12,000 rows and 32 labels, otherwise none,
 * since it doubles the network's training time. Together with the linear model, 0.05 changed accuracy on held-out
 * training rows and on test rows by these points:
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

/**
 * Minimum labels, and maximum rows per label, for training with the characters of words if no option says so.
 */
const SUBWORDS_ON = { labels: 20, rowsOfLabel: 50 } as const;

/**
 * Whether the network is trained with the characters of words if no option says so: with at least 20 labels and at most
 * 50 rows each. Together with the linear model, they changed accuracy on held-out training rows by these points:
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
  /** Whether this depends on the rows. */
  choosesSubwords: true | undefined;
  /** Whether the tokenizer depends on the first rows. */
  choosesTokenizer: true | undefined;
  /** Whether there is a linear model. */
  linear: boolean;
  /** Maximum bytes of the linear model; derived from the number of labels if undefined. */
  maxLinearBytes: number | undefined;
  /** False without a network, otherwise undefined. */
  recurrent: false | undefined;
  /** Number of networks in the ensemble; undefined for one. */
  members: number | undefined;
  /** Given options that have no effect without a network; undefined if there are none. */
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
    message: 'checkpoint does not apply with recurrent: false: a linear model is trained in a single step',
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
    message: 'subwords does not apply with encoder: its layers read words without their characters; remove one of them',
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
  // It reads what the encoder reads, if a tokenizer produces that.
  if (options !== given && given.tokenizer === undefined && given.encoder?.tokenizer !== undefined)
    options.tokenizer = given.encoder.tokenizer;
  const { epochs, ...common } = trainingSettings<Rows, TrainingEvent>('TextClassifier.train', CLASSIFIER, options);
  const { linear, maxLinearBytes, recurrent } = settingsOf(LINEAR, options);
  const { members } = settingsOf(ENSEMBLE, options);
  if (!recurrent && options.linear === false)
    throw constraint('linear', 'with recurrent: false only the linear model is left, so linear cannot also be false');
  const idle = Object.entries(given).filter(([name, value]) => value !== undefined && NETWORK_ALONE.includes(name));
  const settings: TrainSettings = {
    ...common,
    // Without a network there are no epochs.
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
