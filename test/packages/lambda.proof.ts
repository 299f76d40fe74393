// The layout of a function on AWS Lambda: how large it is, and that it answers where no file can be written, with 128 MB of memory.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packAll } from '../../scripts/package/main.mjs';
import { filesBelow } from '../../scripts/setup/freshness.mjs';
import { pageText } from '../support/guide.js';
import { torchHalf } from '../support/halves.mjs';
import { Fixture } from './fixture.js';

const out = mkdtempSync(join(tmpdir(), 'recurra-packed-'));
let fixture: Fixture;

beforeAll(async () => {
  fixture = new Fixture('AWS Lambda', await packAll({ quick: true, light: !torchHalf, out }));
  fixture.install();
  // The page's command installs the packages of Lambda's platform, which is this one.
  expect(fixture.commands).toHaveLength(1);
  fixture.run(fixture.commands[0]!);
  fixture.run('node app.mjs');
  // What Lambda does: it loads the module, then calls the handler for each event.
  fixture.write(
    'invoke.mjs',
    `import { writeFileSync } from 'node:fs';
const { handler } = await import('./index.mjs');
const answers = [];
for (let i = 0; i < 200; i++) answers.push((await handler({ text: 'My invoice is wrong' })).label);
let writable = true;
try { writeFileSync(new URL('x', import.meta.url), ''); } catch { writable = false; }
console.log(JSON.stringify({ answers: [...new Set(answers)], writable, megabytes: process.resourceUsage().maxRSS / 1024 }));`,
  );
});
afterAll(() => {
  fixture?.remove();
  rmSync(out, { recursive: true, force: true });
});

interface Answer {
  answers: string[];
  writable: boolean;
  megabytes: number;
}

/** Runs the function by a shell that first does what `prepare` says. */
function invoked(prepare: string, command: string[] = []): Answer {
  const node = `exec "${process.execPath}" --max-old-space-size=64 invoke.mjs`;
  const [program = 'sh', ...args] = [...command, 'sh', '-c', `${prepare}\n${node}`];
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: fixture.folder, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** Whether a namespace of its own can be made, in which all file systems are read-only. */
const READ_ONLY = 'set -e; mount -o remount,bind,ro /; mount --bind . .; mount -o remount,bind,ro .; cd "$PWD"';
const namespace = spawnSync('unshare', ['--mount', 'sh', '-c', READ_ONLY]).status === 0;

/** A control group of 128 MB, if this machine lets one be made. */
function memoryGroup(): string | undefined {
  const folder = `/sys/fs/cgroup/memory/recurra-${process.pid}`;
  try {
    mkdirSync(folder);
    writeFileSync(join(folder, 'memory.limit_in_bytes'), String(128 * 2 ** 20));
    return folder;
  } catch {
    return undefined;
  }
}

describe('a function on AWS Lambda', () => {
  it('is as small as the page says', () => {
    const files = filesBelow(join(fixture.folder, 'node_modules')) as string[];
    let [zip, unpacked] = [0, 0];
    for (const file of files) {
      const bytes = readFileSync(file);
      unpacked += bytes.length;
      zip += deflateRawSync(bytes).length + 76 + 2 * file.length;
    }
    console.info(`${(zip / 1e6).toFixed(1)} MB zipped, ${(unpacked / 1e6).toFixed(1)} MB, ${files.length} files`);
    const said = [...pageText('docs/bundlers.md').matchAll(/^\| (?:zip|unpacked).*\| ([\d.]+) MB/gm)].map(([, n]) =>
      Number(n),
    );
    expect(said).toHaveLength(2);
    expect(zip / 1e6).toBeLessThan(said[0]! + 0.5);
    expect(unpacked / 1e6).toBeLessThan(said[1]! + 1);
  });

  it('answers in less than 128 MB', () => {
    const { answers, megabytes } = invoked('');
    console.info(`${megabytes.toFixed(0)} MB at most`);
    expect(answers).toEqual(['billing']);
    expect(megabytes).toBeLessThan(128);
  });

  it.skipIf(!namespace)('answers where no file can be written', () => {
    expect(invoked(READ_ONLY, ['unshare', '--mount'])).toMatchObject({ answers: ['billing'], writable: false });
  });

  it('answers in a control group of 128 MB', ({ skip }) => {
    const group = memoryGroup();
    if (group === undefined) return skip('this machine does not let a control group be made');
    try {
      expect(invoked(`echo $$ > ${group}/cgroup.procs`)).toMatchObject({ answers: ['billing'] });
      expect(readFileSync(join(group, 'memory.oom_control'), 'utf8')).not.toMatch(/oom_kill [1-9]/);
    } finally {
      rmdirSync(group);
    }
  });
});
