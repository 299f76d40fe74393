import { invalidArgument } from '../core/errors.js';
import type { SettingsOf } from '../core/options/table.js';
import { Turns } from '../core/turns.js';
import type { Rows } from '../data/readers/rows.js';
import { findDoubtfulRows } from '../inspection/doubtfulLabels.js';
import { beginning } from '../inspection/found.js';
import { coverageCurve } from '../measures/coverage.js';
import { bootstrap, type Outcome } from '../measures/intervals.js';
import { LabelIssueFinder } from '../measures/labelIssues.js';
import { Numbers } from '../measures/numbers.js';
import { sortedConfusions } from '../measures/report.js';
import type { TextClassifier } from '../models/classifier/classifier.js';
import type { MeasuredRow } from '../models/classifier/evaluate.js';
import { classifierFacts } from './facts.js';
import type { ClassifierReport, DoubtfulLabel, ShownText } from './format.js';
import { Groups } from './groups.js';
import { Mistakes } from './mistakes.js';
import type { REPORT } from './options.js';
import { CellSample } from './sample.js';
import { trainingShown } from './training.js';

/** Settings of a report. */
export type ReportSettings = SettingsOf<typeof REPORT>;

/** Maximum code units of a text listed for a cell. */
const SHOWN = 300;
/** Maximum labels with measures, and maximum confusions and doubtful rows listed. */
const MOST_LABELS = 1_000;
const MOST_CONFUSIONS = 100;
const MOST_DOUBTFUL = 100;
/** Maximum rows kept whose label is not the most probable one, and maximum probabilities of them. */
const MOST_SUSPECTS = 20_000;
const MOST_NUMBERS = 10_000_000;
/** Precisions to report coverage for, and points of the curve. */
const PRECISIONS = [0.99, 0.98, 0.95, 0.9];
const POINTS = 200;

const several = (labels: string | string[]): string[] => (typeof labels === 'string' ? [labels] : labels);

/** Data gathered from a classifier's rows while they are measured. */
class Gathered {
  readonly names: string[];
  readonly groups: Groups;
  readonly mistakes: Mistakes;
  readonly texts: CellSample<ShownText>;
  readonly right = new Numbers();
  readonly wrong = new Numbers();
  readonly outcomes = new Map<string, Outcome>();
  readonly doubts: LabelIssueFinder | undefined;
  readonly suspects = new Map<number, { text: string; line: number | undefined }>();
  readonly #indices: Map<string, number>;
  readonly #multiLabel: boolean;
  rows = 0;

  constructor({ labels, thresholds }: TextClassifier, { by, mistakes, texts, seed, labels: judged }: ReportSettings) {
    this.names = [...labels];
    this.#indices = new Map(labels.map((label, index) => [label, index]));
    this.#multiLabel = thresholds !== undefined;
    this.groups = new Groups(by);
    this.mistakes = new Mistakes(mistakes);
    this.texts = new CellSample(texts, seed);
    const most = Math.min(MOST_SUSPECTS, Math.floor(MOST_NUMBERS / labels.length));
    this.doubts = this.#multiLabel || judged ? undefined : new LabelIssueFinder(labels.length, most);
  }

  #indexOf(label: string): number {
    let index = this.#indices.get(label);
    if (index === undefined) {
      index = this.names.push(label) - 1;
      this.#indices.set(label, index);
    }
    return index;
  }

  add(row: MeasuredRow): void {
    const number = ++this.rows;
    const [truth, predicted] = [several(row.label), several(row.predicted)].map((list) =>
      list.map((label) => this.#indexOf(label)).sort((a, b) => a - b),
    ) as [number[], number[]];
    const key = `${truth}>${predicted}`;
    const right = String(truth) === String(predicted);
    const outcome = this.outcomes.get(key);
    if (outcome) outcome.rows++;
    else this.outcomes.set(key, { truth, predicted, rows: 1 });
    this.groups.add(row.given, row.tokens, row.knownTokens, right);
    if (!right) this.#mistaken(row, number, truth, predicted);
    if (!this.#multiLabel) this.#exclusive(row, number, truth[0]!, predicted[0]!);
  }

  #exclusive(row: MeasuredRow, number: number, truth: number, predicted: number): void {
    const { text, line, probabilities } = row;
    const probability = probabilities[predicted]!;
    (truth === predicted ? this.right : this.wrong).push(probability);
    this.texts.add(`${truth}>${predicted}`, () => ({
      row: number,
      ...(line === undefined ? {} : { line }),
      text: beginning(text, SHOWN),
      truth,
      predicted,
      probability: Number(probability.toFixed(4)),
    }));
    if (!this.doubts || truth >= probabilities.length) return;
    this.doubts.add(number, truth, probabilities);
    if (truth !== predicted && this.suspects.size < MOST_SUSPECTS)
      this.suspects.set(number, { text: beginning(text, SHOWN), line });
  }

  /** Keeps a mistake if the model was confident enough. */
  #mistaken(row: MeasuredRow, number: number, truth: readonly number[], predicted: readonly number[]): void {
    const { text, line, probabilities } = row;
    let wrong = -1;
    let certainty = -1;
    for (const label of predicted)
      if (!truth.includes(label) && probabilities[label]! > certainty)
        [wrong, certainty] = [label, probabilities[label]!];
    if (this.#multiLabel)
      for (const label of truth)
        if (label < probabilities.length && !predicted.includes(label) && 1 - probabilities[label]! > certainty)
          [wrong, certainty] = [label, 1 - probabilities[label]!];
    if (wrong < 0) return;
    this.mistakes.add(certainty, text, () => ({
      row: number,
      ...(line === undefined ? {} : { line }),
      text,
      truth: truth.map((label) => this.names[label]!),
      predicted: predicted.map((label) => this.names[label]!),
      label: this.names[wrong]!,
      probability: probabilities[wrong]!,
    }));
  }
}

/** Rows whose label the model itself finds improbable. */
function ownDoubts({ doubts, suspects, names }: Gathered): ClassifierReport['doubtful'] {
  if (!doubts) return null;
  const found = doubts.finish(names);
  const examples: DoubtfulLabel[] = [];
  for (const { row, label, suggested, selfConfidence, suggestedProbability } of found) {
    const shown = suspects.get(row);
    if (!shown) continue;
    const { text, line } = shown;
    const place = line === undefined ? { row } : { row, line };
    examples.push({ ...place, labels: [label], text, suggested, probability: selfConfidence, suggestedProbability });
    if (examples.length === MOST_DOUBTFUL) break;
  }
  return { outOfSample: false, rows: found.length, examples };
}

/** Rows whose label is improbable for models trained on other rows. */
async function judged(rows: Rows, { seed, signal, onProgress }: ReportSettings): Promise<ClassifierReport['doubtful']> {
  const found = await findDoubtfulRows(rows, {
    seed,
    ...(signal && { signal }),
    onProgress: ({ fold }) => onProgress?.({ stage: 'judging', done: fold }),
  });
  return { outOfSample: true, rows: found.length, examples: found.slice(0, MOST_DOUBTFUL) };
}

/** Gathers a classifier's report. Rows are read once, or twice with `labels`. */
export async function classifierReport(
  model: TextClassifier,
  rows: Rows,
  settings: ReportSettings,
  version: string,
): Promise<ClassifierReport> {
  const { unknownLabels, signal, onProgress, resamples, seed } = settings;
  const multiLabel = model.thresholds !== undefined;
  if (multiLabel && settings.labels)
    throw invalidArgument('labels', 'false for a model that gives a text several labels', true);
  const gathered = new Gathered(model, settings);
  const evaluation = await model.measure(
    rows,
    { unknownLabels, signal, onProgress: ({ rows: done }) => onProgress?.({ stage: 'measuring', done }) },
    (row) => gathered.add(row),
  );
  const labels = gathered.names;
  const outcomes = [...gathered.outcomes.values()];
  // With the most common outcomes first the draws of a resample end sooner.
  outcomes.sort((a, b) => b.rows - a.rows);
  const byName = new Map(evaluation.perLabel.map((each) => [each.label, each]));
  const asked = labels
    .map((label, index) => ({ index, measures: byName.get(label)! }))
    .sort((a, b) => b.measures.support - a.measures.support || a.index - b.index)
    .slice(0, MOST_LABELS);
  let round = 0;
  const turns = new Turns(
    signal,
    () => onProgress?.({ stage: 'intervals', done: Math.min(round, resamples) }),
    'the report',
  );
  const drawing = bootstrap(
    outcomes,
    labels.length,
    asked.map(({ index }) => index),
    resamples,
    seed,
  );
  const counted = (function* () {
    for (;;) {
      const { done, value } = drawing.next();
      if (done) return value;
      round++;
      yield;
    }
  })();
  const drawn = await turns.run(counted);
  const cells = multiLabel
    ? []
    : outcomes.map(({ truth, predicted, rows: count }) => ({
        truth: truth[0]!,
        predicted: predicted[0]!,
        rows: count,
      }));
  const support = labels.map((label) => byName.get(label)!.support);
  const explained = (done: number) => onProgress?.({ stage: 'explaining', done });
  return {
    kind: 'classifier',
    version,
    facts: classifierFacts(model),
    training: trainingShown(model.card, settings.events),
    rows: gathered.rows,
    multiLabel,
    labels,
    accuracy: drawn.accuracy,
    macroF1: drawn.macroF1,
    loss: evaluation.loss,
    perLabel: asked.map(({ measures: { label, support: having, predicted } }, at) => ({
      label,
      support: having,
      predicted,
      ...drawn.perLabel[at]!,
    })),
    cells,
    confusions: sortedConfusions(labels, cells, support, MOST_CONFUSIONS),
    calibration: evaluation.multiLabel ? null : evaluation.calibration,
    coverage: multiLabel ? null : coverageCurve(gathered.right.take(), gathered.wrong.take(), PRECISIONS, POINTS),
    groupings: gathered.groups.finish(),
    mistakes: await gathered.mistakes.explained(model, signal, explained),
    doubtful: settings.labels ? await judged(rows, settings) : ownDoubts(gathered),
    texts: gathered.texts.finish(),
  };
}
