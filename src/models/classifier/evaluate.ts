import { callback, choice, number, signal } from '../../core/options/kinds.js';
import { option, type TableOf } from '../../core/options/table.js';
import { Turns } from '../../core/turns.js';
import { fileOfRow, type GivenRow, noRows, type Rows } from '../../data/readers/rows.js';
import { encodeDataset } from '../../data/sets/encode.js';
import type { EncodedDataset } from '../../data/sets/encoded.js';
import { type Evaluation, Measurer } from '../../measures/evaluation.js';
import { MultiLabelMeasurer } from '../../measures/multiLabelEvaluation.js';
import { Blocks, rowsPerBlock } from '../blocks.js';
import type { OnUnknownLabel } from '../unknownLabels.js';
import { type Predictor, predictRows } from './prediction.js';
import { PRECISION } from './predictOptions.js';
import { UnknownLabels } from './unknownLabels.js';

/** A measured row, as passed to {@link EvaluationOptions.onPrediction}. */
export interface EvaluatedRow {
  /** The text. */
  text: string;
  /** Its correct label; for a `multiLabel` model, an array. */
  label: string | string[];
  /** The most probable label; for a `multiLabel` model, an array of the assigned labels. */
  predicted: string | string[];
  /** Probability of `predicted`, from 0 to 1; for a `multiLabel` model, an array, one for each. */
  probability: number | number[];
  /** Whether `predict` gives the label with the options `minProbability` and `precision`; undefined without them. */
  sure?: boolean | undefined;
  /** Line of the file where the row begins, if it comes from a file. */
  line?: number | undefined;
  /** The file, if the rows come from several. */
  file?: string | undefined;
}

/**
 * A measured row, with everything computed for it.
 *
 * @internal
 */
export interface MeasuredRow extends EvaluatedRow {
  /** The row as given. */
  given: GivenRow;
  /** Probability of each label of the model; valid during the call. */
  probabilities: Float32Array;
  /** Tokens that the model read. */
  tokens: number;
  /** How many of them are in the vocabulary. */
  knownTokens: number;
}

/** Options of {@link TextClassifier.evaluate}. */
export interface EvaluationOptions {
  /**
   * What to do with a label that the model does not have: throw an error that lists all of them with their row counts,
   * or with `'wrong'` count them as wrong. They are then labels of the result with probability 0 in every row. Default
   * `'error'`.
   */
  unknownLabels?: OnUnknownLabel | undefined;
  /**
   * Also counts the rows that keep their label with this {@link Caution.minProbability}, and how many of them are right:
   * {@link ExclusiveEvaluation.sure}. All other figures are of all rows. Not for a `multiLabel` model. Default: none.
   */
  minProbability?: number | undefined;
  /**
   * The same with the threshold that reached this {@link Caution.precision} on the validation rows of the training. Of
   * both options the stricter one holds. Default: none.
   */
  precision?: number | undefined;
  /** Stops the work with an error of code `ABORTED`. */
  signal?: AbortSignal | undefined;
  /** Called with the number of rows measured so far, after each few thousand. */
  onProgress?: ((progress: { rows: number }) => void) | undefined;
  /**
   * Called for each row, in their order. A returned promise is awaited, so that a slow writer slows down the evaluation
   * instead of filling memory.
   */
  onPrediction?: ((row: EvaluatedRow) => void | Promise<void>) | undefined;
}

/** The table of {@link EvaluationOptions}. */
export const EVALUATION = {
  unknownLabels: option(choice(['error', 'wrong'] as const), {
    default: 'error',
    flag: '<what>',
    help: 'what to do with labels that the model does not have: an error that lists all of them, or count them as wrong',
  }),
  minProbability: option(number({ from: 0, to: 1 }), {
    defaultText: 'none',
    flag: '<share>',
    help: 'also measure what keeps its label if a less probable label is not given',
    flagHelp: 'of a classifier: also measure what keeps its label if a less probable label is not given',
  }),
  precision: option(PRECISION, {
    defaultText: 'none',
    flag: '<share>',
    help: 'the same with the threshold that reached this precision on the validation rows of the training',
    flagHelp:
      'of a classifier: also measure what keeps its label with the threshold that reached this precision on validation',
  }),
  signal: option(signal, { help: 'stops the work when it is aborted' }),
  onProgress: option(callback<(progress: { rows: number }) => void>(), {
    help: 'called with the number of rows measured so far',
  }),
  onPrediction: option(callback<(row: EvaluatedRow) => void | Promise<void>>(), { help: 'called for each row' }),
} as const satisfies TableOf<EvaluationOptions>;

/** Measures rows of the model's kind: one label each, or any number. */
interface RowMeasurer {
  /** Counts a row and returns the model's answer; `unknown` are labels that the model does not have. */
  add(
    probabilities: Float32Array,
    truth: Int32Array,
    unknown: readonly string[],
  ): Pick<EvaluatedRow, 'label' | 'predicted' | 'probability' | 'sure'>;
  finish(turns: Turns): Promise<Evaluation>;
}

function measurerOf({ labels, thresholds }: Predictor, least: number | undefined): RowMeasurer {
  const measurer = thresholds ? new MultiLabelMeasurer(labels, thresholds) : new Measurer(labels, least);
  const extended = new Map<string, number>();
  const indexOf = (label: string): number => {
    let index = extended.get(label);
    if (index === undefined) {
      index = measurer.extend(label);
      extended.set(label, index);
    }
    return index;
  };
  if (measurer instanceof Measurer) {
    return {
      add: (probabilities, [truth], [unknown]) => {
        const best = measurer.add(probabilities, unknown === undefined ? truth! : indexOf(unknown));
        const probability = probabilities[best]!;
        const sure = least === undefined ? {} : { sure: probability >= least };
        return { label: unknown ?? labels[truth!]!, predicted: labels[best]!, probability, ...sure };
      },
      finish: async () => measurer.finish(),
    };
  }
  return {
    add: (probabilities, truth, unknown) => {
      const more = [...new Set(unknown)].map(indexOf).sort((x, y) => x - y);
      const given = measurer.add(probabilities, more.length > 0 ? Int32Array.of(...truth, ...more) : truth);
      return {
        label: [...Array.from(truth, (index) => labels[index]!), ...new Set(unknown)],
        predicted: given.map((index) => labels[index]!),
        probability: given.map((index) => probabilities[index]!),
      };
    },
    finish: (turns) => turns.run(measurer.finish()),
  };
}

/** Some rows as numbers. */
interface ReadBlock {
  dataset: EncodedDataset;
  /** The rows themselves, if needed. */
  kept: GivenRow[] | undefined;
  /** The labels of each row that the model does not have. */
  unknownOf: string[][];
}

/**
 * Measures a model on rows in blocks of some thousands, fewer with thousands of labels. Memory does not grow with the
 * number of rows, except for `multiLabel` models, whose ranking needs 4 bytes per row and label.
 *
 * @internal
 */
export async function evaluateRows(
  predictor: Predictor,
  rows: Rows,
  { signal, onProgress, onPrediction, unknownLabels, minProbability: least }: Omit<EvaluationOptions, 'precision'>,
  onMeasured?: (row: MeasuredRow) => void,
): Promise<Evaluation> {
  const { engine, labels, vocab, tokenizer, refiner } = predictor;
  const multiLabel = predictor.thresholds !== undefined;
  const blocks = new Blocks<GivenRow>(rows, '{ text, label }', rowsPerBlock(labels.length));
  const measurer = measurerOf(predictor, least);
  const turns = new Turns(signal, undefined, 'the evaluation');
  const unknown = new UnknownLabels(labels, multiLabel, unknownLabels === 'wrong');
  const read = async (): Promise<ReadBlock> => {
    const kept: GivenRow[] | undefined = onPrediction || onMeasured || refiner ? [] : undefined;
    const unknownOf: string[][] = [];
    const rowsBefore = blocks.rows;
    const options = { tokenizer, vocab, classes: labels, multiLabel, rowsBefore, signal };
    const block = unknown.passed(blocks.next(kept), unknownOf);
    return { dataset: await encodeDataset(block, options), kept, unknownOf };
  };
  let measured = 0;
  try {
    let pending: ReturnType<typeof read> | undefined = read();
    while (pending) {
      const { dataset, kept, unknownOf }: ReadBlock = await pending;
      if (unknown.ends) {
        // Scan the rest, so that the error lists all unknown labels.
        for (; !blocks.ended; await turns.next()) for await (const row of blocks.next(undefined)) unknown.see(row);
        throw unknown.error(rows);
      }
      // Read the next rows while the engine computes these; an error in them is thrown when they are awaited.
      pending = blocks.ended ? undefined : read();
      pending?.catch(() => {});
      const engines = await predictRows(engine, dataset.tokens, dataset.lengths(), labels.length);
      const texts = refiner && kept!.map(({ text }) => text);
      const probabilities = texts && texts.length > 0 ? await refiner!.later(texts, engines) : engines;
      for (let row = 0; row < dataset.length; row++) {
        const distribution = probabilities.subarray(row * labels.length, (row + 1) * labels.length);
        const given = measurer.add(distribution, dataset.labelsOf(row), unknownOf[row]!);
        if (kept && onMeasured) {
          const { text, line } = kept[row]!;
          const ids = dataset.tokens.subarray(dataset.offsets[row], dataset.offsets[row + 1]);
          const knownTokens = ids.reduce((count, id) => count + (id === vocab.defaultIndex ? 0 : 1), 0);
          const counts = { tokens: ids.length, knownTokens };
          onMeasured({ text, ...given, line, given: kept[row]!, probabilities: distribution, ...counts });
        }
        if (kept && onPrediction) {
          const { text, line } = kept[row]!;
          const file = rows.fileOf && { file: fileOfRow(rows, measured + row + 1) };
          const told = onPrediction({ text, ...given, line, ...file });
          if (told) await told;
        }
        if (turns.due) await turns.next();
      }
      measured += dataset.length;
      if (dataset.length > 0) onProgress?.({ rows: measured });
    }
    if (measured === 0) throw noRows('there are no rows to evaluate', rows);
    return await measurer.finish(turns);
  } finally {
    await blocks.close();
  }
}
