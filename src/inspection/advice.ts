import { listed } from '../core/listed.js';
import { percent } from '../core/terminal.js';
import { counted as count } from './found.js';
import type { Advice, Inspection } from './inspection.js';
import { labelWords } from './labels.js';

/** Rows of a label below which it is hardly learned. */
const FEW = 10;
/** Rows below which word vectors from elsewhere help most. */
const FEW_ROWS = 1_000;
/** Rows of the most frequent label for one of the rarest, above which weights are worth a try. */
const IMBALANCED = 20;
/** Share of rows from which on duplicates are worth a word. */
const SOME = 0.01;
/** Share of the tokens with a vector below which the file is of another kind of text. */
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
        .join('; ')}. Write them in one way.`,
    };
}

function* onTexts({ rows, emptyTexts, longTexts, duplicates, conflicts, nearDuplicates }: Part): Generator<Advice> {
  if (conflicts.rows > 0)
    yield {
      about: 'conflicts',
      message: `${count(conflicts.rows)} repeat${conflicts.rows === 1 ? 's' : ''} the text of an earlier row with another label. Decide which label is right.`,
    };
  const repeated = duplicates.rows + nearDuplicates.rows;
  if (repeated >= SOME * rows && repeated > 0)
    yield {
      about: 'duplicates',
      message: `${count(repeated)} (${percent(repeated / rows)}) repeat${repeated === 1 ? 's' : ''} an earlier text, or nearly so. Remove them, or keep each group on one side when you split: accuracy on repeated texts is too good.`,
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
      message: `${count(shared)} to be measured on (${percent(shared / against.rows)}) stand${shared === 1 ? 's' : ''} in these rows too, or nearly so. Remove them from one side: the measures are too good otherwise.`,
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
      message: `The vectors know ${percent(covered)} of the tokens. Learn vectors from texts like these (recurra vectors), or take a file of the same language and kind of text.`,
    };
  if (rows < FEW_ROWS && !coverage)
    yield {
      about: 'rows',
      message: `There are few rows. Word vectors help most now: give texts without labels (the option unlabelled) or a file of vectors (embeddings).`,
    };
}

/**
 * What to do about what was found, the most important first.
 *
 * @internal
 */
export function adviceOf(found: Part): Advice[] {
  return [...onAgainst(found), ...onLabels(found), ...onTexts(found), ...onWords(found)];
}
