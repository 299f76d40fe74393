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

/** How answers are searched for. */
export interface SearchOptions {
  /** Hypotheses that are kept at each step; 1 takes the most probable unit each time. Default 1. */
  beamSize?: number;
  /**
   * Hypotheses are ordered by their log-probability divided by their length, the end counted, to this power; with 0 short ones are
   * preferred. Wu et al., 2016, section 7, in its simple form. Default 1.
   */
  lengthPenalty?: number;
  /**
   * Most units of an answer, which ends there. Default: as many as the longest target of the training has, more in proportion for a source
   * that is longer than the longest one there.
   */
  maxLength?: number;
}

/** Options of {@link Seq2Seq.predict}. */
export interface Seq2SeqPredictOptions extends SearchOptions {
  /** Answers to list, best first; at most `beamSize`. Default 1. */
  nBest?: number;
  /** Whether to tell how much each source unit counted for each unit of the answers. Default `false`. */
  alignments?: boolean;
  /** Stops the call: what has not been computed yet is given up, and the call rejects with `ABORTED`. */
  signal?: AbortSignal;
}

/** The table of {@link SearchOptions}. */
export const SEARCH = {
  beamSize: option(integer(1, 1_024), {
    default: 1,
    flag: '<n>',
    help: 'hypotheses that are kept at each step; 1 takes the most probable unit each time',
  }),
  lengthPenalty: option(number({ from: -100, to: 100 }), {
    default: 1,
    flag: '<number>',
    help: 'order hypotheses by their log-probability divided by their length to this power; 0 prefers short ones',
  }),
  maxLength: option(integer(1, 2 ** 20), {
    defaultText: 'by the longest target of the training',
    flag: '<n>',
    help: 'most units of an answer',
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
    help: 'tell how much each source unit counted for each unit of the answers',
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
      `Expected at most beamSize, ${beamSize}, for nBest but received ${nBest}: a search finds as many answers as it keeps`,
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
  /** The natural logarithm of its probability: the sum of those of its units and of its end. */
  score: number;
  /** With `alignments`: for each unit how much each source unit counted, at least 0 and 1 in sum. */
  alignments?: Float32Array[];
}

/** What a model wrote for a source; its own fields are those of the best candidate. */
export interface Translation extends Candidate {
  /** The source's units. */
  sourceUnits: readonly string[];
  /** How many of them the model knows. */
  knownUnits: number;
  /** The `nBest` best answers, the best first. A search may find fewer. */
  candidates: readonly Candidate[];
}
