import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { COLUMNS, COMMAND, SMALL, trainedModel } from '../support/cli.js';

const { folder, csv, model } = trainedModel();

/** Runs a line of the shell, where `R` is the command line; returns the exit codes of its pipe and standard error. */
function shell(line: string) {
  const script = `R() { '${process.execPath}' ${COMMAND.join(' ')} "$@"; }; ${line}; echo "\${PIPESTATUS[*]}"`;
  const run = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  return { codes: run.stdout.trim().split('\n').at(-1), err: run.stderr };
}

describe('a reader that goes away', () => {
  it('ends a prediction, quietly, with the exit code that SIGPIPE gives', () => {
    expect(shell(`yes 'a cat' | R predict '${model}' | head -1`)).toEqual({ codes: '141 141 0', err: '' });
    expect(shell(`R evaluate '${model}' '${csv}' ${COLUMNS.join(' ')} | true`)).toEqual({ codes: '141 0', err: '' });
  });

  it('does not end a training, which saves its model', () => {
    const out = join(folder, 'unread');
    const { codes } = shell(`R train '${csv}' ${[...COLUMNS, ...SMALL].join(' ')} --json --out '${out}' 2>&1 | true`);
    expect([codes, existsSync(out)]).toEqual(['0 0', true]);
  });

  it('is no failure of a command that has written its file', () => {
    for (const command of [
      `compress '${model}' --bits 8 --out`,
      `export '${model}' --to vec --out`,
      `report '${model}' '${csv}' ${COLUMNS.join(' ')} --out`,
      `card '${model}' --out`,
    ]) {
      const out = join(folder, `unread-${command.split(' ')[0]}`);
      const { codes, err } = shell(`R ${command} '${out}' | true`);
      expect([codes, err, existsSync(out)], command).toEqual(['0 0', '', true]);
    }
    expect(shell(`R card '${model}' | true`)).toEqual({ codes: '141 0', err: '' });
  });

  it('does not end a server', async () => {
    const child = spawn(process.execPath, [...COMMAND, 'serve', model, '--port', '0', '--json']);
    const ended = once(child, 'exit');
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { url } = JSON.parse(line) as { url: string };
    child.stdout.destroy();
    child.stderr.destroy();
    for (let i = 0; i < 3; i++) expect((await fetch(`${url}/health`)).status).toBe(200);
    child.kill('SIGHUP');
    expect(await ended).toEqual([0, null]);
  });
});

describe.runIf(existsSync('/dev/full'))('standard output that cannot be written', () => {
  it.each([
    `predict '${model}' 'a cat'`,
    `evaluate '${model}' '${csv}' ${COLUMNS.join(' ')}`,
    `explain '${model}' 'a cat'`,
    'doctor',
  ])('is an error: %s', (command) => {
    const { codes, err } = shell(`R ${command} > /dev/full`);
    expect(codes).toBe('1');
    expect(err).toMatch(/^recurra: standard output cannot be written: ENOSPC.* \[IO\]\n$/);
  });
});

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s saves what a training has learned', async (signal) => {
  const out = join(folder, 'stopped');
  rmSync(out, { force: true });
  const args = ['train', csv, ...COLUMNS, ...SMALL, '--epochs', '100000', '--no-linear', '--out', out];
  const child = spawn(process.execPath, [...COMMAND, ...args]);
  const ended = once(child, 'exit');
  await once(child.stderr, 'data');
  child.kill(signal);
  expect(await ended).toEqual([130, null]);
  expect(existsSync(out)).toBe(true);
});
