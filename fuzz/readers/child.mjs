// Fuzzes one reader in a separate process, until it is told to end: `child.mjs TARGET SEED INPUT`. Before each input
// the parent could lose this process, so the input is written to the file INPUT first.
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as library from '../../dist/index.js';
import { mutate, numbers } from './mutate.mjs';
import { seedsOf } from './seeds.mjs';
import { readerTargets } from './targets.mjs';

/** An input of at most 64 KiB for which a reader takes more than this is a finding. */
const LIMIT_MB = 256;
const [name, seed, place] = process.argv.slice(2);
const run = readerTargets(library, join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'models'))[name];
const below = numbers(Number(seed));
const corpus = seedsOf(name);
const seen = new Set();
const file = openSync(place, 'w');
let executions = 0;
let ended = false;
let peak = process.resourceUsage().maxRSS;
process.on('message', () => {
  ended = true;
});

async function execute(bytes) {
  ftruncateSync(file);
  writeSync(file, bytes, 0, bytes.length, 0);
  // A message for each input would take longer than most readers do.
  if (executions % 64 === 0) process.send({ executions, corpus: corpus.length });
  const outcome = await run(bytes);
  executions++;
  const now = process.resourceUsage().maxRSS;
  if (now - peak > LIMIT_MB * 1024) throw new Error(`memory grew by ${Math.round((now - peak) / 1024)} MB`);
  peak = now;
  return outcome;
}

try {
  for (const bytes of [...corpus]) seen.add(await execute(bytes));
  while (!ended) {
    const bytes = mutate(corpus, below);
    const outcome = await execute(bytes);
    // A new kind of answer is worth continuing from.
    if (!seen.has(outcome) && seen.size < 4096) {
      seen.add(outcome);
      corpus.push(bytes);
    }
    if (executions % 64 === 0) await new Promise(setImmediate);
  }
  process.send({ executions, corpus: corpus.length });
} catch (error) {
  process.send({ executions, corpus: corpus.length, fault: String(error?.stack ?? error) });
  process.exitCode = 1;
} finally {
  closeSync(file);
  process.disconnect();
}
