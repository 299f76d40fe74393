// As in Electron, whose Node-API refuses an addon's memory for buffers: results are copied, and are the same.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMusl } from '../../src/native/platform.js';
import { checkout } from '../support/guide.js';
import { torchHalf } from '../support/halves.mjs';

const folder = mkdtempSync(join(tmpdir(), 'recurra-electron-'));
const library = join(folder, 'refuse.so');
const here = join(checkout, 'test', 'packages', 'electron');

/** What the program prints, and what it writes to stderr, with a library loaded before anything else. */
function worked(preload: string | undefined) {
  const own = mkdtempSync(join(folder, 'run-'));
  const args = [join(here, 'work.mjs'), join(checkout, 'dist'), own, ...(torchHalf ? ['torch'] : [])];
  const env = preload === undefined ? process.env : { ...process.env, LD_PRELOAD: preload };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return { printed: JSON.parse(stdout), stderr };
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

// The preloaded library is for glibc's loader.
describe.runIf(process.platform === 'linux' && !isMusl())('where Node-API refuses external buffers', () => {
  beforeAll(() => {
    const args = ['-shared', '-fPIC', '-O1', '-o', library, join(here, 'refuse.c'), '-ldl'];
    const { status, stderr } = spawnSync('cc', args, { encoding: 'utf8' });
    expect({ status, stderr }).toMatchObject({ status: 0 });
  });

  it('everything works, with the same results', () => {
    const usual = worked(undefined);
    const refused = worked(library);
    expect(refused.printed).toEqual(usual.printed);
    expect(usual.printed.one.label).toBe('animal');
    const count = Number(/refused (\d+) buffers/.exec(refused.stderr)?.[1]);
    expect(count).toBeGreaterThan(20);
  });
});
