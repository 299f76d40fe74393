import { isSource } from '../../../core/checks.js';
import { constraint, RecurraError } from '../../../core/errors.js';
import { checkNames, settingsOf } from '../../../core/options/table.js';
import { Turns } from '../../../core/turns.js';
import { noRows } from '../../../data/readers/rows.js';
import type { TaggingEvaluation } from '../../../measures/tagging.js';
import { looseEntities } from '../../../text/tags/entities.js';
import { SchemeDetector, type TagScheme } from '../../../text/tags/scheme.js';
import { splitTag } from '../../../text/tags/tag.js';
import { abortedBefore } from '../../../training/errors.js';
import type { TrainedModel } from '../../../training/task.js';
import type { Candidate } from '../../../tuning/candidates.js';
import { CountScorer, type Counts } from '../../../tuning/countScore.js';
import type { Tuning } from '../../../tuning/events.js';
import {
  checkReadAgain,
  fixedOptions,
  HELD_SHARE,
  isCounted,
  MOST_TRIALS,
  secondsLeft,
} from '../../../tuning/options.js';
import { type Part, rungsOf } from '../../../tuning/rungs.js';
import { tune } from '../../../tuning/tune.js';
import type { EvaluatedTags, TagEvaluationOptions } from '../evaluate.js';
import { TAGGER, type TaggerTrainOptions, taggerSettings } from '../options.js';
import { type ReadRow, readRow, type TagRow, type TagRows } from '../rows.js';
import { TAGGER_SEARCH, TAGGER_TUNE, type TaggerTuneOptions } from './options.js';
import { candidatesOf, DEFAULTS, type SearchedTagger } from './space.js';

/** A tagger that a search can train and measure. */
export interface TunedTagger extends TrainedModel {
  readonly scheme: TagScheme | undefined;
  evaluate(rows: TagRows, options: TagEvaluationOptions): Promise<TaggingEvaluation>;
}

/** The rows with what a search needs to know of them. */
interface ReadRows {
  rows: TagRow[];
  /** A number for the set of labels of each row, by which rows are spread over parts. */
  classes: Int32Array;
  /** The number of the first row with the same tokens and tags. */
  units: Int32Array;
  labels: number;
  /** The scheme of all tags, null for tags without one; undefined if training recognises it. */
  scheme: TagScheme | null | undefined;
}

/** The labels of a row; tags without a scheme are labels themselves. */
function labelsOf({ tags }: ReadRow): string[] {
  const labels = tags.map((tag) => {
    const found = splitTag(tag);
    return found ? (found.prefix === 'O' ? undefined : found.label) : tag;
  });
  return [...new Set(labels.filter((label) => label !== undefined))].sort();
}

/** Reads and checks all rows before the first trial. */
async function readRows(
  source: TagRows,
  fixed: TaggerTrainOptions,
  signal: AbortSignal | undefined,
  what: string,
): Promise<ReadRows> {
  const { splits, splitTokens } = taggerSettings(fixed);
  const rows: TagRow[] = [];
  const classes: number[] = [];
  const keys = new Map<string, number>();
  const units: number[] = [];
  const firsts = new Map<string, number>();
  const labels = new Set<string>();
  const detector = new SchemeDetector();
  let spanned = false;
  const turns = new Turns(signal, undefined, 'the tuning');
  try {
    for await (const row of source) {
      const read = readRow(row, rows.push(row), { splits, splitTokens }, source);
      const own = labelsOf(read);
      for (const label of own) labels.add(label);
      const key = JSON.stringify(own);
      if (!keys.has(key)) keys.set(key, keys.size);
      classes.push(keys.get(key)!);
      const sentence = JSON.stringify([read.tokens, read.tags]);
      const first = firsts.get(sentence) ?? units.length;
      firsts.set(sentence, first);
      units.push(first);
      if (read.spanned) spanned = true;
      else detector.add(read.tags);
      if (turns.due) await turns.next();
    }
  } catch (error) {
    if (error instanceof RecurraError && error.code === 'ABORTED') throw abortedBefore(error.cause);
    throw error;
  }
  if (rows.length === 0) throw noRows(`there are no ${what}`, source);
  // A part of the rows may look like another scheme than all of them.
  const scheme = spanned ? undefined : detector.foreign ? null : detector.scheme;
  return { rows, classes: Int32Array.from(classes), units: Int32Array.from(units), labels: labels.size, scheme };
}

/** What a row adds to the F1 of spans, or without a scheme to that of tags, which is their accuracy. */
function countsOf({ tags, predicted }: EvaluatedTags, entities: boolean): [hits: number, found: number, all: number] {
  if (!entities) return [tags.filter((tag, at) => tag === predicted[at]).length, tags.length, tags.length];
  const [truth, found] = [tags, predicted].map((list) => looseEntities(list.map((tag) => splitTag(tag)!)));
  const byStart = new Map(truth!.map((span) => [span.start, span]));
  const right = found!.filter(({ start, end, label }) => {
    const same = byStart.get(start);
    return same?.end === end && same.label === label;
  });
  return [right.length, found!.length, truth!.length];
}

/**
 * Searches for the best settings of a tagger: see {@link TextTagger.tune}.
 *
 * @param train - Trains a tagger.
 */
export async function tuneTagger<M extends TunedTagger>(
  rows: TagRows,
  options: TaggerTuneOptions,
  train: (rows: TagRows, options: TaggerTrainOptions) => Promise<M>,
): Promise<Tuning<M, TaggerTrainOptions>> {
  checkNames('TextTagger.tune', options, TAGGER_TUNE);
  const { onEvent, trials = MOST_TRIALS } = settingsOf(TAGGER_SEARCH, options);
  const { validation, signal, onProgress } = settingsOf(TAGGER_TUNE, options);
  const given = fixedOptions<TaggerTrainOptions>(options, TAGGER);
  const { seed } = taggerSettings(given);
  checkReadAgain('unlabelled', given.unlabelled);
  if (!isSource(rows))
    throw constraint('rows', 'rows are sentences with tags or spans: an array, or a reader such as readConll');
  const began = performance.now();
  const read = await readRows(rows, given, signal, 'rows to tune on; expected sentences with tags or spans');
  const { columns } = rows;
  const own = validation !== undefined && typeof validation !== 'number';
  const held = own ? (await readRows(validation as TagRows, given, signal, 'validation rows')).rows : [];
  const scheme = given.scheme === undefined ? read.scheme : given.scheme;
  const fixed: TaggerTrainOptions = scheme === undefined ? given : { ...given, scheme };
  const share = typeof validation === 'number' ? validation : HELD_SHARE;
  const source = held.length > 0 ? held : read.rows;
  let entities = true;
  const measure = async ({ options: searched }: Candidate<SearchedTagger>, part: Part, ending: AbortSignal) => {
    const learned = Object.assign(
      Array.from(part.train, (row) => read.rows[row]!),
      { columns },
    );
    const model = await train(learned, { ...fixed, ...searched, seed: seed + part.seed, signal: ending, onEvent() {} });
    try {
      entities = model.scheme !== undefined;
      const answers: Counts = {
        rows: part.held,
        hits: new Int32Array(part.held.length),
        predicted: new Int32Array(part.held.length),
        support: new Int32Array(part.held.length),
      };
      let at = 0;
      const measured = await model.evaluate(
        Array.from(part.held, (row) => source[row]!),
        {
          unknownLabels: 'wrong',
          signal: ending,
          ...(fixed.splitTokens !== undefined && { splitTokens: fixed.splitTokens }),
          onPrediction(row) {
            [answers.hits[at], answers.predicted[at], answers.support[at]] = countsOf(row, entities) as [
              number,
              number,
              number,
            ];
            at++;
          },
        },
      );
      // An evaluation has no loss; among equal scores the better token accuracy counts.
      return { answers, loss: 1 - measured.accuracy, model };
    } catch (error) {
      await model.close();
      throw error;
    }
  };
  const everything = Object.assign([...read.rows, ...held], { columns });
  return tune<SearchedTagger, M, Counts>({
    baselines: [DEFAULTS],
    preferred: DEFAULTS,
    simple: undefined,
    candidates: candidatesOf(read.rows.length, fixed, seed),
    rungs: rungsOf({
      classes: read.classes,
      together: { same: read.units },
      validationRows: held.length,
      share,
      seed,
      counted: isCounted(options),
    }),
    trials,
    scorer: new CountScorer(),
    heldRows: source.length,
    allRows: everything.length,
    validationRows: held.length,
    labels: read.labels,
    get metric() {
      return entities ? 'F1' : 'accuracy';
    },
    seconds: secondsLeft(options, began),
    signal,
    measure,
    onEvent,
    retrain: ({ options: searched }) =>
      train(everything, { ...fixed, ...searched, ...(signal && { signal }), ...(onProgress && { onProgress }) }),
    options: ({ options: searched }) => ({ ...fixed, ...searched }) as SearchedTagger,
  });
}
