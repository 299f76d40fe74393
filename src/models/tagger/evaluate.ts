import { DataError } from '../../core/errors.js';
import { listed } from '../../core/listed.js';
import { callback, choice, flag, signal } from '../../core/options/kinds.js';
import { option, type TableOf } from '../../core/options/table.js';
import { Turns } from '../../core/turns.js';
import { fileOfRow, noRows, placeInWords, positionOf, type RowsOrigin } from '../../data/readers/rows.js';
import type { Engine } from '../../engine/engine.js';
import { TAG_SCORES } from '../../engine/network.js';
import { type TaggingEvaluation, TaggingMeasurer } from '../../measures/tagging.js';
import { looseEntities, type TokenSpan } from '../../text/tags/entities.js';
import { writeSpans } from '../../text/tags/spans.js';
import { splitTag, type Tag } from '../../text/tags/tag.js';
import { Blocks } from '../blocks.js';
import type { OnUnknownLabel } from '../unknownLabels.js';
import { givenTags, spanProbability } from './prediction.js';
import { type ReadRow, readRow, TAG_ROWS, type TagRow, type TagRows } from './rows.js';
import type { SentenceReader } from './sentence.js';
import type { TagSet } from './tagSet.js';
import type { TaggerTokenizer } from './tokenizer.js';

/** A measured row, as passed to {@link TagEvaluationOptions.onPrediction}. */
export interface EvaluatedTags {
  /** The tokens of the row. */
  tokens: readonly string[];
  /** Their correct tags, in the scheme of the model. */
  tags: readonly string[];
  /** Their predicted tags. */
  predicted: readonly string[];
  /** Probability of each of these, from 0 to 1. */
  probabilities: readonly number[];
  /** Line of the file where the row begins, if it comes from a file. */
  line?: number | undefined;
  /** The file, if the rows come from several. */
  file?: string | undefined;
}

/** Options of {@link TextTagger.evaluate}. */
export interface TagEvaluationOptions {
  /**
   * What to do with a label (or a tag without a scheme) that the model does not have: throw an error that lists all of
   * them, or with `'wrong'` count its spans as missed. Default `'error'`.
   */
  unknownLabels?: OnUnknownLabel | undefined;
  /**
   * Whether a token is split where a span of a row begins or ends within it, as {@link TaggerTrainOptions.splitTokens}. Default `false`.
   */
  splitTokens?: boolean | undefined;
  /** Stops the work with an error of code `ABORTED`. */
  signal?: AbortSignal | undefined;
  /** Called with the number of rows measured so far, after each few thousand. */
  onProgress?: ((progress: { rows: number }) => void) | undefined;
  /**
   * Called for each row, in their order. A returned promise is awaited, so that a slow writer slows down the evaluation
   * instead of filling memory.
   */
  onPrediction?: ((row: EvaluatedTags) => void | Promise<void>) | undefined;
}

/** The table of {@link TagEvaluationOptions}. */
export const TAG_EVALUATION = {
  unknownLabels: option(choice(['error', 'wrong'] as const), {
    default: 'error',
    flag: '<what>',
    help: 'what to do with labels that the model does not have: an error that lists all of them, or count them as wrong',
  }),
  splitTokens: option(flag, { default: false, flag: '', help: 'split a token where a span begins or ends within it' }),
  signal: option(signal, { help: 'stops the work when it is aborted' }),
  onProgress: option(callback<(progress: { rows: number }) => void>(), {
    help: 'called with the number of rows measured so far',
  }),
  onPrediction: option(callback<(row: EvaluatedTags) => void | Promise<void>>(), { help: 'called for each row' }),
} as const satisfies TableOf<TagEvaluationOptions>;

/** What an evaluation needs of a model. */
export interface TagPredictor {
  engine: Pick<Engine, 'scores'>;
  reader: SentenceReader;
  set: TagSet;
  splits: TaggerTokenizer;
  maxLength: number;
}

/** Rows measured together, and tokens per call of the engine. */
const ROWS = 1_024;
const TOKENS_PER_CALL = 65_536;

/** Labels that rows have and the model does not. */
class UnknownTags {
  readonly #known: ReadonlySet<string>;
  readonly #set: TagSet;
  readonly #found = new Map<string, { rows: number; row: number; line: number | undefined }>();

  constructor(set: TagSet) {
    this.#set = set;
    this.#known = new Set(set.labels);
  }

  get any(): boolean {
    return this.#found.size > 0;
  }

  see(labels: Iterable<string>, number: number, line: number | undefined): void {
    for (const label of new Set(labels)) {
      if (this.#known.has(label)) continue;
      const before = this.#found.get(label);
      if (before) before.rows++;
      else this.#found.set(label, { rows: 1, row: number, line });
    }
  }

  error(origin: RowsOrigin): DataError {
    const named = [...this.#found].map(
      ([label, { rows, row, line }]) =>
        `${JSON.stringify(label)} (${rows} ${rows === 1 ? 'row' : 'rows'}, first ${placeInWords(origin, row, line)})`,
    );
    const known = this.#set.labels.map((label) => JSON.stringify(label));
    const message =
      `rows have an unknown ${this.#set.entities ? 'label' : 'tag'}: ${listed(named)}; the known ones are ${listed(known)}; ` +
      "unknownLabels: 'wrong' (--unknown-labels wrong) counts them as wrong";
    const [first] = this.#found.values();
    return new DataError('UNKNOWN_LABEL', message, positionOf(origin, first?.row ?? 1, first?.line));
  }
}

/** A row with its correct spans. */
interface TruthRow extends ReadRow {
  /** Number of the row, from 1. */
  number: number;
  spans: TokenSpan[];
}

/**
 * Measures a model on rows, some at a time. Memory does not grow with their number.
 *
 * @internal
 */
export async function evaluateTags(
  { engine, reader, set, splits, maxLength }: TagPredictor,
  rows: TagRows,
  { signal, onProgress, onPrediction, unknownLabels, splitTokens = false }: TagEvaluationOptions,
): Promise<TaggingEvaluation> {
  const blocks = new Blocks<TagRow>(rows, TAG_ROWS, ROWS);
  const measurer = new TaggingMeasurer(set.scheme, set.labels);
  const turns = new Turns(signal, undefined, 'the evaluation');
  const unknown = new UnknownTags(set);
  let number = 0;
  let tokensRead = 0;
  const read = async (): Promise<TruthRow[]> => {
    const block: TruthRow[] = [];
    for await (const given of blocks.next(undefined)) {
      const row = readRow(given, ++number, { splits, splitTokens }, rows);
      tokensRead += row.tokens.length;
      const spans = set.entities ? looseEntities(parsed(row, number, rows)) : [];
      unknown.see(set.entities ? spans.map(({ label }) => label) : row.tags, number, row.line);
      // Scan all rows, so that the error lists all unknown labels.
      if (unknownLabels === 'wrong' || !unknown.any) block.push({ ...row, number, spans });
      if (turns.due) await turns.next();
    }
    return block;
  };
  const measure = async (part: readonly TruthRow[]) => {
    const sentences = [];
    for (const { tokens } of part) {
      sentences.push({ ...(await turns.run(reader.encodeSteps(tokens))), tokens });
      if (turns.due) await turns.next();
    }
    const { tokens, lengths, forms } = (await reader.flatInTurns(sentences)) ?? reader.flat(sentences);
    const scores = await engine.scores(tokens, lengths, forms);
    forms?.close();
    let start = 0;
    for (const [i, row] of part.entries()) {
      const own = start;
      start += reader.scoresOf(sentences[i]!);
      const ids = givenTags(scores, own, row.tokens.length);
      const found = set.entities ? set.spans(ids) : [];
      const probabilities = Array.from(ids, (_, token) => scores[own + TAG_SCORES * token + 1]!);
      const truth = set.scheme === undefined ? row.tags : writeSpans(row.spans, row.tokens.length, set.scheme);
      const predicted = set.written(ids, found);
      measurer.add({
        tokens: row.tokens,
        truth,
        predicted,
        spans: row.spans,
        found: found.map((span) => ({ ...span, probability: spanProbability(scores, own, span, maxLength) })),
        probabilities,
        line: row.line,
      });
      const place = { line: row.line, ...(rows.fileOf && { file: fileOfRow(rows, row.number) }) };
      const told = onPrediction?.({ tokens: row.tokens, tags: truth, predicted, probabilities, ...place });
      if (told) await told;
      if (turns.due) await turns.next();
    }
  };
  try {
    while (!blocks.ended) {
      const block = await read();
      if (unknownLabels !== 'wrong' && unknown.any) continue;
      for (let from = 0, to = 0; from < block.length; from = to) {
        for (let tokens = 0; to < block.length && (to === from || tokens < TOKENS_PER_CALL); to++)
          tokens += block[to]!.tokens.length;
        await measure(block.slice(from, to));
      }
      if (block.length > 0) onProgress?.({ rows: number });
    }
    if (unknownLabels !== 'wrong' && unknown.any) throw unknown.error(rows);
    if (tokensRead === 0)
      throw noRows(number === 0 ? 'there are no rows to evaluate' : 'the rows to evaluate have no tokens', rows);
    return measurer.finish();
  } finally {
    await blocks.close();
  }
}

/** The parsed tags of a row. */
function parsed({ tags, line }: ReadRow, number: number, origin: RowsOrigin): Tag[] {
  return tags.map((tag, i) => {
    const found = splitTag(tag);
    if (found) return found;
    const where = line === undefined ? `row ${number}: ` : '';
    const message = `${where}the tag ${JSON.stringify(tag)} of token ${i + 1} has no scheme; expected O, or a prefix and a label as in B-PER, which this model has learned`;
    throw new DataError('INVALID_ROW', message, positionOf(origin, number, line));
  });
}
