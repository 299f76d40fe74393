import { constraint } from '../core/errors.js';
import { note } from '../core/terminal.js';
import type { Column } from '../data/readers/fields.js';
import type { Tokens, UnlabelledText } from '../data/readers/rows.js';
import { restsOnFew } from '../models/classifier/certainty.js';
import { TextClassifier } from '../models/classifier/classifier.js';
import { plainTranslation } from '../models/seq2seq/plain.js';
import { type Seq2SeqPredictOptions, TRANSLATE } from '../models/seq2seq/prediction.js';
import { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import { TextTagger } from '../models/tagger/tagger.js';
import { BLOCK } from './commands/textBlocks.js';
import { flagName, givenOptions } from './flags.js';
import { refuseFlags, type TextFlags } from './rows.js';
import type { ModelOf } from './tasks.js';

/** Labels shown per text unless the flag says otherwise. */
export const TOP_K = 3;

/** Labels with probabilities kept in memory at once. */
const CLASSES = 1 << 17;

/** Flags that select what an answer contains. */
export interface AnswerFlags {
  topK?: number;
  minProbability?: number;
  precision?: number;
  outOfScope?: boolean;
  /** The column of a source, which is the text of a model of pairs. */
  source?: Column;
}

/**
 * The flags with the column of `--source` as that of the texts. Whether the model reads sources, {@link checkAnswerFlags}
 * tells later.
 *
 * @throws ArgumentError if both columns are given.
 */
export function withSource<Flags extends AnswerFlags & TextFlags>(flags: Flags & { text?: unknown }): Flags {
  const { source, text } = flags;
  if (source === undefined) return flags;
  if (text !== undefined) throw constraint('source', '--source and --text name the same column here; give one of them');
  return { ...flags, text: [source] };
}

/** What those of a classifier alone mean for its answers. */
export function cautionOf({ minProbability, precision, outOfScope }: AnswerFlags) {
  return { minProbability, precision, ...(outOfScope !== undefined && { outOfScope }) };
}

/** Warns if a wanted precision rests on few validation rows. */
export function noteFewRows(model: ModelOf<'predict' | 'serve'>, precision: number | undefined): void {
  if (precision === undefined || !(model instanceof TextClassifier)) return;
  const few = restsOnFew(precision, model.thresholdFor(precision));
  if (few !== undefined) note(`recurra: warning: ${few}`);
}

/** A row to answer. */
export type AskedRow = UnlabelledText | Tokens;

/** How a model of any kind answers rows as JSON. */
export interface Answering {
  /** Rows answered per call. */
  size: number;
  /** Whether a row may be a sentence of tokens. */
  tokens: boolean;
  /** Answers some rows, in their order. */
  answer(rows: readonly AskedRow[], signal?: AbortSignal): Promise<readonly object[]>;
  /** What an answer repeats of its row: the text and its line number. */
  row(row: AskedRow): object;
}

/**
 * Refuses flags of `recurra predict` that do not apply to a model of this kind.
 *
 * @throws ArgumentError
 */
export function checkAnswerFlags(model: ModelOf<'predict'>, flags: AnswerFlags): void {
  const caution = Object.entries(cautionOf(flags)).filter(([, value]) => value !== undefined);
  for (const [name] of model instanceof TextClassifier ? [] : caution)
    throw constraint(name, `${flagName(name)} applies to classifiers alone`);
  if (flags.source !== undefined && !(model instanceof Seq2Seq))
    throw constraint('source', '--source applies to models of pairs alone; the column of the texts is --text');
  if (model instanceof Seq2Seq) {
    if (flags.topK !== undefined)
      throw constraint('topK', '--top-k does not apply to a model of pairs; --n-best lists answers');
    return;
  }
  refuseFlags(flags, TRANSLATE, [], model instanceof TextTagger ? 'a tagger' : 'a classifier');
  if (model instanceof TextTagger && flags.topK !== undefined)
    throw constraint('topK', `--top-k does not apply to a tagger, which gives each token one tag`);
}

/** Texts per block for answers of `classes` labels. */
export function blockOf(classes: number): number {
  return Math.max(1, Math.min(BLOCK, Math.floor(CLASSES / classes)));
}

/** What identifies a row: the columns that are carried over, and the line number, since rows may have been skipped. */
export function placeOf({ line, kept }: AskedRow): object {
  return { ...(kept && { kept }), ...(line === undefined ? {} : { line }) };
}

const textOf = (row: AskedRow): string => ('text' in row ? row.text : row.tokens.join(' '));

/** How a model answers with JSON, as `recurra predict --json` shows it. */
export function answering(model: ModelOf<'predict'>, flags: AnswerFlags): Answering {
  checkAnswerFlags(model, flags);
  if (model instanceof Seq2Seq) {
    const options = givenOptions<Seq2SeqPredictOptions>(TRANSLATE, flags);
    return {
      size: BLOCK,
      tokens: false,
      answer: async (rows, signal) => {
        const answers = await model.predict(rows.map(textOf), { ...options, ...(signal && { signal }) });
        return answers.map(plainTranslation);
      },
      row: (row) => ({ source: textOf(row), ...placeOf(row) }),
    };
  }
  if (model instanceof TextTagger) {
    return {
      size: BLOCK,
      tokens: true,
      answer: (rows, signal) =>
        model.predictMany(
          rows.map((row) => ('tokens' in row ? row.tokens : row.text)),
          signal && { signal },
        ),
      row: (row) => ({ ...('text' in row ? { text: row.text } : {}), ...placeOf(row) }),
    };
  }
  const caution = cautionOf(flags);
  const topK = Math.min(flags.topK ?? TOP_K, model.labels.length);
  return {
    size: blockOf(topK),
    tokens: false,
    answer: (rows, signal) => model.predictMany(rows.map(textOf), { topK, ...caution, ...(signal && { signal }) }),
    row: (row) => ({ text: textOf(row), ...placeOf(row) }),
  };
}
