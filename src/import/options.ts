import { checkFilled } from '../core/checks.js';
import { invalidArgument } from '../core/errors.js';
import { choice, custom, flag, signal, text } from '../core/options/kinds.js';
import { option, type TableOf } from '../core/options/table.js';
import { TOKENS } from '../text/options.js';
import type { TokenizerLike } from '../text/tokenizer.js';
import { COMPUTE } from '../training/options/train.js';

/** How an imported network pools the outputs of a text into one vector. */
export type ImportedPooling = 'last' | 'mean' | 'max';

/** Options of {@link importModel}. */
export interface ImportOptions {
  /**
   * Path of the file that maps words to rows of the embedding: one word per line, from row 0; or a `.json` file with an
   * array of words, an object from words to numbers (torchtext's `get_stoi()`), or either of them under `itos`, `stoi`,
   * `vocab` or `word_index`.
   */
  vocab: string;
  /**
   * The labels in the order of the outputs, or the path of a file with one per line. Default: `'0'`, `'1'` and so on.
   */
  labels?: string | readonly string[];
  /**
   * Input of the linear layer: the final states (of the last layer, both directions concatenated), or the mean or
   * maximum of the outputs over the text's tokens. Default `'last'`.
   */
  pooling?: ImportedPooling;
  /**
   * Whether each output has an independent probability (`BCEWithLogitsLoss`), so that a text may have any number of
   * labels. Default `false`.
   */
  multiLabel?: boolean;
  /**
   * How unknown words are read: as a token of the vocabulary, or a row. Default: the token with a common name, such as
   * `<unk>`, otherwise zeros.
   */
  unknown?: string | number;
  /**
   * Padding of short texts: a token of the vocabulary, or a row. Default: the token with a common name, such as
   * `<pad>`.
   */
  padding?: string | number;
  /** How texts are split into tokens; it must be the one the network was trained with. Default `'basic_english'`. */
  tokenizer?: TokenizerLike;
  /** Maximum tokens read of a text. Default 1,000. */
  maxLength?: number;
  /** Threads for numeric work. Default: the number of processors. */
  threads?: number;
  /** Stops the work, which rejects with `ABORTED`. */
  signal?: AbortSignal;
}

const TOKEN = 'a token of the vocabulary, or the number of a row';
const token = custom<string | number>(TOKEN, (name, value) => {
  const row = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  if (!row && typeof value !== 'string') throw invalidArgument(name, TOKEN, value);
  return value as string | number;
});

const LABELS = 'an array of labels, or the path of a file with one per line';
const labels = custom<string | readonly string[]>(LABELS, (name, value) => {
  if (!Array.isArray(value)) return checkFilled(name, value, LABELS);
  for (const [i, label] of value.entries())
    if (typeof label !== 'string') throw invalidArgument(`${name}[${i}]`, 'a string', label);
  return value as readonly string[];
});

const typedToken = (given: string) => (/^\d+$/.test(given) ? Number(given) : given);

/** The table of {@link ImportOptions}. */
export const IMPORT = {
  vocab: option(text('the path of a file of words'), {
    defaultText: 'none',
    flag: '<file>',
    help: 'words in the order of their rows: one per line, or JSON',
  }),
  labels: option(labels, {
    defaultText: '0, 1 and so on',
    flag: '<file>',
    help: 'labels in the order of the outputs',
    flagHelp: 'file of the labels in the order of the outputs, one per line',
  }),
  pooling: option(choice(['last', 'mean', 'max']), {
    default: 'last',
    flag: '<how>',
    help: 'input of the linear layer: the final states, or the mean or maximum of the outputs',
  }),
  multiLabel: option(flag, { default: false, flag: '', help: 'each label has a separate probability (a sigmoid)' }),
  unknown: option(token, {
    defaultText: '<unk> or similar, otherwise zeros',
    flag: '<token>',
    help: 'how unknown words are read: as a token or a row',
    parse: typedToken,
  }),
  padding: option(token, {
    defaultText: '<pad> or similar',
    flag: '<token>',
    help: 'padding of short texts, a token or a row',
    parse: typedToken,
  }),
  tokenizer: TOKENS.tokenizer,
  maxLength: TOKENS.maxLength,
  threads: COMPUTE.threads,
  signal: option(signal, { defaultText: 'none', help: 'stops the work when it is aborted' }),
} as const satisfies TableOf<ImportOptions>;
