import { csvLine } from '../core/csvLine.js';
import { constraint } from '../core/errors.js';
import { TextClassifier } from '../models/classifier/classifier.js';
import type { Prediction } from '../models/classifier/prediction.js';
import { TRANSLATE, type Translation } from '../models/seq2seq/prediction.js';
import { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import type { AnswerFlags, AskedRow } from './answering.js';
import { givenOptions } from './flags.js';
import type { ModelOf } from './tasks.js';

/** Separators of several labels in a cell, the preferred first. */
const SEPARATORS = ['|', ';', ',', '\t'];

/** Digits after the point of a probability: more differ from machine to machine. */
const DIGITS = 6;

const rounded = (value: number) => Number(value.toFixed(DIGITS));

/** The columns of an answer, and its cells. */
interface AnswerColumns {
  names: readonly string[];
  cells(answer: object): unknown[];
}

/** `name`, `name_2`, `name_3` and so on, for each of several names. */
const numbered = (names: readonly string[], count: number) =>
  Array.from({ length: count }, (_, i) => names.map((name) => (i === 0 ? name : `${name}_${i + 1}`))).flat();

function classifierColumns(model: TextClassifier, { topK = 1, outOfScope }: AnswerFlags): AnswerColumns {
  const scope = outOfScope ? ['out_of_scope'] : [];
  const scopeOf = (answer: Prediction<string | null>) => (outOfScope ? [answer.outOfScope] : []);
  if (model.thresholds) {
    const given = model.columns?.labelSeparator;
    const free = SEPARATORS.find((each) => !model.labels.some((label) => label.includes(each)));
    const separator = given ?? free ?? SEPARATORS[0]!;
    return {
      names: ['predicted', 'probability', ...scope],
      cells(answer) {
        const prediction = answer as Prediction<string | null>;
        const { labels, classes } = prediction;
        const probabilities = new Map(classes.map(({ label, probability }) => [label, probability]));
        const shown = labels.map((label) => rounded(probabilities.get(label)!));
        return [labels.join(separator), shown.join(separator), ...scopeOf(prediction)];
      },
    };
  }
  const count = Math.min(topK, model.labels.length);
  return {
    names: [...numbered(['predicted', 'probability'], count), ...scope],
    cells(answer) {
      const prediction = answer as Prediction<string | null>;
      const { label, classes } = prediction;
      const cells = classes
        .slice(0, count)
        .flatMap((each, i) => [i === 0 ? label : each.label, rounded(each.probability)]);
      return [...cells, ...scopeOf(prediction)];
    },
  };
}

function pairColumns(flags: object): AnswerColumns {
  const { nBest = 1 } = givenOptions<{ nBest?: number }>(TRANSLATE, flags);
  return {
    names: numbered(['target', 'score'], nBest),
    cells(answer) {
      const { candidates } = answer as Translation;
      const cells = candidates.flatMap(({ text, score }) => [text, rounded(score)]);
      return Array.from({ length: 2 * nBest }, (_, i) => cells[i]);
    },
  };
}

/** A table of answers: kept columns, or the text and its place, and then the answer. */
export class AnswerTable {
  readonly #answer: AnswerColumns;
  readonly #delimiter: string;
  readonly #text: 'text' | 'source';
  readonly #keeps: readonly (string | number)[];
  #head: string[] | undefined;

  /**
   * @param keep - The columns that are carried over; without any, the table has text and line.
   * @throws ArgumentError for a model whose answers do not fit into cells.
   */
  constructor(model: ModelOf<'predict'>, flags: AnswerFlags, keep: readonly (string | number)[], delimiter: string) {
    if (!(model instanceof TextClassifier || model instanceof Seq2Seq))
      throw constraint(
        'out',
        'the answers of a tagger do not fit into the cells of a table; give --json, or --out with a file that ends in .jsonl',
      );
    this.#answer = model instanceof Seq2Seq ? pairColumns(flags) : classifierColumns(model, flags);
    this.#text = model instanceof Seq2Seq ? 'source' : 'text';
    this.#delimiter = delimiter;
    this.#keeps = keep;
  }

  /**
   * The line with the names of the columns.
   *
   * @param first - The first row; undefined if there is none.
   * @throws ArgumentError if a kept column has the name of another column.
   */
  head(first: AskedRow | undefined): string {
    const kept = first?.kept ? Object.keys(first.kept) : this.#keeps.map(String);
    const place = first?.line === undefined ? [] : ['line'];
    const own = this.#keeps.length > 0 ? kept : [...place, this.#text];
    const taken = own.find((name) => this.#answer.names.includes(name));
    if (taken !== undefined)
      throw constraint(
        'keep',
        `the answers have a column ${JSON.stringify(taken)} too; rename it in the file, or use --json`,
      );
    this.#head = own;
    return csvLine([...own, ...this.#answer.names], this.#delimiter);
  }

  /** The line of an answer; call {@link head} first. */
  line(row: AskedRow, answer: object): string {
    const text = 'text' in row ? row.text : row.tokens.join(' ');
    const values: Record<string, unknown> = {
      ...row.kept,
      ...(row.kept ? {} : { line: row.line, [this.#text]: text }),
    };
    const other = row.kept && this.#head!.find((name) => !Object.hasOwn(row.kept!, name));
    if (other !== undefined)
      throw constraint(
        'keep',
        `the kept columns have other names than in the first file, where one is ${JSON.stringify(other)}; give --keep by name`,
      );
    const own = this.#head!.map((name) => values[name]);
    return csvLine([...own, ...this.#answer.cells(answer)], this.#delimiter);
  }
}
