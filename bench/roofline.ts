/**
 * What this machine can do, and how much of it each kernel reaches: `npm run bench -- roofline [--json FILE]`, three minutes on a quiet
 * machine after the benches are built. `node --import tsx scripts/docs/roofline.ts` writes its tables into docs/benchmarks.md.
 */
import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withBounds } from './roofline/bound.js';
import { rooflineTables } from './roofline/report.js';
import type { Measured, MeasuredSet, Roofline } from './roofline/types.js';

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs the bench `roofline` of a crate. */
function cargo<T>(crate: string, options: readonly string[], parts: readonly string[], isa?: string): T {
  process.stderr.write(`${crate} ${isa ?? ''} ${parts.join(' ')}\n`);
  const args = ['bench', '-q', '-p', crate, ...options, '--bench', 'roofline', '--', ...parts];
  const env = { ...process.env, ...(isa === undefined ? {} : { RECURRA_ISA: isa }) };
  const { status, stdout, error } = spawnSync('cargo', args, {
    cwd: root,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw error ?? new Error(`cargo ${args.join(' ')} ended with code ${status}`);
  return JSON.parse(stdout) as T;
}

const kernels = (parts: readonly string[], isa?: string) =>
  cargo<MeasuredSet>('recurra-kernels', ['--features', 'phases'], parts, isa);

const busy = loadavg()[0]! > availableParallelism() / 4;
if (busy) process.stderr.write('Other programs are running: the figures are worth little.\n');
const best = kernels([], process.env.RECURRA_ISA);
for (const crate of ['recurra-linear', 'recurra-vectors'])
  best.kernels.push(...cargo<{ kernels: Measured[] }>(crate, [], []).kernels);
const sets = [best];
// A processor with AVX-512 has AVX2 as well; without FMA only the rates are of interest.
if (best.isa === 'avx512') sets.push(kernels([], 'avx2'));
if (best.isa !== 'portable') sets.push({ ...kernels(['peak', 'memory'], 'portable'), kernels: [] });

const result: Roofline = {
  processor: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  date: new Date().toISOString(),
  busy,
  sets: sets.map((set) => ({ isa: set.isa, peaks: set.peaks, memory: set.memory, rows: withBounds(set) })),
};
console.log(rooflineTables(result));
for (const { share, threads } of best.peaks)
  if (share !== null && share < 0.9) {
    console.error(
      `The peak's loop reaches ${Math.round(100 * share)} % of the processor's rate on ${threads} threads: it does not count.`,
    );
    process.exitCode = 1;
  }
if (values.json !== undefined) {
  writeFileSync(`${values.json}.new`, `${JSON.stringify(result, null, 2)}\n`);
  renameSync(`${values.json}.new`, values.json);
}
