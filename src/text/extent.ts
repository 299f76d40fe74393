import { choice, integer, type Kind } from '../core/options/kinds.js';
import { option, type SettingsOf, settingsOf, type TableOf } from '../core/options/table.js';

/** Which part of a text with more than `maxLength` tokens is read: its beginning, its end, or half of each. */
export type Truncation = 'head' | 'tail' | 'both';

const TRUNCATIONS = ['head', 'tail', 'both'] as const satisfies readonly Truncation[];

/** How much of a text is read; see `TextOptions` for each option. */
export interface ExtentOptions {
  ngrams?: 1 | 2 | 3;
  maxLength?: number;
  truncate?: Truncation;
}

/** The table of {@link ExtentOptions}, which is a part of that of `TextOptions`. */
export const EXTENT = {
  ngrams: option(integer(1, 3) as Kind<1 | 2 | 3>, {
    default: 1,
    flag: '<n>',
    help: 'also count runs of up to this many tokens as tokens: 1, 2 or 3',
  }),
  maxLength: option(integer(1, 1_000_000), { default: 1_000, flag: '<n>', help: 'maximum tokens read of a text' }),
  truncate: option(choice(TRUNCATIONS), {
    default: 'head',
    flag: '<part>',
    help: 'which part of a longer text is read',
  }),
} as const satisfies TableOf<ExtentOptions>;

/** {@link ExtentOptions} with every default filled in. */
export type TextExtent = SettingsOf<typeof EXTENT>;

/** Checks how much of a text is read and fills in the defaults. */
export function extentSettings(options: ExtentOptions): TextExtent {
  return settingsOf(EXTENT, options);
}
