import { checkFilled } from '../core/checks.js';
import { invalidArgument } from '../core/errors.js';
import { choice, custom, flag, signal, text } from '../core/options/kinds.js';
import { option, type TableOf } from '../core/options/table.js';
import { TOKENS } from '../text/options.js';
import type { TokenizerLike } from '../text/tokenizer.js';
import { COMPUTE } from '../training/options/train.js';

/** How the outputs of a text become one vector in a network that was trained elsewhere. */
export type ImportedPooling = 'last' | 'mean' | 'max';

/** Options of {@link importModel}. */
export interface ImportOptions {
  /**
   * Path of the file that says which word has which row of the embedding: one word on each line, from row 0 on; or in a `.json` file an array of
   * words, an object from words to numbers (torchtext's `get_stoi()`), or one of both under `itos`, `stoi`, `vocab` or `word_index`.
   */
  vocab: string;
  /** The labels in the order of the outputs, or the path of a file with one on each line. Default: `'0'`, `'1'` and so on. */
  labels?: string | readonly string[];
  /**
   * What the linear layer reads of the recurrent layers: their final states (of the last layer, both directions side by side), or the mean or
   * the maximum of their outputs over the text's tokens. Default `'last'`.
   */
  pooling?: ImportedPooling;
  /** Whether each output has a probability of its own (`BCEWithLogitsLoss`), so that a text may have any number of labels. Default `false`. */
  multiLabel?: boolean;
  /** What unknown words are read as: a token of the vocabulary, or a row. Default: the token with a usual name, such as `<unk>`, else zeros. */
  unknown?: string | number;
  /** What short texts were filled up with: a token of the vocabulary, or a row. Default: the token with a usual name, such as `<pad>`. */
  padding?: string | number;
  /** How texts are split into tokens; it must be what the network was trained with. Default `'basic_english'`. */
  tokenizer?: TokenizerLike;
  /** Tokens of a text that are read. Default 1,000. */
  maxLength?: number;
  /** Threads of the numeric work. Default: as many as processors. */
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

const LABELS = 'an array of labels, or the path of a file with one on each line';
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
    help: 'words in the order of their rows: one a line, or JSON',
  }),
  labels: option(labels, {
    defaultText: '0, 1 and so on',
    flag: '<file>',
    help: 'labels in the order of the outputs',
    flagHelp: 'file of the labels in the order of the outputs, one a line',
  }),
  pooling: option(choice(['last', 'mean', 'max']), {
    default: 'last',
    flag: '<how>',
    help: 'what the linear layer reads: the final states, or the mean or maximum of the outputs',
  }),
  multiLabel: option(flag, { default: false, flag: '', help: 'each label has a separate probability (a sigmoid)' }),
  unknown: option(token, {
    defaultText: '<unk> or alike, else zeros',
    flag: '<token>',
    help: 'what unknown words are read as, a token or a row',
    parse: typedToken,
  }),
  padding: option(token, {
    defaultText: '<pad> or alike',
    flag: '<token>',
    help: 'what short texts were filled up with, a token or a row',
    parse: typedToken,
  }),
  tokenizer: TOKENS.tokenizer,
  maxLength: TOKENS.maxLength,
  threads: COMPUTE.threads,
  signal: option(signal, { defaultText: 'none', help: 'stops the work when it is aborted' }),
} as const satisfies TableOf<ImportOptions>;
