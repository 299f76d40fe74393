// One rank of a training in several processes: trains, writes a line of JSON for everything that happens, and at last what became of it.
//   node rank.mjs MODEL TASK OPTIONS ROWS      the options as JSON, the rows in a file of JSON; with abortAt it aborts at that step
import { readFileSync, writeFileSync } from 'node:fs';
import { LanguageModel, Seq2Seq, TextClassifier, TextTagger } from '../../dist/index.js';

const [model, task, options, rows] = process.argv.slice(2);
const { abortAt = Number.POSITIVE_INFINITY, ...given } = JSON.parse(options);
const tasks = { classify: TextClassifier, tag: TextTagger, language: LanguageModel, seq2seq: Seq2Seq };
const abort = new AbortController();
const write = (line) => writeFileSync(1, `${JSON.stringify(line)}\n`);
try {
  const trained = await tasks[task].train(JSON.parse(readFileSync(rows, 'utf8')), {
    ...given,
    signal: abort.signal,
    onEvent(event) {
      const { type, step, ranks, rank } = event;
      write({ type, step, ranks, rank });
      if (type === 'step' && step >= abortAt) abort.abort();
    },
  });
  await trained.save(model);
  write({ type: 'result', history: trained.history.map(({ loss, validation }) => [loss, validation?.loss ?? 0]) });
  await trained.close();
} catch (error) {
  const { name, code, rank, message } = error;
  write({ type: 'error', name, code, rank, message });
  process.exitCode = 1;
}
