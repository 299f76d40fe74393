/**
 * Trains one of the networks of the PyTorch lesson on recurrent networks (Microsoft Learn, "Introduction to natural language
 * processing with PyTorch") on AG News, printing what the lesson prints, and measures it on the test set, which the lesson does not.
 *
 *   npm run lesson -- rnn|lstm|lstm-packed|gru [--data DIR] [--seed N] [--rows N] [--epochs N]
 *
 * The last line is one JSON object: model, seed, rows, lossPerSample, trainAccuracy, testAccuracy, seconds.
 */
import { parseArgs } from 'node:util';
import { RecurraError } from 'recurra';
import { defaultRoot, loadLessonData } from './data.js';
import { MODELS } from './models.js';
import { runLesson } from './train.js';

const USAGE = `usage: npm run lesson -- ${Object.keys(MODELS).join('|')} [--data DIR] [--seed N] [--rows N] [--epochs N]`;

/** A command line that cannot be understood. */
class UsageError extends Error {}

function readArguments() {
  const options = {
    data: { type: 'string' },
    seed: { type: 'string' },
    rows: { type: 'string' },
    epochs: { type: 'string' },
  } as const;
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`--${name} must be a whole number of at least ${least}, not ${JSON.stringify(text)}`);
  }
  return value;
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  const [name, ...more] = positionals;
  const model = name !== undefined && Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
  if (model === undefined || more.length > 0) {
    throw new UsageError(
      `expected one of ${Object.keys(MODELS).join(', ')}, not ${JSON.stringify(positionals.join(' '))}`,
    );
  }
  const seed = wholeNumber('seed', values.seed ?? '0', 0);
  const epochs = wholeNumber('epochs', values.epochs ?? '1', 1);
  const rows = values.rows === undefined ? undefined : wholeNumber('rows', values.rows, 1);

  console.log('Loading dataset...');
  const data = await loadLessonData(values.data ?? defaultRoot(), rows);
  console.log(`Vocab size = ${data.vocab.size}`);
  const result = await runLesson(model, data, {
    seed,
    epochs,
    onProgress: (count, accuracy) => console.log(`${count}: acc=${accuracy}`),
  });
  const { lossPerSample, trainAccuracy, testAccuracy, seconds } = result;
  console.log(`(${lossPerSample}, ${trainAccuracy})`);
  console.log(`test accuracy ${testAccuracy.toFixed(4)} on ${data.test.length} rows`);
  console.log(
    JSON.stringify({ model: name, seed, rows: result.rows, lossPerSample, trainAccuracy, testAccuracy, seconds }),
  );
}

try {
  await main();
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n${USAGE}`);
    process.exitCode = 2;
  } else if (error instanceof RecurraError) {
    console.error(error.message);
    process.exitCode = 1;
  } else throw error;
}
