import { DataError } from '../core/errors.js';
import { checkNames, settingsOf } from '../core/options/table.js';
import { throwIfAborted } from '../core/signals.js';
import { Turns } from '../core/turns.js';
import { fileOfRow, type GivenRow, noRows, positionOf, type Rows } from '../data/readers/rows.js';
import { stratifiedFolds } from '../data/sets/folds.js';
import { foundIn, labelled } from '../data/sets/labels.js';
import { findLabelIssues } from '../measures/labelIssues.js';
import { TextClassifier } from '../models/classifier/classifier.js';
import { compareCodePoints } from '../text/codePointOrder.js';
import { beginning, placeOf, type RowShown } from './found.js';
import { DOUBT, type DoubtOptions, INSPECTED } from './options.js';

/** A row whose label is probably wrong. */
export interface DoubtfulRow extends RowShown {
  /** The label that it probably should have. */
  suggested: string;
  /** Probability of its label, from a model that has not seen the row, from 0 to 1. */
  probability: number;
  /** Probability of the suggested label, from 0 to 1. */
  suggestedProbability: number;
}

/** What a signal aborts, for the error. */
const WORK = 'the search for doubtful labels';

/** A row with one label. */
interface Labelled {
  text: string;
  label: string;
  line: number | undefined;
}

async function collected(rows: Rows, turns: Turns): Promise<Labelled[]> {
  const all: Labelled[] = [];
  for await (const given of rows as AsyncIterable<GivenRow>) {
    const row = labelled(given);
    const labels = row && (typeof row.label === 'string' ? [row.label] : row.label);
    if (!row || labels?.length !== 1) {
      const position = positionOf(rows, all.length + 1, given?.line);
      const place = placeOf(all.length + 1, position);
      const needed = 'a text and exactly one label';
      throw new DataError('INVALID_ROW', `${place}expected ${needed} but found ${foundIn(given)}`, position);
    }
    all.push({ text: row.text, label: labels[0]!, line: row.line });
    if (turns.due) await turns.next();
  }
  if (all.length === 0) throw noRows('there are no rows to inspect', rows);
  return all;
}

/**
 * Throws unless each model will be trained on two labels: the only row of a label is missing from the training that
 * judges it.
 */
function checkLabels(rows: readonly Labelled[], labels: readonly string[], file: string | undefined): void {
  if (labels.length < 2)
    throw new DataError('EMPTY_DATASET', 'all rows have the same label, so none can be recognised as wrong', { file });
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { label } of rows) (seen.has(label) ? repeated : seen).add(label);
  if (repeated.size < 2)
    throw new DataError(
      'EMPTY_DATASET',
      `rows are judged by models of other rows, so at least two labels need two rows or more; here ${repeated.size === 0 ? 'none has' : 'one has'}`,
      { file },
    );
}

/**
 * Finds rows whose label is probably wrong, as {@link findLabelIssues} does, by the linear model of
 * {@link TextClassifier}: the probabilities of each row come from a model trained on other parts of the rows
 * (cross-validation). All rows are kept in memory.
 *
 * @param rows - Texts with one label each.
 * @param options - See {@link DoubtOptions}.
 * @returns the rows, the most doubtful first.
 * @throws {@link ArgumentError} for invalid options. {@link DataError} for invalid rows, and unless two labels have two rows or more.
 * {@link RecurraError} `ABORTED` if the signal is aborted.
 */
export async function findDoubtfulRows(rows: Rows, options: DoubtOptions = {}): Promise<DoubtfulRow[]> {
  checkNames('findDoubtfulRows', options, DOUBT);
  const { folds, seed, threads, signal, onProgress } = settingsOf(DOUBT, options);
  INSPECTED.check('rows', rows);
  const turns = new Turns(signal, undefined, WORK);
  const all = await collected(rows, turns);
  const labels = [...new Set(all.map(({ label }) => label))].sort(compareCodePoints);
  checkLabels(all, labels, rows.file);
  const index = new Map(labels.map((label, column) => [label, column]));
  const fold = stratifiedFolds(
    all.map(({ label }) => label),
    folds,
    seed,
  );
  const probabilities = new Float32Array(all.length * labels.length);
  // The caller asked for a search, so an abort reports the search, not one of its trainings.
  const stopped = (error: unknown): never => {
    throwIfAborted(signal, WORK);
    throw error;
  };
  for (let part = 0; part < folds; part++) {
    onProgress?.({ fold: part, folds });
    const held = all.flatMap((_, row) => (fold[row] === part ? [row] : []));
    if (held.length === 0) continue;
    const train = all.filter((_, row) => fold[row] !== part);
    const model = await TextClassifier.train(train, {
      recurrent: false,
      seed,
      ...(threads === undefined ? {} : { threads }),
      ...(signal ? { signal } : {}),
    }).catch(stopped);
    try {
      const texts = held.map((row) => all[row]!.text);
      for (const [i, { classes }] of (await model.predictMany(texts, signal ? { signal } : {})).entries()) {
        for (const { label, probability } of classes)
          probabilities[held[i]! * labels.length + index.get(label)!] = probability;
        if (turns.due) await turns.next();
      }
    } catch (error) {
      stopped(error);
    } finally {
      model.close();
    }
  }
  onProgress?.({ fold: folds, folds });
  const issues = findLabelIssues(
    all.map(({ label }) => label),
    probabilities,
    { labels },
  );
  return issues.map(({ row, label, suggested, selfConfidence, suggestedProbability }) => {
    const { text, line } = all[row]!;
    return {
      row: row + 1,
      ...(line === undefined ? {} : { line }),
      ...(rows.fileOf && { file: fileOfRow(rows, row + 1) }),
      labels: [label],
      text: beginning(text),
      suggested,
      probability: selfConfidence,
      suggestedProbability,
    };
  });
}
