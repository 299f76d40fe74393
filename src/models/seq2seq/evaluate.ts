import { callback, choice, signal } from '../../core/options/kinds.js';
import { option, type TableOf } from '../../core/options/table.js';
import { BLEU_TOKENIZERS, type BleuTokenizer } from '../../measures/bleu.js';
import { SEARCH, type SearchOptions } from './prediction.js';
import type { Seq2SeqMeasured } from './result.js';

/** Options of {@link Seq2Seq.evaluate}. */
export interface Seq2SeqEvaluationOptions extends SearchOptions {
  /** What BLEU counts. Default `'13a'`. */
  bleuTokenizer?: BleuTokenizer;
  /** Called with each source and its answer, in the order of the sources; the evaluation waits for a promise that it returns. */
  onPrediction?: (measured: Seq2SeqMeasured) => void | Promise<void>;
  /** Stops the call, which rejects with `ABORTED`. */
  signal?: AbortSignal;
}

/** The table of {@link Seq2SeqEvaluationOptions}. */
export const PAIR_EVALUATION = {
  ...SEARCH,
  bleuTokenizer: option(choice(BLEU_TOKENIZERS), {
    default: '13a',
    flag: '<name>',
    help: 'what BLEU counts: words as mteval-v13a.pl splits them, characters, or runs between blanks',
  }),
  onPrediction: option(callback<(measured: Seq2SeqMeasured) => void | Promise<void>>(), {
    help: 'called with each source and its answer',
  }),
  signal: option(signal, { help: 'stops the call when it is aborted' }),
} as const satisfies TableOf<Seq2SeqEvaluationOptions>;
