import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { COMMAND, recurra } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();

/** A program of Node in a file: its first argument is a folder, `env` its environment, `rank` its rank. */
function program(name: string, body: string): string[] {
  const file = join(folder, `${name}.mjs`);
  const head = `import { writeFileSync, existsSync } from 'node:fs';
    const { env } = process; const at = process.argv[2]; const rank = env.RANK; const restart = env.TORCHELASTIC_RESTART_COUNT;\n`;
  writeFileSync(file, head + body);
  const at = join(folder, name);
  mkdirSync(at, { recursive: true });
  return ['--', process.execPath, file, at];
}

const notes = (name: string) => readdirSync(join(folder, name)).sort();

describe('recurra launch', () => {
  it('starts a command with the variables of torchrun, passes its output through, and has the input of one', () => {
    const names =
      'LOCAL_RANK WORLD_SIZE LOCAL_WORLD_SIZE MASTER_ADDR MASTER_PORT TORCHELASTIC_RUN_ID TORCHELASTIC_USE_AGENT_STORE';
    const args = program(
      'variables',
      `const seen = Object.fromEntries('${names}'.split(' ').map((name) => [name, env[name]]));
       let input = ''; for await (const chunk of process.stdin) input += chunk;
       writeFileSync(at + '/' + rank, JSON.stringify({ ...seen, input, args: process.argv.slice(3) }));
       console.log('out'); console.error('err');`,
    );
    const { status, out, err } = recurra(['launch', '--nproc', '3', ...args, '--json', '--', 'x'], 'typed');
    expect([status, out, err]).toEqual([0, 'out\nout\nout\n', 'err\nerr\nerr\n']);
    const seen = notes('variables').map((name) => JSON.parse(readFileSync(join(folder, 'variables', name), 'utf8')));
    expect(seen).toHaveLength(3);
    for (const [rank, each] of seen.entries())
      expect(each).toEqual({
        LOCAL_RANK: String(rank),
        WORLD_SIZE: '3',
        LOCAL_WORLD_SIZE: '3',
        MASTER_ADDR: '127.0.0.1',
        MASTER_PORT: expect.stringMatching(/^\d+$/),
        TORCHELASTIC_RUN_ID: seen[0].TORCHELASTIC_RUN_ID,
        input: rank === 0 ? 'typed' : '',
        args: ['--json', '--', 'x'],
      });
    expect(new Set(seen.map((each) => each.MASTER_PORT)).size).toBe(1);
  });

  it('ends all when one fails, with its exit code', () => {
    const args = program('failing', "if (rank === '1') process.exit(7); setInterval(() => {}, 1000);");
    const { status, err } = recurra(['launch', '--nproc', '2', ...args]);
    expect([status, err]).toEqual([7, 'recurra: rank 1 of 2 ended with exit code 7\n']);
    const killed = program('killed', "if (rank === '0') process.kill(process.pid, 'SIGKILL');");
    const ended = recurra(['launch', '--nproc', '2', ...killed]);
    expect([ended.status, ended.err]).toEqual([137, 'recurra: rank 0 of 2 ended with SIGKILL\n']);
  });

  it('starts all again as often as it may', () => {
    const args = program(
      'again',
      `writeFileSync(at + '/' + restart + '.' + rank, env.MASTER_PORT);
       if (rank === '1' && restart < 2) process.exit(3);`,
    );
    const { status, err } = recurra(['launch', '--nproc', '2', '--max-restarts', '2', ...args]);
    expect([status, err.trim().split('\n')]).toEqual([
      0,
      [1, 2].map((restart) => `recurra: rank 1 of 2 ended with exit code 3; restart ${restart} of 2`),
    ]);
    expect(notes('again')).toEqual(['0.0', '0.1', '1.0', '1.1', '2.0', '2.1']);
    expect(recurra(['launch', '--nproc', '2', '--max-restarts', '1', ...args]).status).toBe(3);
  });

  it.runIf(process.platform !== 'win32')('passes a signal on, once, and starts nothing after it', async () => {
    const args = program(
      'signalled',
      `let count = 0;
       process.on('SIGINT', () => { count++; setTimeout(() => process.exit(128 + count), 300); });
       writeFileSync(at + '/' + rank, ''); setInterval(() => {}, 1000);`,
    );
    // A terminal sends Ctrl-C to the whole group of processes, which the launched ones have left.
    const child = spawn(process.execPath, [...COMMAND, 'launch', '--nproc', '2', '--max-restarts', '5', ...args], {
      detached: true,
    });
    const ended = once(child, 'exit');
    while (!existsSync(join(folder, 'signalled/0')) || !existsSync(join(folder, 'signalled/1'))) await sleep(20);
    process.kill(-child.pid!, 'SIGINT');
    expect(await ended).toEqual([129, null]);
  });

  it.each([
    [['--nproc', '0', '--', 'x'], /an integer from 1 to 4096 for --nproc but received 0/],
    [['--nproc', '1', '--master-port', '70000', '--', 'x'], /from 1 to 65535 for --master-port but received 70000/],
    [['--nproc', '1', '--', '/no/such/program'], /\/no\/such\/program cannot be started: no such program/],
    [['--nproc', '1'], /missing required argument 'command'/],
  ])('refuses %j', (args, message) => {
    const { status, err } = recurra(['launch', ...args]);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });
});
