import { invalidArgument } from '../../core/errors.js';
import { choice, custom, integer, number, share } from '../../core/options/kinds.js';
import { checkRules, option, type Rule, type SettingsOf, settingsOf, type TableOf } from '../../core/options/table.js';
import type { Pairs } from '../../data/readers/rows.js';
import { HuggingFaceTokenizer } from '../../text/huggingFace.js';
import { SEQUENCE_UNIT_NAMES, type SequenceUnitName } from '../../text/units/names.js';
import type { TaskEvent, TrainingStart } from '../../training/events/events.js';
import { CLIPPED, LEARNING, type LearningOptions } from '../../training/options/learning.js';
import { RUN, type RunOptions, type TrainingSettings, trainingSettings } from '../../training/options/train.js';
import type { Progress } from '../../training/progress.js';
import { SEQ2SEQ_NETWORK, type Seq2SeqModelSettings, type Seq2SeqNetworkOptions, seq2seqNetwork } from './network.js';
import type { Seq2SeqResult } from './result.js';

/** Units of one side of pairs: by name, or pieces of a tokenizer. */
export type SequenceUnits = SequenceUnitName | 'pieces';

/** Options of a sequence-to-sequence model's units. */
export interface PairUnitOptions {
  /**
   * The units that the model reads. Default `'characters'`.
   *
   * - `'characters'`: code points;
   * - `'tokens'`: runs between blanks, such as phonemes, written with one space in between;
   * - `'words'`: words with a preceding space, numbers, punctuation and white space, as GPT-2 splits texts;
   * - `'bytes'`: those of UTF-8;
   * - `'pieces'`: pieces of words, learned from the sources by byte pair encoding over bytes.
   */
  sourceUnits?: SequenceUnits;
  /**
   * The units that the model writes, like `sourceUnits`. Unknown characters, words and tokens cannot be written.
   * Default `'characters'`.
   */
  targetUnits?: SequenceUnits;
  /** A tokenizer whose pieces are the source units, instead of `sourceUnits`; it is saved with the model. */
  sourceTokenizer?: HuggingFaceTokenizer;
  /** A tokenizer whose pieces are the target units, instead of `targetUnits`; it is saved with the model. */
  targetTokenizer?: HuggingFaceTokenizer;
  /**
   * Maximum distinct characters, words or tokens of each side, including `<unk>` and `<eos>`; the rarest are dropped.
   * Default 65,536.
   */
  maxTokens?: number;
  /** Maximum distinct pieces of a side with units `'pieces'`, including the 256 bytes. Default 4,096. */
  maxPieces?: number;
  /** Rarer characters, words and tokens are read as `<unk>`. Default 1. */
  minFreq?: number;
  /** Maximum units of a training source or target; a longer one is an error. Default 1,000. */
  maxLength?: number;
}

/** Options of learning to write. */
export interface WritingOptions {
  /** Share of each target's probability that is spread over all units. Default 0.1. */
  labelSmoothing?: number;
  /**
   * Scheduled sampling: in the last epoch, this share of the decoder's inputs is its own output of the step before
   * instead of the target. The share grows linearly from 0 in the first epoch. Bengio et al., 2015. Default 0: teacher
   * forcing.
   */
  scheduledSampling?: number;
}

/** The pairs have been read and the first step comes next. */
export interface Seq2SeqStart extends TrainingStart {
  /** Different target units. */
  targetVocabulary: number;
}

/** What happens in the training of a model of pairs, told apart by `type`. */
export type Seq2SeqEvent = TaskEvent<Seq2SeqResult, Seq2SeqStart>;

type Run = Omit<
  RunOptions<Pairs, Seq2SeqEvent, Progress<Seq2SeqResult>>,
  'embeddings' | 'unlabelled' | 'embeddingWords' | 'freezeEmbeddings' | 'precision' | 'device'
>;

/** Options of {@link Seq2Seq.train}. */
export interface Seq2SeqOptions
  extends Seq2SeqNetworkOptions,
    PairUnitOptions,
    WritingOptions,
    Omit<LearningOptions, 'adversarial'>,
    Run {}

const UNITS = [...SEQUENCE_UNIT_NAMES, 'pieces'] as const satisfies readonly SequenceUnits[];
const TOKENIZER = 'a HuggingFaceTokenizer';
const NAMES = UNITS.map((name) => `\`${name}\``).join(', ');

const tokenizer = (side: string) =>
  option(
    custom<HuggingFaceTokenizer>(TOKENIZER, (name, value) => {
      if (value instanceof HuggingFaceTokenizer) return value;
      throw invalidArgument(name, TOKENIZER, value);
    }),
    {
      defaultText: 'none',
      flag: '<file>',
      help: `a tokenizer whose pieces are the ${side} units`,
      flagHelp: `the tokenizer.json whose pieces are the ${side} units`,
    },
  );

/** The table of {@link PairUnitOptions}. */
const UNIT = {
  sourceUnits: option(choice(UNITS), {
    default: 'characters',
    flag: '<what>',
    help: 'units that the model reads',
    flagHelp: `what the model reads: ${NAMES}`,
  }),
  targetUnits: option(choice(UNITS), {
    default: 'characters',
    flag: '<what>',
    help: 'units that the model writes',
    flagHelp: `what the model writes: ${NAMES}`,
  }),
  sourceTokenizer: tokenizer('source'),
  targetTokenizer: tokenizer('target'),
  maxTokens: option(integer(3, 2 ** 24), {
    default: 65_536,
    flag: '<n>',
    help: 'maximum distinct characters, words or tokens of each side; the rarest are dropped',
  }),
  maxPieces: option(integer(300, 2 ** 24), {
    default: 4_096,
    flag: '<n>',
    help: 'maximum distinct pieces of a side whose units are pieces',
  }),
  minFreq: option(integer(1, 2 ** 31 - 1), { default: 1, flag: '<n>', help: 'rarer units become `<unk>`' }),
  maxLength: option(integer(1, 1_000_000), {
    default: 1_000,
    flag: '<n>',
    help: 'maximum units of a training source or target; a longer one is an error',
  }),
} as const satisfies TableOf<PairUnitOptions>;

/** The table of {@link WritingOptions}. */
const WRITING = {
  labelSmoothing: option(share, {
    default: 0.1,
    flag: '<share>',
    help: "share of each target's probability that is spread over all units",
  }),
  scheduledSampling: option(number({ from: 0, to: 1 }), {
    default: 0,
    flag: '<share>',
    help: "share of the decoder's inputs that are its own output, in the last epoch; grows from 0 in the first",
  }),
} as const satisfies TableOf<WritingOptions>;

const { adversarial: _a, ...LEARN } = LEARNING;
const {
  embeddings: _e,
  unlabelled: _u,
  embeddingWords: _w,
  freezeEmbeddings: _f,
  precision: _p,
  device: _d,
  ...OWN_RUN
} = RUN;

/** The table of {@link Seq2SeqOptions}, in the order of help and guide. */
export const SEQ2SEQ = {
  ...SEQ2SEQ_NETWORK,
  ...UNIT,
  ...WRITING,
  ...LEARN,
  epochs: { ...LEARNING.epochs, defaultText: '6 to 30, fewer with more pairs' },
  tokensPerBatch: { ...LEARNING.tokensPerBatch, help: 'units of both sides per step, at most' },
  bucketing: {
    ...LEARNING.bucketing,
    help: 'put pairs of similar length into the same batch',
    flagHelp: 'draw batches at random, instead of pairs of similar length together',
  },
  lr: { ...LEARNING.lr, default: 3e-3 },
  clipGradNorm: CLIPPED,
  embeddingStd: { ...LEARNING.embeddingStd, help: 'standard deviation of the initial vectors of the source units' },
  ...OWN_RUN,
} as const satisfies TableOf<Seq2SeqOptions>;

/** {@link Seq2SeqOptions} with every default filled in. */
export interface Seq2SeqSettings
  extends TrainingSettings<Pairs, Seq2SeqEvent, Progress<Seq2SeqResult>>,
    Omit<SettingsOf<typeof UNIT>, 'maxTokens' | 'minFreq' | 'maxLength'>,
    SettingsOf<typeof WRITING> {
  model: Seq2SeqModelSettings;
}

const RULES: readonly Rule<Seq2SeqSettings & { given: Seq2SeqOptions }>[] = [
  ...(['source', 'target'] as const).map((side) => ({
    option: `${side}Tokenizer`,
    when: ({ given }: { given: Seq2SeqOptions }) =>
      given[`${side}Tokenizer`] !== undefined && given[`${side}Units`] !== undefined,
    message: `${side}Tokenizer determines the ${side} units, so ${side}Units cannot be given too`,
  })),
];

/** Total pairs that a default training reads. */
const PAIRS_IN_ALL = 1_500_000;

/** Passes over the pairs where no option says how many. */
export function defaultEpochs(pairs: number): number {
  return Math.min(30, Math.max(6, Math.round(PAIRS_IN_ALL / Math.max(pairs, 1))));
}

/**
 * Checks {@link Seq2SeqOptions} and fills in the defaults.
 *
 * @throws ArgumentError naming the option, what was expected and what was given.
 */
export function seq2seqSettings(options: Seq2SeqOptions): Seq2SeqSettings {
  const common = trainingSettings<Pairs, Seq2SeqEvent, Progress<Seq2SeqResult>>(
    'Seq2Seq.train',
    SEQ2SEQ,
    options,
    'sequence',
  );
  const { maxTokens: _, minFreq: __, maxLength: ___, ...units } = settingsOf(UNIT, options);
  const settings = {
    ...common,
    ...units,
    ...settingsOf(WRITING, options),
    model: seq2seqNetwork(options),
    adversarial: 0,
  };
  checkRules({ ...settings, given: options }, RULES);
  return settings;
}
