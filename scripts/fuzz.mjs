// Searches for inputs that readers do not stand: npm run fuzz -- [--seconds 60] [--seed N] [TARGET ...] Without targets
//   all of them, one after the other. Those in Rust (`fuzz/fuzz_targets`) need a nightly compiler and cargo-fuzz and
//   search by coverage; those in TypeScript (`fuzz/readers`) mutate the seeds, and continue from inputs that get
//   another answer than all before. Each input has at most 10 seconds and 256 MB (Rust: 2 GB for the process). An input
//   that is found stays in `fuzz/artifacts`; once fixed, it becomes a seed that a test reads from then on.
import { fork, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './native/addons.mjs';

const SECONDS_PER_INPUT = 10;
const fuzz = join(root, 'fuzz');
const inRust = readdirSync(join(fuzz, 'fuzz_targets')).map((name) => basename(name, '.rs'));
const inTypeScript = [
  'csv',
  'jsonLines',
  'fastText',
  'conll',
  'conllu',
  'spans',
  'tags',
  'parquet',
  'vectors',
  'model',
  'compressed',
];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const targets = positionals.length > 0 ? positionals : [...inTypeScript, ...inRust];
const unknown = targets.find((name) => !inRust.includes(name) && !inTypeScript.includes(name));
if (unknown !== undefined || !(Number(values.seconds) > 0)) {
  console.error(`npm run fuzz -- [--seconds N] [--seed N] [${[...inTypeScript, ...inRust].join(' | ')} ...]`);
  process.exit(2);
}

function rust(name) {
  const corpus = join(fuzz, 'corpus', name);
  mkdirSync(corpus, { recursive: true });
  const limits = [`-max_total_time=${values.seconds}`, `-timeout=${SECONDS_PER_INPUT}`, '-rss_limit_mb=2048'];
  const args = [
    '+nightly',
    'fuzz',
    'run',
    name,
    corpus,
    join(fuzz, 'seeds', name),
    '--',
    ...limits,
    '-print_final_stats=1',
  ];
  mkdirSync(join(fuzz, 'seeds', name), { recursive: true });
  const { status } = spawnSync('cargo', args, { cwd: fuzz, stdio: 'inherit' });
  return status === 0;
}

function typeScript(name) {
  const folder = mkdtempSync(join(tmpdir(), 'recurra-fuzz-'));
  const place = join(folder, 'input');
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  let last = { executions: 0, corpus: 0 };
  let heard = performance.now();
  return new Promise((resolve) => {
    const child = fork(join(fuzz, 'readers', 'child.mjs'), [name, values.seed, place], {
      execArgv: ['--max-old-space-size=512'],
      env: { ...process.env, TMPDIR: folder },
    });
    let why;
    const watch = setInterval(() => {
      // 64 inputs between two messages; what does not end takes many times as long.
      if (performance.now() - heard > SECONDS_PER_INPUT * 1000) {
        why = `an input took more than ${SECONDS_PER_INPUT} s`;
        child.kill('SIGKILL');
      } else if (seconds() > Number(values.seconds) && child.connected) child.send('end');
    }, 200);
    child.on('message', (message) => {
      last = message;
      heard = performance.now();
      why ??= message.fault;
    });
    child.on('close', (code, signal) => {
      clearInterval(watch);
      const well = code === 0 && why === undefined;
      const { executions, corpus } = last;
      console.log(
        `${name}: ${executions} executions in ${seconds().toFixed(0)} s, corpus ${corpus}, seed ${values.seed}`,
      );
      if (!well) {
        mkdirSync(join(fuzz, 'artifacts', name), { recursive: true });
        const found = join(fuzz, 'artifacts', name, `${values.seed}-${executions}`);
        writeFileSync(found, readFileSync(place));
        console.log(`${name}: FOUND ${found}\n${why ?? `the process ended with ${signal ?? code}`}`);
      }
      rmSync(folder, { recursive: true, force: true });
      resolve(well);
    });
  });
}

let well = true;
for (const name of targets) {
  well = (inTypeScript.includes(name) ? await typeScript(name) : rust(name)) && well;
}
process.exitCode = well ? 0 : 1;
