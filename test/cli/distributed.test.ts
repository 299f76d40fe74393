import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { COLUMNS, COMMAND, recurra, SMALL, trainedModel } from '../support/cli.js';
import { torchHalf } from '../support/halves.mjs';

const { folder, csv } = trainedModel();
const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const python = process.env.RECURRA_BENCH_PYTHON ?? join(cache, 'recurra/bench-python/bin/python');
/** The program of the PyTorch that the benchmarks install. */
const torchrun = join(dirname(python), 'torchrun');
const withTorchrun = torchHalf && existsSync(torchrun);
if (torchHalf && !withTorchrun) console.warn(`${torchrun} is not there: the test of torchrun is skipped`);

const training = (out: string, ...more: string[]) => [
  ...['train', csv, ...COLUMNS, ...SMALL, '--threads', '1', '--no-linear', '--distributed', '--json'],
  ...['--out', join(folder, out), ...more],
];
const bytes = (out: string) => readFileSync(join(folder, out)).toString('base64');
const command = [process.execPath, ...COMMAND];

describe.runIf(torchHalf)('recurra train --distributed', () => {
  it('learns the same bits under recurra launch, and under srun by its variables', async () => {
    const launched = recurra(['launch', '--nproc', '2', '--', ...command, ...training('launched')]);
    expect([launched.status, launched.err]).toEqual([0, expect.any(String)]);
    // Only rank 0 reports.
    expect(launched.json().filter(({ event }) => event === 'start' || event === 'end')).toMatchObject([
      { event: 'start', ranks: 2 },
      { event: 'end', ranks: 2, rows: 400 },
    ]);
    const job = { SLURM_JOB_ID: String(process.pid), SLURM_NTASKS: '2', SLURM_JOB_NODELIST: 'localhost' };
    const tasks = [0, 1].map((rank) => {
      const env = { ...process.env, ...job, SLURM_PROCID: String(rank), SLURM_LOCALID: String(rank) };
      return once(spawn(command[0]!, [...command.slice(1), ...training('slurm')], { env, stdio: 'ignore' }), 'exit');
    });
    expect(await Promise.all(tasks)).toEqual([
      [0, null],
      [0, null],
    ]);
    expect(bytes('slurm')).toBe(bytes('launched'));
  }, 60_000);

  it.runIf(withTorchrun)(
    'and under torchrun, with its own store',
    () => {
      const args = ['--standalone', '--no-python', '--nproc-per-node=2', ...command, ...training('torchrun')];
      const { status, stderr } = spawnSync(torchrun, args, { encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, expect.any(String)]);
      expect(bytes('torchrun')).toBe(bytes('launched'));
    },
    60_000,
  );

  it('resumes to the same bits when a rank was killed and launch starts all again', async () => {
    const more = ['--epochs', '40', '--checkpoint', join(folder, 'checkpoint'), '--checkpoint-every', '20', '--resume'];
    const whole = recurra(['launch', '--nproc', '2', '--', ...command, ...training('whole', '--epochs', '40')]);
    expect(whole.status).toBe(0);
    const args = ['launch', '--nproc', '2', '--max-restarts', '1', '--', ...command, ...training('restarted', ...more)];
    const child = spawn(process.execPath, [...COMMAND, ...args]);
    const ended = once(child, 'exit');
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    let killed = false;
    for await (const line of createInterface({ input: child.stdout })) {
      if (killed || JSON.parse(line).event !== 'checkpoint') continue;
      killed = true;
      const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
      process.kill(Number(children[1]), 'SIGKILL');
    }
    expect([await ended, killed]).toEqual([[0, null], true]);
    expect(err).toMatch(/rank 1 of 2 ended with SIGKILL; restart 1 of 1/);
    expect(bytes('restarted')).toBe(bytes('whole'));
  }, 60_000);
});
