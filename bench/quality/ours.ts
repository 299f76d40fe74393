/**
 * One training of recurra in its own process, as `theirs.py` has it for the others: `ours.ts JSON`, where JSON is a
 * {@link Work}. It writes a line of JSON to standard output.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LabelledText, readJsonLines, TextClassifier, type TrainOptions } from 'recurra';
import type { Figures } from './results.js';

/** What is to be trained. */
export interface Work {
  /** Rows as JSON lines. */
  train: string;
  test: string;
  options: TrainOptions;
  /** Whether the rows to train on are read as the training goes, instead of before its clock runs. */
  streamed?: boolean;
}

function rowsOf(path: string): LabelledText[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LabelledText);
}

const { train, test, options, streamed } = JSON.parse(process.argv[2]!) as Work;
const rows = streamed ? readJsonLines(train, { text: 'text', label: 'label' }) : rowsOf(train);
const others = rowsOf(test);
const texts = others.map(({ text }) => text);
const folder = mkdtempSync(join(tmpdir(), 'recurra-quality-'));
try {
  const before = process.cpuUsage();
  const begun = performance.now();
  const model = await TextClassifier.train(rows, options);
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  const megabytes = process.resourceUsage().maxRSS / 1024;
  const file = join(folder, 'model.safetensors');
  await model.save(file);
  const evaluation = await model.evaluate(others);
  if (evaluation.multiLabel) throw new Error('every row has one label');
  const answering = performance.now();
  await model.predictMany(texts, { topK: 1 });
  const microseconds = (1000 * (performance.now() - answering)) / texts.length;
  const figures: Figures = {
    accuracy: evaluation.accuracy,
    macroF1: evaluation.macroAverage.f1,
    logLoss: evaluation.logLoss,
    calibration: evaluation.calibration.error,
    seconds,
    microseconds,
    bytes: statSync(file).size,
    processorSeconds: (user + system) / 1e6,
    megabytes,
  };
  console.log(JSON.stringify(figures));
  await model.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
