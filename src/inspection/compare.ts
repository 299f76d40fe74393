import { constraint, invalidArgument } from '../core/errors.js';
import { checkNames, settingsOf } from '../core/options/table.js';
import type { Rows } from '../data/readers/rows.js';
import { type Comparison, comparisonOf } from '../measures/comparison.js';
import type { Evaluation } from '../measures/evaluation.js';
import { TextClassifier } from '../models/classifier/classifier.js';
import type { EvaluatedRow } from '../models/classifier/evaluate.js';
import { beginning, Finding, type Found, type RowShown } from './found.js';
import { COMPARE, type CompareOptions } from './options.js';

/** A row that two models label differently. */
export interface DifferingRow extends RowShown {
  /** The first model's labels. */
  first: readonly string[];
  /** The second model's labels. */
  second: readonly string[];
}

/** Result of {@link compareModels}. */
export interface ModelComparison extends Comparison {
  /** All measures of the first model. */
  first: Evaluation;
  /** All measures of the second model. */
  second: Evaluation;
  /** Rows that only the first model labels correctly. */
  lost: Found<DifferingRow>;
  /** Rows that only the second model labels correctly. */
  gained: Found<DifferingRow>;
}

const namesOf = (labels: string | string[]): readonly string[] => (typeof labels === 'string' ? [labels] : labels);

/** Labels as one string, independent of their order. */
const keyOf = (labels: string | string[]): string => JSON.stringify([...namesOf(labels)].sort());

/** Numbers for a small set of strings. */
class Interned {
  readonly #ids = new Map<string, number>();
  readonly #names: string[] = [];

  idOf(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    this.#ids.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }

  labels(id: number): readonly string[] {
    return JSON.parse(this.#names[id]!) as string[];
  }
}

/**
 * Measures two classifiers on the same rows and reports how they differ: the rows that only one labels correctly, and
 * whether the difference could be chance. Rows are read twice; 4 bytes are kept for each. A row with several labels is
 * correct if all of its labels are.
 *
 * @param first - The model to compare with, such as the one in use.
 * @param second - The model that may be better.
 * @param rows - Rows with labels that can be read twice: an array, or a reader of a file.
 * @param options - See {@link CompareOptions}.
 * @throws {@link ArgumentError} for models of different kinds and rows that can be read only once, and the errors of
 * `evaluate`.
 *
 * @example
 * ```ts
 * const old = await TextClassifier.load('old.safetensors');
 * const rows = readCsv('test.csv', { text: 'text', label: 'queue' });
 * const { difference, interval, pValue, gained } = await compareModels(old, model, rows);
 * ```
 */
export async function compareModels(
  first: TextClassifier,
  second: TextClassifier,
  rows: Rows,
  options: CompareOptions = {},
): Promise<ModelComparison> {
  for (const [name, model] of [
    ['first', first],
    ['second', second],
  ] as const)
    if (!(model instanceof TextClassifier)) throw invalidArgument(name, 'a TextClassifier', model);
  checkNames('compareModels', options, COMPARE);
  const { examples, unknownLabels, signal } = settingsOf(COMPARE, options);
  if ((first.thresholds === undefined) !== (second.thresholds === undefined))
    throw constraint(
      'second',
      'one model gives each text exactly one label, the other any number; they cannot be compared',
    );
  const shared = { unknownLabels, ...(signal ? { signal } : {}) };
  const names = new Interned();
  const before: number[] = [];
  const evaluated = await first.evaluate(rows, {
    ...shared,
    onPrediction: ({ predicted }) => void before.push(names.idOf(keyOf(predicted))),
  });
  const cells = {
    both: 0,
    lost: new Finding<DifferingRow>(examples),
    gained: new Finding<DifferingRow>(examples),
    none: 0,
  };
  let row = 0;
  const onPrediction = ({ text, label, predicted, line }: EvaluatedRow) => {
    const own = before[row++];
    if (own === undefined) return;
    const [truth, other] = [names.idOf(keyOf(label)), names.idOf(keyOf(predicted))];
    const number = row;
    const shown = () => ({
      row: number,
      ...(line === undefined ? {} : { line }),
      labels: namesOf(label),
      text: beginning(text),
      first: names.labels(own),
      second: names.labels(other),
    });
    if (own === truth && other === truth) cells.both++;
    else if (own === truth) cells.lost.add(shown);
    else if (other === truth) cells.gained.add(shown);
    else cells.none++;
  };
  const again = await second.evaluate(rows, { ...shared, onPrediction }).catch((error: unknown) => {
    if (row === 0 && before.length > 0 && (error as { code?: string }).code === 'EMPTY_DATASET') return undefined;
    throw error;
  });
  if (!again || row !== before.length)
    throw constraint(
      'rows',
      `there were ${before.length} rows in the first reading and ${row} in the second; give an array or a file`,
    );
  const { both, lost, gained, none } = cells;
  return {
    ...comparisonOf(both, lost.found.rows, gained.found.rows, none),
    first: evaluated,
    second: again,
    lost: lost.found,
    gained: gained.found,
  };
}
