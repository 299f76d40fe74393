import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { holderOf, withLock } from '../../src/libtorch/lock.mjs';
import { scratch } from './wheels.js';

const lockModule = pathToFileURL(
  resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', 'src', 'libtorch', 'lock.mjs'),
).href;

let folder: string;
let remove: () => void;
let children: ChildProcess[] = [];
beforeEach(() => {
  ({ folder, remove } = scratch());
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  remove();
});

/** Another process that holds the lock while it runs `body`. */
function holder(lock: string, body: string) {
  const script = `
    import { appendFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { withLock } from '${lockModule}';
    const log = (text) => appendFileSync(${JSON.stringify(join(folder, 'log'))}, text + '\\n');
    await withLock(${JSON.stringify(lock)}, async () => { ${body} }, { onWait: ({ pid }) => log('waits ' + pid) });
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' });
  children.push(child);
  return { child, ended: new Promise((done) => child.on('close', done)) };
}

async function until(condition: () => boolean) {
  for (let i = 0; i < 400 && !condition(); i += 1) await sleep(25);
  expect(condition()).toBe(true);
}

const log = () => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '');

test('of six processes at once never two are inside', async () => {
  const lock = join(folder, 'below', 'lock');
  const body = `log('in'); await sleep(60); log('out');`;
  await Promise.all(Array.from({ length: 6 }, () => holder(lock, body).ended));
  const lines = log()
    .split('\n')
    .filter((line) => line === 'in' || line === 'out');
  expect(lines).toEqual(Array.from({ length: 6 }, () => ['in', 'out']).flat());
  expect(existsSync(lock)).toBe(false);
});

test('the second waits, says for whom, and goes on when the first has ended', async () => {
  const lock = join(folder, 'lock');
  const { child, ended } = holder(lock, `log('in'); await sleep(600); log('out');`);
  await until(() => log().includes('in'));
  let waitedFor: number | undefined;
  const seen = await withLock(lock, () => log(), {
    onWait: ({ pid }: { pid: number }) => {
      waitedFor = pid;
    },
  });
  expect(waitedFor).toBe(child.pid);
  expect(seen).toContain('out');
  await ended;
});

test('the lock of a process that was killed is taken over, by one of several at a time', async () => {
  const lock = join(folder, 'lock');
  const { child, ended } = holder(lock, `log('killed'); await sleep(60_000);`);
  await until(() => log().includes('killed'));
  child.kill('SIGKILL');
  await ended;
  expect(existsSync(lock)).toBe(true);
  expect(holderOf(lock).stale).toBe(true);
  const body = `log('in'); await sleep(40); log('out');`;
  await Promise.all(Array.from({ length: 4 }, () => holder(lock, body).ended));
  expect(log().replace(/killed\n|waits \d+\n/g, '')).toBe('in\nout\n'.repeat(4));
});

test('a process with the number of a dead one is not taken for it', () => {
  const lock = join(folder, 'lock');
  writeFileSync(lock, JSON.stringify({ pid: process.pid, host: hostname(), start: '1' }));
  expect(holderOf(lock).stale).toBe(process.platform === 'linux');
  writeFileSync(lock, JSON.stringify({ pid: process.pid, host: hostname() }));
  expect(holderOf(lock).stale).toBe(false);
});

test('a lock of another machine is respected while it is fresh', () => {
  const lock = join(folder, 'lock');
  writeFileSync(lock, JSON.stringify({ pid: 1, host: 'elsewhere.invalid' }));
  expect(holderOf(lock).stale).toBe(false);
});

test('the lock is given back when the work throws; a lock that cannot be made is an error, not a hang', async () => {
  const lock = join(folder, 'lock');
  const failing = withLock(lock, () => {
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(existsSync(lock)).toBe(false);
  writeFileSync(join(folder, 'file'), '');
  await expect(withLock(join(folder, 'file', 'lock'), () => {})).rejects.toThrow();
  mkdirSync(join(folder, 'later'));
  expect(await withLock(join(folder, 'later', 'lock'), () => 7)).toBe(7);
});
