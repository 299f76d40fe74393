import { flag, integer, number, signal } from '../../core/options/kinds.js';
import {
  checkNames,
  checkRules,
  option,
  type Rule,
  type SettingsOf,
  settingsOf,
  type TableOf,
} from '../../core/options/table.js';

/** Options of the search for answers. */
export interface SearchOptions {
  /** Hypotheses kept at each step; 1 is greedy search. Default 1. */
  beamSize?: number;
  /**
   * Hypotheses are ranked by log-probability divided by length (including the end) to this power; 0 prefers short ones.
   * Wu et al., 2016, section 7, in its simple form. Default 1.
   */
  lengthPenalty?: number;
  /**
   * Maximum units of an answer, which is cut there. Default: the length of the longest training target, or more for a
   * source longer than the longest training source.
   */
  maxLength?: number;
}

/** Options of {@link Seq2Seq.predict}. */
export interface Seq2SeqPredictOptions extends SearchOptions {
  /** Answers to list, best first; at most `beamSize`. Default 1. */
  nBest?: number;
  /** Whether to return the attention weights of the source units for each unit of the answers. Default `false`. */
  alignments?: boolean;
  /** Stops the call: pending work is discarded, and the call rejects with `ABORTED`. */
  signal?: AbortSignal;
}

/** The table of {@link SearchOptions}. */
export const SEARCH = {
  beamSize: option(integer(1, 1_024), {
    default: 1,
    flag: '<n>',
    help: 'hypotheses kept at each step; 1 is greedy search',
  }),
  lengthPenalty: option(number({ from: -100, to: 100 }), {
    default: 1,
    flag: '<number>',
    help: 'rank hypotheses by log-probability divided by length to this power; 0 prefers short ones',
  }),
  maxLength: option(integer(1, 2 ** 20), {
    defaultText: 'by the longest target of the training',
    flag: '<n>',
    help: 'maximum units of an answer',
  }),
} as const satisfies TableOf<SearchOptions>;

/** The table of {@link Seq2SeqPredictOptions}. */
export const TRANSLATE = {
  ...SEARCH,
  nBest: option(integer(1, 1_024), {
    default: 1,
    flag: '<n>',
    help: 'answers to list, best first; at most `beamSize`',
  }),
  alignments: option(flag, {
    default: false,
    flag: '',
    help: 'return the attention weights of the source units for each unit of the answers',
  }),
  signal: option(signal, { help: 'stops the call when it is aborted' }),
} as const satisfies TableOf<Seq2SeqPredictOptions>;

/** {@link Seq2SeqPredictOptions} with every default filled in. */
export type TranslateSettings = SettingsOf<typeof TRANSLATE>;

const RULES: readonly Rule<TranslateSettings>[] = [
  {
    option: 'nBest',
    when: ({ nBest, beamSize }) => nBest > beamSize,
    message: ({ nBest, beamSize }) =>
      `Expected at most beamSize, ${beamSize}, for nBest but received ${nBest}: a search finds at most beamSize answers`,
  },
];

/**
 * Checks {@link Seq2SeqPredictOptions} and fills in the defaults.
 *
 * @throws ArgumentError naming the option, what was expected and what was given.
 */
export function translateSettings(options: Seq2SeqPredictOptions): TranslateSettings {
  checkNames('predict', options, TRANSLATE);
  const settings = settingsOf(TRANSLATE, options);
  checkRules(settings, RULES);
  return settings;
}

/** A text that a model wrote. */
export interface Candidate {
  /** The text. */
  text: string;
  /** Its units. */
  units: readonly string[];
  /** The natural logarithm of its probability: the sum over its units and its end. */
  score: number;
  /**
   * With `alignments`: for each unit, the attention weights of the source units, which are non-negative and add up to
   * 1.
   */
  alignments?: Float32Array[];
}

/** A model's answer to a source; its fields are those of the best candidate. */
export interface Translation extends Candidate {
  /** The source's units. */
  sourceUnits: readonly string[];
  /** How many of them the model knows. */
  knownUnits: number;
  /** The `nBest` best answers, the best first; possibly fewer. */
  candidates: readonly Candidate[];
}
