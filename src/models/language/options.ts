import { invalidArgument } from '../../core/errors.js';
import { choice, custom, integer } from '../../core/options/kinds.js';
import { checkRules, option, type Rule, type SettingsOf, settingsOf, type TableOf } from '../../core/options/table.js';
import type { RowsOrigin } from '../../data/readers/rows.js';
import type { TextPart } from '../../data/readers/wholeText.js';
import { HuggingFaceTokenizer } from '../../text/huggingFace.js';
import { UNIT_NAMES, type UnitName } from '../../text/units/names.js';
import type { TaskEvent, TrainingStart } from '../../training/events/events.js';
import { CLIPPED, LEARNING, type LearningOptions } from '../../training/options/learning.js';
import { RUN, type RunOptions, type TrainingSettings, trainingSettings } from '../../training/options/train.js';
import type { Progress } from '../../training/progress.js';
import {
  LANGUAGE_NETWORK,
  type LanguageNetworkOptions,
  type LanguageNetworkSettings,
  languageNetwork,
} from './network.js';
import type { LanguageResult } from './validation.js';

/**
 * Texts to learn from: strings, rows with a `text` such as those of {@link readTexts}, or the parts of a text such as those of
 * {@link readWholeText}.
 */
export type LanguageTexts = (Iterable<string | TextPart> | AsyncIterable<string | TextPart>) & RowsOrigin;

/** Options of a language model's units. */
export interface UnitOptions {
  /**
   * The units that the model reads and writes. Default `'characters'`.
   *
   * - `'characters'`: code points;
   * - `'bytes'`: those of UTF-8;
   * - `'words'`: words with a preceding space, numbers, punctuation and white space, as GPT-2 splits texts; unknown
   *   words cannot be written;
   * - `'pieces'`: pieces of words, learned from the texts by byte pair encoding over bytes, so that every text can be read and written.
   */
  units?: UnitName | 'pieces';
  /** A tokenizer whose pieces are the units, instead of `units`; it is saved with the model. */
  tokenizer?: HuggingFaceTokenizer;
  /**
   * Maximum distinct units, including `<unk>` and `<eos>`; the rarest characters and words are dropped. Default 65,536;
   * 4,096 for pieces.
   */
  maxTokens?: number;
  /** Rarer characters and words are read as `<unk>`. Default 1. */
  minFreq?: number;
}

/** How a language model reads its training texts. */
export interface StreamOptions {
  /**
   * Units of a stream per step of truncated backpropagation through time. The final states of a step are the initial
   * states of the next. Default 64.
   */
  window?: number;
  /**
   * Maximum units kept in memory, 4 bytes each. With more, all units are stored in a temporary file that training reads
   * windows from, so that texts may be larger than memory. The model is the same. Default 134,217,728: 512 MB.
   */
  memoryUnits?: number;
}

/** The rows have been read and the first step comes next. */
export interface LanguageStart extends TrainingStart {
  /** Number of texts. */
  texts: number;
  /** Units of the texts that are trained on. */
  units: number;
}

/** What happens in the training of a language model, told apart by `type`. */
export type LanguageEvent = TaskEvent<LanguageResult, LanguageStart>;

type Run = Omit<
  RunOptions<LanguageTexts, LanguageEvent, Progress<LanguageResult>>,
  'embeddings' | 'unlabelled' | 'embeddingWords' | 'freezeEmbeddings' | 'precision' | 'device'
>;

/** Options of {@link LanguageModel.train}. */
export interface LanguageOptions
  extends LanguageNetworkOptions,
    UnitOptions,
    StreamOptions,
    Omit<LearningOptions, 'tokensPerBatch' | 'bucketing' | 'adversarial'>,
    Run {}

const UNITS = [...UNIT_NAMES, 'pieces'] as const;
const TOKENIZER = 'a HuggingFaceTokenizer';

/** The table of {@link UnitOptions}. */
const UNIT = {
  units: option(choice(UNITS), {
    default: 'characters',
    flag: '<what>',
    help: 'units that the model reads and writes: `characters`, `bytes`, `words` or `pieces`',
  }),
  tokenizer: option(
    custom<HuggingFaceTokenizer>(TOKENIZER, (name, value) => {
      if (value instanceof HuggingFaceTokenizer) return value;
      throw invalidArgument(name, TOKENIZER, value);
    }),
    { defaultText: 'none', help: 'a tokenizer whose pieces are the units' },
  ),
  maxTokens: option(integer(3, 2 ** 24), {
    defaultOf: ({ units }) => (units === 'pieces' ? 4_096 : 65_536),
    defaultText: '65,536; 4,096 pieces',
    flag: '<n>',
    help: 'maximum distinct units; the rarest are dropped',
  }),
  minFreq: option(integer(1, 2 ** 31 - 1), { default: 1, flag: '<n>', help: 'rarer units become `<unk>`' }),
} as const satisfies TableOf<UnitOptions>;

/** Units that are kept in memory: 512 MB. */
export const MEMORY_UNITS = 2 ** 27;

/** The table of {@link StreamOptions}. */
const STREAM = {
  window: option(integer(1, 65_536), {
    default: 64,
    flag: '<n>',
    help: 'units per step of backpropagation through time',
  }),
  memoryUnits: option(integer(1, 2 ** 40), {
    default: MEMORY_UNITS,
    flag: '<n>',
    help: 'maximum units kept in memory, 4 bytes each; more are stored in a temporary file',
  }),
} as const satisfies TableOf<StreamOptions>;

const { tokensPerBatch: _t, bucketing: _b, adversarial: _a, ...LEARN } = LEARNING;
const {
  embeddings: _e,
  unlabelled: _u,
  embeddingWords: _w,
  freezeEmbeddings: _f,
  precision: _p,
  device: _d,
  ...OWN_RUN
} = RUN;

/** The table of {@link LanguageOptions}, in the order of help and guide. */
export const LANGUAGE = {
  ...LANGUAGE_NETWORK,
  ...UNIT,
  ...STREAM,
  ...LEARN,
  epochs: option(LEARNING.epochs.kind, {
    // Undefined: by the number of units, once they are known.
    defaultText: 'by the length of the texts: 7 for a million units',
    flag: '<n>',
    help: 'passes over the texts',
  }),
  batchSize: option(LEARNING.batchSize.kind, {
    default: 32,
    flag: '<n>',
    help: 'number of parallel streams of the texts; each step has a window of each',
  }),
  lr: { ...LEARNING.lr, default: 4e-3 },
  clipGradNorm: CLIPPED,
  embeddingStd: { ...LEARNING.embeddingStd, help: 'standard deviation of the initial vectors of the units' },
  ...OWN_RUN,
} as const satisfies TableOf<LanguageOptions>;

/** {@link LanguageOptions} with every default filled in. */
export interface LanguageSettings
  extends TrainingSettings<LanguageTexts, LanguageEvent, Progress<LanguageResult>>,
    SettingsOf<typeof STREAM> {
  units: UnitName | 'pieces';
  model: LanguageNetworkSettings;
}

const RULES: readonly Rule<LanguageSettings & { given: LanguageOptions }>[] = [
  {
    option: 'tokenizer',
    when: ({ given }) => given.tokenizer !== undefined && given.units !== undefined,
    message: 'tokenizer determines the units, so units cannot be given too',
  },
  {
    option: 'maxTokens',
    when: ({ given, units }) => units === 'pieces' && given.maxTokens !== undefined && given.maxTokens < 300,
    message: 'pieces need maxTokens of at least 300: the 256 bytes are among them',
  },
];

/** Total units that a default training reads: within 150 s on two cores. */
const UNITS_IN_ALL = 7_000_000;

/** Passes over the texts where no option says how many. */
export function defaultEpochs(units: number): number {
  return Math.min(40, Math.max(1, Math.round(UNITS_IN_ALL / units)));
}

/**
 * Checks {@link LanguageOptions} and fills in the defaults.
 *
 * @throws ArgumentError naming the option, what was expected and what was given.
 */
export function languageSettings(options: LanguageOptions): LanguageSettings {
  const common = trainingSettings<LanguageTexts, LanguageEvent, Progress<LanguageResult>>(
    'LanguageModel.train',
    LANGUAGE,
    options,
    'tags',
  );
  const settings = {
    ...common,
    ...settingsOf(STREAM, options),
    units: settingsOf(UNIT, options).units,
    model: languageNetwork(options),
    adversarial: 0,
  };
  checkRules({ ...settings, given: options }, RULES);
  return settings;
}
