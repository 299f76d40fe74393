import { constraint, invalidArgument } from '../../core/errors.js';
import { custom, integer, number, signal } from '../../core/options/kinds.js';
import { checkNames, option, type SettingsOf, settingsOf, type TableOf } from '../../core/options/table.js';

/** Options of a text that is drawn, unit by unit. */
export interface DrawOptions {
  /** Maximum units to write. Default 256. */
  maxNewTokens?: number;
  /**
   * Divisor of the scores before softmax: 1 draws from the model's probabilities, lower values take fewer risks, 0
   * always takes the most probable unit. Default 1.
   */
  temperature?: number;
  /** Draws from this many of the most probable units only. Default: all. */
  topK?: number;
  /**
   * Draws only from the smallest set of most probable units whose probabilities add up to at least this; above 0, at
   * most 1. Default 1.
   */
  topP?: number;
  /** Divides the positive scores of units that are among the last 64, and multiplies negative ones; 1 for no penalty. Default 1. */
  repetitionPenalty?: number;
  /** Ends the text before the first complete one of these non-empty strings. Default: none. */
  stop?: string | readonly string[];
  /** Seed of the draws: the same seed gives the same text. Default: random. */
  seed?: number;
  /** Ends the text: the next piece rejects with `ABORTED`. */
  signal?: AbortSignal;
}

/** Options of {@link LanguageModel.generate}. */
export interface GenerateOptions extends DrawOptions {
  /**
   * Searches for the most probable text with this many beams instead of drawing one; the text is returned as one piece
   * at the end. Not with `temperature`, `topK`, `topP`, `repetitionPenalty` or `seed`. Default: a text is drawn.
   */
  beamSize?: number;
  /**
   * With `beamSize`, texts are ranked by log-probability divided by length (including the end) to this power; 0 prefers
   * short texts. Default 1.
   */
  lengthPenalty?: number;
}

/**
 * How a text of {@link LanguageModel.generate} ended: the generator's return value, which a `for await` loop discards.
 */
export interface GeneratedText {
  /**
   * `'stop'`: one of the `stop` strings was reached. `'end'`: the model ended the text. `'length'`: `maxNewTokens`
   * units were written.
   */
  reason: 'stop' | 'end' | 'length';
  /** Units of the prompt. */
  promptTokens: number;
  /** Units written; with `'stop'`, including those of the string. */
  tokens: number;
  /** Seed of the draws, which reproduces the text. 0 if the text was searched, which draws nothing. */
  seed: number;
}

const STOP = 'a string, or an array of strings, none of them empty,';

/** The table of {@link GenerateOptions}. */
export const GENERATE = {
  maxNewTokens: option(integer(1, 2 ** 31 - 1), { default: 256, flag: '<n>', help: 'maximum units to write' }),
  temperature: option(number({ from: 0 }), {
    default: 1,
    flag: '<number>',
    help: "randomness: 0 for none, 1 for the model's probabilities",
  }),
  topK: option(integer(1, 2 ** 31 - 1), {
    defaultText: 'all',
    flag: '<n>',
    help: 'draw from this many of the most probable units only',
  }),
  topP: option(number({ above: 0, to: 1 }), {
    default: 1,
    flag: '<share>',
    help: 'draw only from the smallest set of most probable units whose probabilities add up to this',
  }),
  repetitionPenalty: option(number({ above: 0 }), {
    default: 1,
    flag: '<number>',
    help: 'divide the positive scores of recent units by this, and multiply negative ones',
  }),
  beamSize: option(integer(1, 1_024), {
    defaultText: 'none: a text is drawn',
    flag: '<n>',
    help: 'search for the most probable text with this many beams, instead of drawing one',
  }),
  lengthPenalty: option(number({ from: 0 }), {
    default: 1,
    flag: '<number>',
    help: 'preference for longer texts with `beamSize`: 0 compares whole probabilities, 1 their mean per unit',
  }),
  stop: option(
    custom<string | readonly string[], readonly string[]>(STOP, (name, value) => {
      const stops: unknown[] = Array.isArray(value) ? value : [value];
      if (stops.some((stop) => typeof stop !== 'string' || stop === '')) throw invalidArgument(name, STOP, value);
      return stops as string[];
    }),
    {
      defaultText: 'none',
      flag: '<text>',
      help: 'end the text before the first of these strings',
      flagHelp: 'end the text before this string (repeatable)',
      parse: (typed, before) => [...((before as string[] | undefined) ?? []), typed],
      repeatable: true,
    },
  ),
  seed: option(integer(0), { defaultText: 'random', flag: '<n>', help: 'seed of the draws' }),
  signal: option(signal, { help: 'ends the text when it is aborted' }),
} as const satisfies TableOf<GenerateOptions>;

/** {@link GenerateOptions} with every default filled in. */
export type GenerateSettings = SettingsOf<typeof GENERATE>;

/** Options that do not apply to a search. */
const DRAWING = ['temperature', 'topK', 'topP', 'repetitionPenalty', 'seed'] as const;

/**
 * Checks {@link GenerateOptions} and fills in the defaults.
 *
 * @throws ArgumentError naming the option, what was expected and what was given.
 */
export function generateSettings(options: GenerateOptions): GenerateSettings {
  checkNames('generate', options, GENERATE);
  const drawn = DRAWING.find((name) => options[name] !== undefined);
  if (options.beamSize !== undefined && drawn)
    throw constraint(
      drawn,
      `beamSize searches for the most probable text and draws nothing, so ${drawn} cannot be given too`,
    );
  if (options.beamSize === undefined && options.lengthPenalty !== undefined)
    throw constraint('lengthPenalty', 'lengthPenalty needs beamSize');
  return settingsOf(GENERATE, options);
}
