import { counted as count } from '../core/counted.js';
import { listed } from '../core/listed.js';
import { percent } from '../core/terminal.js';
import type { Advice, Inspection } from './inspection.js';
import { labelWords } from './labels.js';

/** A label with fewer rows is hardly learned. */
const FEW = 10;
/** With fewer rows, pretrained word vectors help most. */
const FEW_ROWS = 1_000;
/** Ratio of the most frequent to the rarest label above which class weights are worth trying. */
const IMBALANCED = 20;
/** Minimum share of duplicates to mention. */
const SOME = 0.01;
/** With a smaller share of tokens covered, the vectors come from another kind of text. */
const COVERED = 0.8;

type Part = Omit<Inspection, 'advice'>;

const named = (labels: readonly string[]) => listed(labelWords(labels), 5);

function* onLabels({ labels }: Part): Generator<Advice> {
  if (!labels) return;
  const { counts, imbalance, similar } = labels;
  if (counts.length === 1)
    yield {
      about: 'labels',
      message: `All rows have the label ${named([counts[0]!.label])}; a classifier needs at least two.`,
    };
  const rare = counts.filter(({ rows }) => rows < FEW);
  if (rare.length > 0) {
    const names = named(rare.map(({ label }) => label));
    const [have, them] = rare.length === 1 ? ['label has', 'it'] : ['labels have', 'them'];
    yield {
      about: 'labels',
      message: `${rare.length} ${have} fewer than ${FEW} rows: ${names}. Collect more rows of ${them}, or merge ${them} with others.`,
    };
  }
  if (imbalance > IMBALANCED)
    yield {
      about: 'balance',
      message: `The most frequent label has ${Math.round(imbalance)} times the rows of the rarest. Look at macro F1 rather than accuracy, and try classWeights: 'balanced'.`,
    };
  if (similar.length > 0)
    yield {
      about: 'similarLabels',
      message: `${similar.length === 1 ? 'These labels look' : `${similar.length} groups of labels look`} like one: ${similar
        .slice(0, 3)
        .map((group) => labelWords(group).join(' / '))
        .join('; ')}. Use one spelling.`,
    };
}

function* onRows({ badRows, against }: Part): Generator<Advice> {
  const bad = badRows.rows + (against?.badRows.rows ?? 0);
  if (bad > 0)
    yield {
      about: 'badRows',
      message: `${count(bad)} ${bad === 1 ? 'is' : 'are'} bad, and training stops at the first. Correct ${bad === 1 ? 'it' : 'them'}, or leave ${bad === 1 ? 'it' : 'them'} out with onBadRow: 'skip' (--skip-bad-rows).`,
    };
}

function* onTexts({ rows, emptyTexts, longTexts, duplicates, conflicts, nearDuplicates }: Part): Generator<Advice> {
  if (conflicts.rows > 0)
    yield {
      about: 'conflicts',
      message: `${count(conflicts.rows)} repeat${conflicts.rows === 1 ? 's' : ''} the text of an earlier row with another label. Decide which label is correct.`,
    };
  const repeated = duplicates.rows + nearDuplicates.rows;
  if (repeated >= SOME * rows && repeated > 0)
    yield {
      about: 'duplicates',
      message: `${count(repeated)} (${percent(repeated / rows)}) repeat${repeated === 1 ? 's' : ''} an earlier text, or nearly so. Remove them, or keep them on one side when you split (training does so with equal texts that it splits off): accuracy on repeated texts is too optimistic.`,
    };
  if (emptyTexts.rows > 0)
    yield {
      about: 'emptyTexts',
      message: `${count(emptyTexts.rows)} ${emptyTexts.rows === 1 ? 'has' : 'have'} no text. Remove ${emptyTexts.rows === 1 ? 'it' : 'them'}.`,
    };
  if (longTexts.rows > 0)
    yield {
      about: 'longTexts',
      message: `${count(longTexts.rows)} (${percent(longTexts.rows / rows)}) ${longTexts.rows === 1 ? 'is' : 'are'} long. Training is faster with the option maxLength, which cuts them.`,
    };
}

function* onAgainst({ against }: Part): Generator<Advice> {
  if (!against) return;
  const shared = against.repeated.rows + against.resembling.rows;
  if (shared > 0)
    yield {
      about: 'against',
      message: `${count(shared)} to be measured on (${percent(shared / against.rows)}) also appear${shared === 1 ? 's' : ''} in these rows, or nearly so. Remove them from one side: otherwise the measures are too optimistic.`,
    };
  if (against.unknownLabels.length > 0)
    yield {
      about: 'against',
      message: `The rows to be measured on have labels that these rows do not have: ${named(against.unknownLabels)}.`,
    };
}

function* onWords({ rows, languages, coverage }: Part): Generator<Advice> {
  const second = languages[1];
  if (second)
    yield {
      about: 'languages',
      message: `There are texts in several languages: ${languages.map(({ name, share }) => `${name} ${Math.round(100 * share)} %`).join(', ')}. Measure each on its own rows.`,
    };
  const covered = coverage?.tokensCovered;
  if (covered !== undefined && covered < COVERED)
    yield {
      about: 'coverage',
      message: `The vectors know ${percent(covered)} of the tokens. Learn vectors from texts like these (recurra vectors), or use a file for the same language and kind of text.`,
    };
  if (rows < FEW_ROWS && !coverage)
    yield {
      about: 'rows',
      message: `There are few rows. Word vectors help most now: give texts without labels (the option unlabelled) or a file of vectors (embeddings).`,
    };
}

/**
 * Advice on rows whose label is probably wrong.
 *
 * @internal
 */
export function adviceOnDoubts(rows: number): Advice[] {
  if (rows === 0) return [];
  const message = `${count(rows)} probably ${rows === 1 ? 'has' : 'have'} a wrong label. Read ${rows === 1 ? 'it' : 'the first of them'} and correct the labels that are wrong; some are right, so do not delete rows unread.`;
  return [{ about: 'doubtfulLabels', message }];
}

/**
 * Advice on the findings, the most important first.
 *
 * @internal
 */
export function adviceOf(found: Part): Advice[] {
  return [...onRows(found), ...onAgainst(found), ...onLabels(found), ...onTexts(found), ...onWords(found)];
}
