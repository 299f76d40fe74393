import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { platformName } from '../../src/native/platform.js';
import { temporaryFolder } from '../support/folder.js';
import { torchHalf } from '../support/halves.mjs';

const folder = temporaryFolder();

/** A package whose only addon is that of the models. */
beforeAll(() => {
  const light = `recurra.${platformName()}.node`;
  mkdirSync(join(folder, 'native'));
  copyFileSync('package.json', join(folder, 'package.json'));
  for (const name of ['dist', 'node_modules', join('native', light)]) symlinkSync(resolve(name), join(folder, name));
});

function doctor(env: NodeJS.ProcessEnv, ...args: string[]) {
  const preserve = ['--preserve-symlinks', '--preserve-symlinks-main'];
  const run = spawnSync(process.execPath, [...preserve, join(folder, 'dist/cli/main.js'), 'doctor', ...args], {
    encoding: 'utf8',
    env: { ...process.env, RECURRA_LIBTORCH: '', LIBTORCH: '', ...env },
  });
  return { status: run.status, out: run.stdout };
}

const PACKAGE = `recurra-torch-${platformName()}`;
const NEEDED = 'libtorch  not installed \\(needed only for recurra/torch, .*\\)\\. To install it:\\n';

// There is no prebuilt torch addon for other platforms.
describe.runIf(platformName() === 'linux-x64-gnu')('recurra doctor where only the models are installed', () => {
  it('is content, and says how to install the rest', () => {
    const { status, out } = doctor({ XDG_CACHE_HOME: join(folder, 'none') });
    expect(existsSync(join(folder, 'native', `${PACKAGE}.node`))).toBe(false);
    expect(out).toMatch(new RegExp(`${NEEDED} {10}npm install ${PACKAGE}\\n {10}npx recurra libtorch install\\n`));
    expect(status).toBe(0);
  });

  it.runIf(torchHalf)('is content if libtorch is there without the addon that uses it', () => {
    const { status, out } = doctor({});
    expect(out).toMatch(
      new RegExp(
        `${NEEDED.replace('not installed', 'installed, but not the addon that uses it')} {10}npm install ${PACKAGE}\\nCUDA`,
      ),
    );
    expect(status).toBe(0);
    expect(JSON.parse(doctor({}, '--json').out)).toMatchObject({
      ok: true,
      libtorch: { code: 'ADDON_NOT_FOUND', install: [`npm install ${PACKAGE}`] },
    });
  });

  it('fails for a libtorch that was named and does not work', () => {
    const { status, out } = doctor({ RECURRA_LIBTORCH: join(folder, 'none'), XDG_CACHE_HOME: join(folder, 'none') });
    expect(out).toMatch(/libtorch {2}FAILED \[LIBTORCH_NOT_FOUND\]/);
    expect(status).toBe(1);
  });
});
