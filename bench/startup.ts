/**
 * What a fresh process pays: `import 'recurra'`, loading a saved model of 95,000 words, its first prediction, and the memory
 * that it then has. Measured on the published build (packed first), with and without what Node itself takes; medians of
 * several processes.
 *
 *     npm run bench -- startup [--runs 11] [--words 95000] [--json]
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packAll } from '../scripts/package/main.mjs';
import { TextClassifier } from '../src/index.js';

const LIMITS = { importMs: 30, firstPredictionMs: 300, memoryOverModelMb: 60 };
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '11' },
    words: { type: 'string', default: '95000' },
    json: { type: 'boolean', default: false },
  },
});
const top = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'recurra-startup-'));
const model = join(folder, 'model.safetensors');

/** The published files where a user has them; the dependencies are those of this clone. */
async function installed(): Promise<void> {
  const out = join(folder, 'packed');
  await packAll({ quick: true, light: true, out });
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  for (const name of ['recurra', 'recurra-linux-x64-gnu'])
    cpSync(join(out, 'stage', name), join(modules, name), { recursive: true });
  for (const name of ['cli-progress', 'commander', 'csv-parse', 'fzstd', 'string-width', 'emoji-regex', 'strip-ansi'])
    if (existsSync(join(top, 'node_modules', name))) symlinkSync(join(top, 'node_modules', name), join(modules, name));
}

async function saveModel(words: number): Promise<void> {
  // Each word once, in texts of 44 as AG News has them; what the model has learned does not matter to its speed.
  const rows = Array.from({ length: Math.ceil(words / 44) }, (_, i) => ({
    text: Array.from({ length: 44 }, (_, j) => `w${(i * 44 + j) % words}`).join(' '),
    label: ['world', 'sports', 'business', 'science'][i % 4]!,
  }));
  const trained = await TextClassifier.train(rows, {
    embeddingDim: 64,
    hiddenSize: 32,
    linear: false,
    adversarial: 0,
    epochs: 1,
    minFreq: 1,
    seed: 1,
  });
  await trained.save(model);
  trained.close?.();
}

const CHILD = `
const started = performance.now();
const bare = process.memoryUsage.rss();
const { TextClassifier } = await import('recurra');
const imported = performance.now();
const model = await TextClassifier.load(process.argv[2]);
const loaded = performance.now();
const text = Array.from({ length: 44 }, (_, i) => 'w' + i * 7).join(' ');
await model.predict(text);
const first = performance.now();
await model.predict(text);
const second = performance.now();
console.log(JSON.stringify({
  nodeMs: started, importMs: imported - started, loadMs: loaded - imported, predictMs: first - loaded, secondMs: second - first,
  bareMb: bare / 2 ** 20, residentMb: process.memoryUsage.rss() / 2 ** 20,
  libtorch: (await import('node:fs')).readFileSync('/proc/self/maps', 'utf8').includes('libtorch'),
}));
`;

interface Run {
  nodeMs: number;
  importMs: number;
  loadMs: number;
  predictMs: number;
  secondMs: number;
  bareMb: number;
  residentMb: number;
  libtorch: boolean;
}

const median = (list: number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;

try {
  await installed();
  await saveModel(Number(values.words));
  const script = join(folder, 'child.mjs');
  writeFileSync(script, CHILD);
  const runs: Run[] = Array.from({ length: Number(values.runs) }, () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [script, model], { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as Run;
  });
  const of = (name: Exclude<keyof Run, 'libtorch'>) => median(runs.map((run) => run[name]));
  const fileMb = statSync(model).size / 2 ** 20;
  const figures = {
    runs: runs.length,
    words: Number(values.words),
    nodeMs: of('nodeMs'),
    importMs: of('importMs'),
    loadMs: of('loadMs'),
    predictMs: of('predictMs'),
    secondPredictionMs: of('secondMs'),
    firstPredictionMs: median(runs.map((run) => run.importMs + run.loadMs + run.predictMs)),
    modelFileMb: fileMb,
    bareNodeMb: of('bareMb'),
    residentMb: of('residentMb'),
    memoryOverModelMb: of('residentMb') - fileMb,
    memoryOverModelAndNodeMb: of('residentMb') - fileMb - of('bareMb'),
    libtorchLoaded: runs.some((run) => run.libtorch),
  };
  if (values.json) console.log(JSON.stringify(figures));
  else {
    for (const [name, value] of Object.entries(figures))
      console.log(`${name.padEnd(26)} ${typeof value === 'number' ? value.toFixed(1) : value}`);
    for (const [name, limit] of Object.entries(LIMITS))
      console.log(`${name} below ${limit}: ${figures[name as keyof typeof LIMITS] < limit ? 'yes' : 'NO'}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
