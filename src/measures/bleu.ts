import { checkChoice, checkFlag } from '../core/checks.js';
import { ArgumentError, invalidArgument } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';

/**
 * What BLEU counts: words as split by `mteval-v13a.pl`, characters, or runs between blanks.
 */
export type BleuTokenizer = '13a' | 'char' | 'none';

/** All BLEU tokenizers. */
export const BLEU_TOKENIZERS = ['13a', 'char', 'none'] as const satisfies readonly BleuTokenizer[];

/** How an order without a match counts: as `1 / 2^k` of a match in the k-th such order, or as none. */
export type BleuSmoothing = 'exp' | 'none';

/** Options of {@link corpusBleu} and {@link sentenceBleu}. */
export interface BleuOptions {
  /** What is counted. Default `'13a'`. */
  tokenize?: BleuTokenizer | undefined;
  /** How an order without any match counts. Default `'exp'`. */
  smoothing?: BleuSmoothing | undefined;
  /** Whether to lowercase all texts. Default `false`. */
  lowercase?: boolean | undefined;
  /**
   * Whether to count only orders that the hypothesis has n-grams of, so that a text of fewer than four words has a
   * score. Default `true` for a sentence, `false` for a corpus.
   */
  effectiveOrder?: boolean | undefined;
}

/** BLEU and its components. */
export interface BleuScore {
  /** The score, from 0 to 100. */
  score: number;
  /** Precision of each order, 1 to 4, in percent. */
  precisions: number[];
  /** Penalty factor for hypotheses shorter than the references; 1 if they are not shorter. */
  brevityPenalty: number;
  /** Tokens of the hypotheses. */
  hypothesisLength: number;
  /** Tokens of the references; of several, the one closest in length counts. */
  referenceLength: number;
}

const OPTIONS = ['tokenize', 'smoothing', 'lowercase', 'effectiveOrder'];

/** Longest n-grams. */
const ORDERS = 4;

/** sacrebleu's logarithm of 0. */
const LOG_OF_ZERO = -9_999_999_999;

/** White space for Python's `str.split`. */
const BLANK = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const BLANKS = new RegExp(`[${BLANK}]+`, 'u');
const ENDING = new RegExp(`[${BLANK}]$`, 'u');

/** A text without trailing white space. */
function stripped(text: string): string {
  let end = text.length;
  while (end > 0 && ENDING.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** Separates punctuation, periods and commas not between digits, and dashes after a digit, as in `mteval-v13a.pl`. */
const SIGNS = [
  [/([{-~[-` -&(-+:-@/])/gu, ' $1 '],
  [/([^0-9])([.,])/gu, '$1 $2 '],
  [/([.,])([^0-9])/gu, ' $1 $2'],
  [/([0-9])(-)/gu, '$1 $2 '],
] as const;

function split(text: string): string[] {
  return text.split(BLANKS).filter((token) => token !== '');
}

function words(text: string): string[] {
  let line = text.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  if (line.includes('&'))
    line = line.replaceAll('&quot;', '"').replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>');
  line = ` ${line} `;
  for (const [pattern, replacement] of SIGNS) line = line.replace(pattern, replacement);
  return split(line);
}

const SPLITS: Record<BleuTokenizer, (text: string) => string[]> = {
  '13a': words,
  char: (text) => split(Array.from(text).join(' ')),
  none: split,
};

/** How often each n-gram of an order occurs. */
function ngrams(tokens: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + order <= tokens.length; i++) {
    const ngram = tokens.slice(i, i + order).join(' ');
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}

/** The length of the reference closest to a hypothesis; the shorter of two equally close ones. */
function closest(length: number, references: readonly (readonly string[])[]): number {
  const lengths = references.map((tokens) => tokens.length);
  return lengths.reduce((best, each) => {
    const [distance, least] = [Math.abs(each - length), Math.abs(best - length)];
    return distance < least || (distance === least && each < best) ? each : best;
  });
}

/** Sums the components of BLEU, text by text. */
export class BleuCounter {
  readonly #options: Required<{ [Name in keyof BleuOptions]: Exclude<BleuOptions[Name], undefined> }>;
  readonly #matches = new Array<number>(ORDERS).fill(0);
  readonly #totals = new Array<number>(ORDERS).fill(0);
  #hypothesis = 0;
  #reference = 0;

  /** @param effectiveOrder - Its default. */
  constructor(where: string, options: BleuOptions, effectiveOrder: boolean) {
    checkOptionNames(where, options, OPTIONS);
    this.#options = {
      tokenize: checkChoice('tokenize', options.tokenize ?? '13a', BLEU_TOKENIZERS),
      smoothing: checkChoice('smoothing', options.smoothing ?? 'exp', ['exp', 'none'] as const),
      lowercase: checkFlag('lowercase', options.lowercase ?? false),
      effectiveOrder: checkFlag('effectiveOrder', options.effectiveOrder ?? effectiveOrder),
    };
  }

  /** Counts a text and its references, at least one. */
  add(hypothesis: string, references: readonly string[]): void {
    const { tokenize, lowercase } = this.#options;
    const tokensOf = (text: string) => SPLITS[tokenize](stripped(lowercase ? text.toLowerCase() : text));
    const tokens = tokensOf(hypothesis);
    const right = references.map(tokensOf);
    this.#hypothesis += tokens.length;
    this.#reference += closest(tokens.length, right);
    for (let order = 1; order <= Math.min(ORDERS, tokens.length); order++) {
      const most = right.map((each) => ngrams(each, order));
      for (const [ngram, count] of ngrams(tokens, order)) {
        this.#totals[order - 1]! += count;
        this.#matches[order - 1]! += Math.min(count, Math.max(...most.map((counts) => counts.get(ngram) ?? 0)));
      }
    }
  }

  /** The score of all counted texts. */
  finish(): BleuScore {
    const { smoothing, effectiveOrder } = this.#options;
    const [hypothesisLength, referenceLength] = [this.#hypothesis, this.#reference];
    const short = hypothesisLength < referenceLength;
    const atMost = hypothesisLength > 0 ? Math.exp(1 - referenceLength / hypothesisLength) : 0;
    const brevityPenalty = short ? atMost : 1;
    const precisions = new Array<number>(ORDERS).fill(0);
    const found = { precisions, brevityPenalty, hypothesisLength, referenceLength };
    if (this.#matches.every((count) => count === 0)) return { score: 0, ...found };
    let orders = ORDERS;
    let divisor = 1;
    for (let i = 0; i < ORDERS && this.#totals[i]! > 0; i++) {
      const [matches, total] = [this.#matches[i]!, this.#totals[i]!];
      if (effectiveOrder) orders = i + 1;
      if (matches > 0) precisions[i] = (100 * matches) / total;
      else if (smoothing === 'exp') {
        divisor *= 2;
        precisions[i] = 100 / (divisor * total);
      }
    }
    const logs = precisions.slice(0, orders).map((precision) => (precision === 0 ? LOG_OF_ZERO : Math.log(precision)));
    return { score: brevityPenalty * Math.exp(logs.reduce((sum, log) => sum + log) / orders), ...found };
  }
}

/** Checks the references of a hypothesis, or the only one. */
function referencesOf(name: string, given: unknown): readonly string[] {
  const references: unknown = typeof given === 'string' ? [given] : given;
  const fits = Array.isArray(references) && references.length > 0 && references.every((one) => typeof one === 'string');
  if (!fits) throw invalidArgument(name, 'a string, or an array of at least one', given);
  return references as string[];
}

/**
 * Corpus BLEU: how many n-grams of one to four tokens the texts share with references, as computed by sacrebleu 2.6.0.
 * Scores of different tokenizers are not comparable.
 *
 * With `p_n` the share of n-grams that appear in a reference (clipped to their maximum count in one reference), `c` the
 * length of all hypotheses and `r` that of the closest references, it is
 * `min(1, exp(1 - r / c)) * exp(mean of log p_n)`. Papineni et al., 2002; Post, "A Call for Clarity in Reporting BLEU
 * Scores", 2018.
 *
 * @param hypotheses - The texts.
 * @param references - For each text, one reference or several.
 * @throws {@link ArgumentError} for an invalid option, `INVALID_SHAPE` if their numbers differ, `EMPTY_DATASET` without
 * texts.
 *
 * @example
 * ```ts
 * corpusBleu(['the cat sat on the mat'], [['the cat sat on a mat', 'a cat sat on the mat']]).score; // 100 * ...
 * ```
 */
export function corpusBleu(
  hypotheses: readonly string[],
  references: readonly (string | readonly string[])[],
  options: BleuOptions = {},
): BleuScore {
  const counter = new BleuCounter('corpusBleu', options, false);
  for (const [name, value] of Object.entries({ hypotheses, references }))
    if (!Array.isArray(value)) throw invalidArgument(name, 'an array', value);
  if (hypotheses.length !== references.length)
    throw new ArgumentError(
      'INVALID_SHAPE',
      `Expected as many references as hypotheses, ${hypotheses.length}, but received ${references.length}`,
      { option: 'references' },
    );
  if (hypotheses.length === 0) throw new ArgumentError('EMPTY_DATASET', 'there are no texts to measure');
  for (const [i, hypothesis] of hypotheses.entries()) {
    if (typeof hypothesis !== 'string') throw invalidArgument(`hypotheses[${i}]`, 'a string', hypothesis);
    counter.add(hypothesis, referencesOf(`references[${i}]`, references[i]));
  }
  return counter.finish();
}

/**
 * BLEU of one text, as sacrebleu's `sentence_bleu`: only orders that the text has n-grams of count.
 *
 * @param hypothesis - The text.
 * @param references - One reference or several.
 * @throws {@link ArgumentError} for an invalid argument.
 *
 * @example
 * ```ts
 * sentenceBleu('the cat sat', 'the cat sat down').score;
 * ```
 */
export function sentenceBleu(
  hypothesis: string,
  references: string | readonly string[],
  options: BleuOptions = {},
): BleuScore {
  const counter = new BleuCounter('sentenceBleu', options, true);
  if (typeof hypothesis !== 'string') throw invalidArgument('hypothesis', 'a string', hypothesis);
  counter.add(hypothesis, referencesOf('references', references));
  return counter.finish();
}
