import { choice, flag, integer } from '../../core/options/kinds.js';
import { option, type SettingsOf, settingsOf, type TableOf } from '../../core/options/table.js';
import { TEXT, type TextOptions } from '../../text/options.js';
import { schemeOrNull, type TagScheme } from '../../text/tags/scheme.js';
import type { TaskEvent, TrainingStart } from '../../training/events/events.js';
import { ENCODER, type EncoderOptions, withEncoder } from '../../training/options/encoder.js';
import { LEARNING } from '../../training/options/learning.js';
import { RUN, type TrainingOptions, type TrainingSettings, trainingSettings } from '../../training/options/train.js';
import type { Progress } from '../../training/progress.js';
import {
  TAGGER_NETWORK,
  type TaggerHeadOptions,
  type TaggerInputOptions,
  type TaggerModelSettings,
  taggerModelSettings,
} from './network.js';
import type { TagRows } from './rows.js';
import { TAGGER_TOKENIZERS, type TaggerTokenizer } from './tokenizer.js';
import type { TagValidation } from './validation.js';

/** How a tagger reads texts and their tags. */
export interface TaggerTextOptions extends Pick<TextOptions, 'minFreq' | 'maxTokens'> {
  /**
   * How a text is split into tokens, which keep their case and position: words by Unicode's rules
   * ({@link tokensInText}), or code points, for segmentation. Tokens in rows and predictions are used unchanged.
   * Default `'unicode_words'`.
   */
  tokenizer?: TaggerTokenizer;
  /**
   * Tokens of a sentence that are read together; a longer one is read in independent parts. There are always as many
   * tags as tokens. Default 1,000.
   */
  maxLength?: number;
  /**
   * Whether a word's own vector is looked up in lower case, as in most files of word vectors. Default `true`.
   */
  lowercase?: boolean;
  /**
   * Whether a token is split where a span of a training row begins or ends within it. Otherwise the span takes the
   * whole token, and a warning names the first one. Default `false`.
   */
  splitTokens?: boolean;
  /**
   * The scheme of the rows' tags and of predictions; null for tags without a scheme, such as parts of speech. Default:
   * recognised in the rows, see {@link detectTagScheme}; `'IOB2'` for rows with spans.
   */
  scheme?: TagScheme | null;
}

/** The rows have been read and the first step comes next. */
export interface TaggerStartEvent extends TrainingStart {
  /** The labels of spans; for tags without a scheme the tags. */
  labels: readonly string[];
  /** The scheme of the tags; undefined for tags without a scheme. */
  scheme: TagScheme | undefined;
}

/** What happens in the training of a tagger, told apart by `type`. */
export type TaggerTrainingEvent = TaskEvent<TagValidation, TaggerStartEvent>;

type Every = TrainingOptions<TagRows, TaggerTrainingEvent, Progress<TagValidation>>;

/** Options of {@link TextTagger.train}. */
export interface TaggerTrainOptions
  extends Omit<Every, keyof TextOptions | 'adversarial' | 'precision'>,
    EncoderOptions,
    TaggerTextOptions,
    TaggerHeadOptions,
    TaggerInputOptions {}

/** The table of {@link TaggerTextOptions}. */
const TAGGER_TEXT = {
  tokenizer: option(choice(TAGGER_TOKENIZERS), {
    default: 'unicode_words',
    flag: '<name>',
    help: 'how a text is split into tokens: `unicode_words`, or `characters`',
  }),
  maxLength: option(integer(1, 1_000_000), {
    default: 1_000,
    flag: '<n>',
    help: 'tokens of a sentence that are read together; a longer one is read in parts',
  }),
  minFreq: TEXT.minFreq,
  maxTokens: TEXT.maxTokens,
  lowercase: option(flag, {
    default: true,
    flag: '',
    help: "look up a word's own vector in lower case",
    flagHelp: "look up a word's own vector without lowercasing",
  }),
  splitTokens: option(flag, {
    default: false,
    flag: '',
    help: 'split a token where a span begins or ends within it',
  }),
  scheme: option(schemeOrNull, {
    defaultText: 'recognised in the rows',
    flag: '<name>',
    help: 'the scheme of the tags: `IOB1`, `IOB2`, `IOBES`, `BILOU`, or null for tags without one',
    flagHelp: 'the scheme of the tags: IOB1, IOB2, IOBES, BILOU, or none for tags without one, such as parts of speech',
    parse: (text) => (text === 'none' ? null : text),
  }),
} as const satisfies TableOf<TaggerTextOptions>;

const { adversarial: _, ...TAGGER_LEARNING } = LEARNING;
const { precision: __, ...TAGGER_RUN } = RUN;

/** The table of {@link TaggerTrainOptions}, in the order of help and guide. */
export const TAGGER = {
  ...TAGGER_NETWORK,
  ...ENCODER,
  ...TAGGER_TEXT,
  ...TAGGER_LEARNING,
  epochs: { ...LEARNING.epochs, defaultText: '4 to 20, fewer with more rows' },
  batchSize: { ...LEARNING.batchSize, defaultText: '32' },
  clipGradNorm: { ...LEARNING.clipGradNorm, default: 5, defaultText: '5' },
  ...TAGGER_RUN,
} as const satisfies TableOf<TaggerTrainOptions>;

/** Rows per step where no option says how many. */
const BATCH_SIZE = 32;

/**
 * Passes over the rows where no option says how many: `95 / rows^(1/4)`, from 4 to 20. Few rows need more passes: 12 of WNUT-17's 3,394 sentences, 9
 * of the 12,544 of UD English EWT.
 */
export function defaultEpochs(rows: number): number {
  return Math.round(Math.min(20, Math.max(4, 95 / Math.max(rows, 1) ** 0.25)));
}

/** {@link TaggerTrainOptions} with every default filled in. */
export interface TaggerTrainSettings
  extends TrainingSettings<TagRows, TaggerTrainingEvent, Progress<TagValidation>>,
    Pick<SettingsOf<typeof TAGGER_TEXT>, 'lowercase' | 'splitTokens' | 'scheme'> {
  model: TaggerModelSettings;
  /** How texts are split. */
  splits: TaggerTokenizer;
}

/**
 * Checks {@link TaggerTrainOptions} and fills in the defaults.
 *
 * @throws ArgumentError naming the option, what was expected and what was given.
 */
export function taggerSettings(given: TaggerTrainOptions): TaggerTrainSettings {
  const options = withEncoder(given);
  if (given.tokenizer === undefined && given.encoder?.tokenizer === 'characters') options.tokenizer = 'characters';
  const settings = trainingSettings<TagRows, TaggerTrainingEvent, Progress<TagValidation>>(
    'TextTagger.train',
    TAGGER,
    options,
    'tags',
  );
  const { tokenizer, lowercase, splitTokens, scheme } = settingsOf(TAGGER_TEXT, options);
  const byTokens = settings.tokensPerBatch !== undefined;
  return {
    ...settings,
    batchSize: settings.batchSize ?? (byTokens ? undefined : BATCH_SIZE),
    model: taggerModelSettings(options),
    adversarial: 0,
    splits: tokenizer,
    lowercase,
    splitTokens,
    scheme,
  };
}
