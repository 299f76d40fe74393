import { callback, signal } from '../../core/options/kinds.js';
import { option, type TableOf } from '../../core/options/table.js';
import { Turns } from '../../core/turns.js';
import { type GivenRow, noRows, type Rows } from '../../data/readers/rows.js';
import { encodeDataset } from '../../data/sets/encode.js';
import type { EncodedDataset } from '../../data/sets/encoded.js';
import { type Evaluation, Measurer } from '../../measures/evaluation.js';
import { MultiLabelMeasurer } from '../../measures/multiLabelEvaluation.js';
import { Blocks, rowsPerBlock } from '../blocks.js';
import { type Predictor, predictRows } from './prediction.js';

/** A row that was measured, as {@link EvaluationOptions.onPrediction} sees it. */
export interface EvaluatedRow {
  /** The text. */
  text: string;
  /** Its right label; with a `multiLabel` model an array of them. */
  label: string | string[];
  /** The label that the model finds most probable; with a `multiLabel` model an array of those that it gives. */
  predicted: string | string[];
  /** Probability of `predicted`, from 0 to 1; with a `multiLabel` model an array, one for each. */
  probability: number | number[];
  /** Line of the file where the row begins, if it comes from a file. */
  line?: number | undefined;
}

/** Options of {@link TextClassifier.evaluate}. */
export interface EvaluationOptions {
  /** Ends the work with an error of code `ABORTED`. */
  signal?: AbortSignal | undefined;
  /** Called with the number of rows measured so far, after each few thousand. */
  onProgress?: ((progress: { rows: number }) => void) | undefined;
  /**
   * Called for each row, in their order. What it returns is awaited if it is a promise, so that a slow writer slows the
   * measuring down instead of filling memory.
   */
  onPrediction?: ((row: EvaluatedRow) => void | Promise<void>) | undefined;
}

/** The table of {@link EvaluationOptions}. */
export const EVALUATION = {
  signal: option(signal, { help: 'stops the work when it is aborted' }),
  onProgress: option(callback<(progress: { rows: number }) => void>(), {
    help: 'called with the number of rows measured so far',
  }),
  onPrediction: option(callback<(row: EvaluatedRow) => void | Promise<void>>(), { help: 'called for each row' }),
} as const satisfies TableOf<EvaluationOptions>;

/** Measures rows of the model's kind: one label each, or any number. */
interface RowMeasurer {
  /** Counts a row and says what the model gave it. */
  add(probabilities: Float32Array, truth: Int32Array): Pick<EvaluatedRow, 'label' | 'predicted' | 'probability'>;
  finish(turns: Turns): Promise<Evaluation>;
}

function measurerOf({ labels, thresholds }: Predictor): RowMeasurer {
  if (!thresholds) {
    const measurer = new Measurer(labels);
    return {
      add: (probabilities, [truth]) => {
        const best = measurer.add(probabilities, truth!);
        return { label: labels[truth!]!, predicted: labels[best]!, probability: probabilities[best]! };
      },
      finish: async () => measurer.finish(),
    };
  }
  const measurer = new MultiLabelMeasurer(labels, thresholds);
  return {
    add: (probabilities, truth) => {
      const given = measurer.add(probabilities, truth);
      return {
        label: Array.from(truth, (index) => labels[index]!),
        predicted: given.map((index) => labels[index]!),
        probability: given.map((index) => probabilities[index]!),
      };
    },
    finish: (turns) => turns.run(measurer.finish()),
  };
}

/**
 * Measures a model on rows, some thousand at a time, fewer with thousands of labels. Memory does not grow with their number; that of a `multiLabel` model
 * does, by 4 bytes for each row and label, which a ranking needs.
 *
 * @internal
 */
export async function evaluateRows(
  predictor: Predictor,
  rows: Rows,
  { signal, onProgress, onPrediction }: EvaluationOptions,
): Promise<Evaluation> {
  const { engine, labels, vocab, tokenizer, refiner } = predictor;
  const multiLabel = predictor.thresholds !== undefined;
  const blocks = new Blocks<GivenRow>(rows, '{ text, label }', rowsPerBlock(labels.length));
  const measurer = measurerOf(predictor);
  const turns = new Turns(signal, undefined, 'the evaluation');
  const read = async (): Promise<{ dataset: EncodedDataset; kept: GivenRow[] | undefined }> => {
    const kept: GivenRow[] | undefined = onPrediction || refiner ? [] : undefined;
    const rowsBefore = blocks.rows;
    const options = { tokenizer, vocab, classes: labels, multiLabel, rowsBefore, signal };
    return { dataset: await encodeDataset(blocks.next(kept), options), kept };
  };
  let measured = 0;
  try {
    let pending: ReturnType<typeof read> | undefined = read();
    while (pending) {
      const { dataset, kept }: Awaited<ReturnType<typeof read>> = await pending;
      // The next rows are read while the engine computes these; a fault in them is met when they are awaited.
      pending = blocks.ended ? undefined : read();
      pending?.catch(() => {});
      const engines = await predictRows(engine, dataset.tokens, dataset.lengths(), labels.length);
      const texts = refiner && kept!.map(({ text }) => text);
      const probabilities = texts && texts.length > 0 ? await refiner!.later(texts, engines) : engines;
      for (let row = 0; row < dataset.length; row++) {
        const distribution = probabilities.subarray(row * labels.length, (row + 1) * labels.length);
        const given = measurer.add(distribution, dataset.labelsOf(row));
        if (kept && onPrediction) {
          const { text, line } = kept[row]!;
          const told = onPrediction({ text, ...given, line });
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
