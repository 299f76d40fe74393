import { TextClassifier } from '../../classifier/classifier.js';
import { formatConfusionMatrix } from '../../classifier/confusion.js';
import { readCsv } from '../../data/csv.js';
import { EXIT, jsonLine, percent } from '../output.js';
import { type TableFlags, tableOptions } from '../table.js';

/** Flags of `recurra evaluate`. */
export interface EvaluateFlags extends TableFlags {
  json?: boolean;
}

/** `recurra evaluate`: measures a model on labelled rows. */
export async function evaluateCommand(modelFile: string, file: string, flags: EvaluateFlags): Promise<number> {
  const model = await TextClassifier.load(modelFile);
  const evaluation = await model.evaluate(readCsv(file, tableOptions(flags)));
  if (flags.json) {
    jsonLine({ event: 'end', model: modelFile, ...evaluation });
  } else {
    process.stdout.write(`${formatConfusionMatrix(evaluation)}\n`);
    process.stdout.write(
      `${evaluation.rows} rows, loss ${evaluation.loss.toFixed(4)}, accuracy ${percent(evaluation.accuracy)}\n`,
    );
  }
  return EXIT.ok;
}
