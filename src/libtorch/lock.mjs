// A lock between processes: a file that only one of them can create. It names its holder, so that the lock of a killed
// process is recognised and taken over.

import { linkSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The holder touches its lock this often, ms; one on another machine counts as dead after ten times that. */
const beat = 10_000;
const pollEvery = 250;

/** Start time of a process, in kernel ticks; distinguishes a process from a later one with the same id. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command, in parentheses, may contain spaces; the start is the 22nd field, the 20th after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The lock's holder: `{ text, pid, host, stale }`; undefined if there is none. */
export function holderOf(path) {
  let text;
  let age;
  try {
    text = readFileSync(path, 'utf8');
    age = Date.now() - statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
  let holder;
  try {
    holder = JSON.parse(text);
  } catch {
    holder = {};
  }
  const { pid, host, start } = holder;
  let stale = age > beat * 10;
  if (Number.isInteger(pid) && host === hostname())
    stale = !isAlive(pid) || (start !== undefined && startOf(pid) !== undefined && startOf(pid) !== start);
  return { text, pid, host, stale };
}

/** Creates the lock atomically: the content is written to another file and linked to the lock's name. */
function tryCreate(path) {
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const holder = { pid: process.pid, host: hostname(), start: startOf(process.pid) };
  writeFileSync(temporary, JSON.stringify(holder));
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw new Error(`the lock ${path} cannot be created: ${error.message}`, { cause: error });
  } finally {
    unlinkSync(temporary);
  }
}

/**
 * Removes a stale lock. If two processes found the same stale lock and both removed it, the second would remove the
 * first one's new lock; so only the one that creates the guard may, after checking again.
 */
function removeStale(path, text) {
  const guard = `${path}.guard`;
  if (!tryCreate(guard)) {
    if (holderOf(guard)?.stale) rmSync(guard, { force: true });
    return;
  }
  try {
    const now = holderOf(path);
    if (now?.stale && now.text === text) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

/**
 * Runs `work` while holding the lock at `path`, waiting for it if necessary. `onWait(holder)` is called once if it has
 * to wait. The lock is released when `work` ends for any reason, and when the process exits.
 */
export async function withLock(path, work, { onWait = (_holder) => {} } = {}) {
  mkdirSync(dirname(path), { recursive: true });
  let waited = false;
  while (!tryCreate(path)) {
    const holder = holderOf(path);
    if (holder?.stale) {
      removeStale(path, holder.text);
    } else if (holder && !waited) {
      waited = true;
      onWait(holder);
    }
    await sleep(holder?.stale ? 5 : pollEvery);
  }
  const release = () => rmSync(path, { force: true });
  process.once('exit', release);
  const timer = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // The lock was removed by hand; continue.
    }
  }, beat);
  timer.unref();
  try {
    return await work();
  } finally {
    clearInterval(timer);
    process.removeListener('exit', release);
    release();
  }
}
