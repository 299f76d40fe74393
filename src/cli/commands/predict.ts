import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { TextClassifier } from '../../classifier/classifier.js';
import type { Prediction } from '../../classifier/prediction.js';
import { DataError } from '../../errors.js';
import { EXIT, jsonLine, note } from '../output.js';

/** Flags of `recurra predict`. */
export interface PredictFlags {
  file?: string;
  topK: number;
  json?: boolean;
}

/** Lines are predicted in blocks: large enough to be fast, small enough to keep memory flat and answer as they come. */
const BLOCK = 1_024;

async function* linesOf(file: string | undefined): AsyncGenerator<string> {
  const input = file === undefined ? process.stdin : createReadStream(file);
  const opened =
    file === undefined
      ? undefined
      : new Promise<void>((resolve, reject) => input.once('open', () => resolve()).once('error', reject));
  try {
    await opened;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new DataError(missing ? 'FILE_NOT_FOUND' : 'IO', (error as Error).message, { file });
  }
  if (file === undefined && process.stdin.isTTY) note('recurra: one text per line, Ctrl-D ends');
  yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
}

function show(text: string, prediction: Prediction, json: boolean): void {
  if (json) {
    jsonLine({ event: 'prediction', text, ...prediction });
    return;
  }
  const classes = prediction.classes.map(({ label, probability }) => `${label} ${(100 * probability).toFixed(1)} %`);
  const unknown =
    prediction.knownTokens === 0 ? '   (no known word: the distribution says nothing about this text)' : '';
  process.stdout.write(`${classes.join('  ')}\t${text}${unknown}\n`);
}

/** `recurra predict`: labels texts from the arguments, a file, or standard input. */
export async function predictCommand(modelFile: string, texts: string[], flags: PredictFlags): Promise<number> {
  const model = await TextClassifier.load(modelFile);
  const options = { topK: Math.min(flags.topK, model.labels.length) };
  const source: AsyncIterable<string> | Iterable<string> =
    texts.length > 0 && flags.file === undefined ? texts : linesOf(flags.file);
  let block: string[] = [];
  const flush = async () => {
    const predictions = await model.predictMany(block, options);
    for (const [index, prediction] of predictions.entries()) show(block[index]!, prediction, flags.json === true);
    block = [];
  };
  const interactive = flags.file === undefined && texts.length === 0 && process.stdin.isTTY;
  for await (const text of source) {
    block.push(text);
    if (interactive || block.length === BLOCK) await flush();
  }
  if (block.length > 0) await flush();
  return EXIT.ok;
}
