import { isSource } from '../../../core/checks.js';
import { constraint, DataError, RecurraError } from '../../../core/errors.js';
import { checkNames, settingsOf } from '../../../core/options/table.js';
import { Turns } from '../../../core/turns.js';
import { type GivenRow, noRows, type Rows, withOrigin } from '../../../data/readers/rows.js';
import { collect, encodeDataset } from '../../../data/sets/encode.js';
import type { EncodedDataset } from '../../../data/sets/encoded.js';
import type { Together } from '../../../data/sets/folds.js';
import { sameTexts } from '../../../data/sets/groups.js';
import type { Evaluation } from '../../../measures/evaluation.js';
import type { Vocab } from '../../../text/vocab.js';
import { abortedBefore } from '../../../training/errors.js';
import type { TrainedModel } from '../../../training/task.js';
import type { Candidate, Entry } from '../../../tuning/candidates.js';
import type { Tuning } from '../../../tuning/events.js';
import {
  checkReadAgain,
  fixedOptions,
  HELD_SHARE,
  isCounted,
  MOST_TRIALS,
  SEARCH,
  secondsLeft,
} from '../../../tuning/options.js';
import { type Part, rungsOf } from '../../../tuning/rungs.js';
import { LabelSets, Scorer } from '../../../tuning/score.js';
import { tune } from '../../../tuning/tune.js';
import type { Certainty } from '../certainty.js';
import type { EvaluationOptions } from '../evaluate.js';
import { CLASSIFIER, type TrainOptions, trainSettings } from '../options.js';
import { RowGroups } from '../rowGroups.js';
import { certaintyOfTrials } from './certainty.js';
import { TUNE, type TuneOptions } from './options.js';
import { type FileContents, fileBytes, fitted } from './size.js';
import { candidatesOf, DEFAULTS, LINEAR_ALONE, type Searched } from './space.js';

/** A model that a search can train, measure and keep. */
export interface TunedModel extends TrainedModel {
  evaluate(rows: Rows, options: EvaluationOptions): Promise<Evaluation>;
  contents(): Promise<FileContents>;
  setCertainty(certainty: Certainty): void;
}

/** Trains a model. */
type Train<M> = (rows: Rows, options: TrainOptions) => Promise<M>;

/** A label with fewer rows is missing from the training that is measured on it. */
const LEAST_ROWS = 2;

/** The checked rows and their contents. */
interface ReadRows {
  rows: GivenRow[];
  dataset: EncodedDataset;
  vocab: Vocab;
  /** Bytes that the words take in the description of a file. */
  wordBytes: number;
}

/** Yields the rows and keeps them. */
function kept(rows: Rows, into: GivenRow[]): Rows {
  const read = async function* () {
    for await (const row of rows) {
      into.push(row);
      yield row;
    }
  };
  return withOrigin(read(), rows);
}

/** Reads and checks all rows before the first trial. */
async function readRows(rows: Rows, fixed: TrainOptions, signal: AbortSignal | undefined): Promise<ReadRows> {
  const { tokenizer, multiLabel } = fixed;
  const all: GivenRow[] = [];
  // The reader refuses values that are not a source of rows.
  const source = isSource(rows) ? kept(rows, all) : rows;
  try {
    const { dataset, vocab } = await collect(source, { tokenizer, multiLabel, signal });
    if (dataset.length === 0) throw noRows('there are no rows to tune on; expected rows with a text and a label', rows);
    // Each quote of the list is escaped in the description, which is a string.
    const wordBytes = Buffer.byteLength(JSON.stringify(vocab.toJSON())) + 2 * vocab.length;
    return { rows: all, dataset, vocab, wordBytes };
  } catch (error) {
    if (error instanceof RecurraError && error.code === 'ABORTED') throw abortedBefore(error.cause);
    throw error;
  }
}

/** A number for the set of labels of each row. */
function classKeys({ length, labels, labelOffsets, labelsOf }: EncodedDataset, dataset: EncodedDataset): Int32Array {
  if (!labelOffsets) return labels;
  const keys = new Map<string, number>();
  return Int32Array.from({ length }, (_, row) => {
    const key = labelsOf.call(dataset, row).join();
    const known = keys.get(key) ?? keys.size;
    keys.set(key, known);
    return known;
  });
}

/** The rows that belong together: those of a group, otherwise equal ones. */
async function togetherOf(
  groups: RowGroups,
  dataset: EncodedDataset,
  turns: Turns,
  file: string | undefined,
): Promise<Together> {
  const numbers = await turns.run(groups.finish());
  if (!numbers) return { same: await sameTexts(dataset, (row) => dataset.labelsOf(row), turns) };
  if (numbers.some((number) => number !== numbers[0])) return { groups: numbers };
  const message = 'all rows have the same group, so none can be held out; give another column, or leave the groups out';
  throw new DataError('EMPTY_DATASET', message, { file });
}

/** Throws unless each training has two labels to learn. */
function checkLabels({ classes, labels, multiLabel }: EncodedDataset, own: boolean, file: string | undefined): void {
  if (classes.length < (multiLabel ? 1 : 2))
    throw new DataError('SINGLE_CLASS', `all rows have one label; a classifier needs at least two`, { file });
  if (own || multiLabel) return;
  const counts = new Uint32Array(classes.length);
  for (const label of labels) counts[label]!++;
  if (counts.filter((count) => count >= LEAST_ROWS).length >= 2) return;
  const message =
    'settings are compared on rows that are held out of their trainings, so at least two labels need two rows or more; give more rows, or separate validation rows';
  throw new DataError('EMPTY_DATASET', message, { file });
}

/**
 * Searches for the best settings of a classifier: see {@link TextClassifier.tune}.
 *
 * @param train - Trains a classifier.
 */
export async function tuneClassifier<M extends TunedModel>(
  rows: Rows,
  options: TuneOptions,
  train: Train<M>,
): Promise<Tuning<M, TrainOptions>> {
  checkNames('TextClassifier.tune', options, TUNE);
  const { maxSize, metric, onEvent, trials = MOST_TRIALS } = settingsOf(SEARCH, options);
  const { validation, signal, onProgress } = settingsOf(TUNE, options);
  const fixed = fixedOptions<TrainOptions>(options, CLASSIFIER);
  const { seed, linear, multiLabel } = { multiLabel: false, ...fixed, ...trainSettings(fixed) };
  checkReadAgain('unlabelled', fixed.unlabelled);
  const began = performance.now();
  const read = await readRows(rows, fixed, signal);
  const { dataset } = read;
  // Known once the rows have been read.
  const { columns } = rows;
  const { classes } = dataset;
  const own = validation !== undefined && typeof validation !== 'number';
  checkLabels(dataset, own, rows.file);
  const held: GivenRow[] = [];
  if (own) {
    const { vocab } = read;
    await encodeDataset(kept(validation as Rows, held), { vocab, classes, multiLabel: multiLabel === true, signal });
    if (held.length === 0) throw noRows('there are no validation rows', validation as Rows);
  }
  if (metric.startsWith('f1:') && !classes.includes(metric.slice(3))) {
    const known = classes.slice(0, 20).map((label) => JSON.stringify(label));
    throw constraint(
      'metric',
      `no row has the label ${JSON.stringify(metric.slice(3))} of the metric; labels are ${known.join(', ')}${classes.length > 20 ? ', ...' : ''}`,
      'UNKNOWN_LABEL',
    );
  }
  const known = { rows: dataset.length, labels: classes.length, words: read.vocab.length, wordBytes: read.wordBytes };
  const sized = (candidate: Candidate<Searched>): Candidate<Searched> | undefined => {
    if (maxSize === undefined) return candidate;
    const settings = fitted(candidate.options, fixed, known, maxSize);
    return settings && { name: candidate.name, options: settings };
  };
  const baselines = [...(linear ? [LINEAR_ALONE] : []), DEFAULTS].flatMap((each) => sized(each) ?? []);
  const preferred = baselines.at(-1);
  if (!preferred) {
    const message = `no model of these rows fits into ${maxSize} bytes: its words alone take ${read.wordBytes}, give a larger maxSize`;
    throw constraint('maxSize', message, 'OUT_OF_RANGE');
  }
  const sets = new LabelSets();
  const share = typeof validation === 'number' ? validation : HELD_SHARE;
  const keys = classKeys(dataset, dataset);
  const groups = new RowGroups(rows);
  for (const row of read.rows) groups.add(row);
  const turns = new Turns(signal, undefined, 'the tuning');
  const together = await togetherOf(groups, dataset, turns, rows.file);
  const rungs = rungsOf({
    classes: keys,
    together,
    validationRows: held.length,
    share,
    seed,
    counted: isCounted(options),
  });
  const candidates = function* () {
    for (const candidate of candidatesOf(known, fixed, seed)) {
      const settings = sized(candidate);
      if (settings) yield settings;
    }
  };
  const measure = async ({ options: own }: Candidate<Searched>, part: Part, ending: AbortSignal) => {
    const learned = Object.assign(
      Array.from(part.train, (row) => read.rows[row]!),
      { columns },
    );
    const settings = optionsOf(fixed, own);
    const model = await train(learned, { ...settings, seed: seed + part.seed, signal: ending, onEvent() {} });
    try {
      const source = held.length > 0 ? held : read.rows;
      const measured = Array.from(part.held, (row) => source[row]!);
      const answers = {
        rows: part.held,
        truth: new Int32Array(measured.length),
        given: new Int32Array(measured.length),
        ...(multiLabel ? {} : { probabilities: new Float32Array(measured.length) }),
      };
      let row = 0;
      const { loss } = await model.evaluate(measured, {
        unknownLabels: 'wrong',
        signal: ending,
        onPrediction({ label, predicted, probability }) {
          if (answers.probabilities) answers.probabilities[row] = probability as number;
          answers.truth[row] = sets.idOf(label);
          answers.given[row++] = sets.idOf(predicted);
        },
      });
      return { answers, loss, model };
    } catch (error) {
      await model.close();
      throw error;
    }
  };
  const everything = Object.assign([...read.rows, ...held], { columns });
  let chosen: TrainOptions = {};
  const retrain = async ({ options: own, answers }: Entry<Searched>): Promise<M> => {
    const certainty = certaintyOfTrials(answers);
    const watching = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
    chosen = optionsOf(fixed, own);
    for (;;) {
      const model = await train(everything, { ...chosen, ...watching });
      if (certainty) model.setCertainty(certainty);
      const bytes = maxSize === undefined ? 0 : fileBytes(await model.contents());
      if (maxSize === undefined || bytes <= maxSize) return model;
      await model.close();
      const smaller = shrunk(chosen, (0.95 * maxSize) / bytes, known.words);
      if (!smaller)
        throw constraint(
          'maxSize',
          `the model takes ${bytes} bytes, more than maxSize allows, and cannot be made smaller`,
        );
      chosen = smaller;
    }
  };
  return tune<Searched, M>({
    baselines,
    preferred,
    simple: linear ? LINEAR_ALONE : undefined,
    candidates: candidates(),
    rungs,
    trials: Math.max(trials, baselines.length),
    scorer: new Scorer(metric, sets),
    heldRows: held.length > 0 ? held.length : dataset.length,
    allRows: everything.length,
    validationRows: held.length,
    labels: classes.length,
    metric,
    seconds: secondsLeft(options, began),
    signal,
    measure,
    onEvent,
    retrain,
    options: () => chosen,
  });
}

/** Options that apply to a linear model alone; a training would warn of the others. */
const LINEAR_OPTIONS = ['tokenizer', 'multiLabel', 'classWeights', 'maxLinearBytes', 'linear', 'threads', 'seed'];

/** The options of a candidate's training. */
function optionsOf(fixed: TrainOptions, own: Searched): TrainOptions {
  if (own.recurrent !== false) return { ...fixed, ...own };
  const useful = Object.entries(fixed).filter(([name]) => LINEAR_OPTIONS.includes(name));
  return { ...Object.fromEntries(useful), ...own };
}

/** Settings for a smaller model; undefined if nothing can be removed. */
function shrunk(options: TrainOptions, share: number, words: number): TrainOptions | undefined {
  const { recurrent, linear, maxLinearBytes, maxTokens = words } = options;
  const smaller: TrainOptions = { ...options };
  if (recurrent !== false) smaller.maxTokens = Math.floor(share * maxTokens);
  if (linear !== false && maxLinearBytes !== undefined) smaller.maxLinearBytes = Math.floor(share * maxLinearBytes);
  if ((smaller.maxTokens ?? 2) < 2 || (smaller.maxLinearBytes ?? 1_000) < 1_000) return undefined;
  return recurrent === false && maxLinearBytes === undefined ? undefined : smaller;
}
