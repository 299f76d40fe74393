import { TextClassifier } from '../../classifier/classifier.js';
import { formatConfusionMatrix } from '../../classifier/confusion.js';
import { EXIT, jsonLine, percent } from '../output.js';
import { noteSkipped, openRows, type RowFlags } from '../rows.js';

/** Flags of `recurra evaluate`. */
export interface EvaluateFlags extends RowFlags {
  json?: boolean;
}

/** `recurra evaluate`: measures a model on labelled rows. */
export async function evaluateCommand(modelFile: string, file: string, flags: EvaluateFlags): Promise<number> {
  const rows = openRows(file, flags);
  const model = await TextClassifier.load(modelFile);
  const evaluation = await model.evaluate(rows);
  noteSkipped(rows);
  if (flags.json) {
    jsonLine({ event: 'end', model: modelFile, ...evaluation, skipped: rows.skipped });
  } else {
    process.stdout.write(`${formatConfusionMatrix(evaluation)}\n`);
    process.stdout.write(
      `${evaluation.rows} rows, loss ${evaluation.loss.toFixed(4)}, accuracy ${percent(evaluation.accuracy)}\n`,
    );
  }
  return EXIT.ok;
}
