import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { targets } from '../../scripts/cross/targets.mjs';
import { npm } from '../../scripts/setup/node-modules.mjs';
import { howToGet } from '../../src/native/addon.js';
import { temporaryFolder } from '../support/folder.js';

const known = targets as Record<string, { os: string; cpu: string; libc?: string }>;
const light = ['linux-x64-gnu', ...Object.keys(known)];

describe('the packages of the platforms', () => {
  it('are there for each target, and say where they fit', () => {
    const folders = readdirSync('npm').filter((name) => /^recurra-(linux|win32|darwin)/.test(name));
    expect(folders.sort()).toEqual(light.map((name) => `recurra-${name}`).sort());
    for (const [name, { os, cpu, libc }] of Object.entries(known)) {
      const manifest = JSON.parse(readFileSync(`npm/recurra-${name}/package.json`, 'utf8'));
      expect(manifest).toMatchObject({ name: `recurra-${name}`, os: [os], cpu: [cpu] });
      expect(manifest.libc).toEqual(libc && [libc]);
      expect(existsSync(`npm/recurra-${name}/README.md`)).toBe(true);
    }
  });

  it('are what the load error names, and no other platform', () => {
    for (const name of light) expect(howToGet('recurra', name)).toContain(`npm install recurra-${name}\n`);
    expect(howToGet('recurra', 'linux-s390x-gnu')).toMatch(
      /no prebuilt package recurra-linux-s390x-gnu; there are packages for linux-x64-gnu, linux-arm64-gnu, .*darwin-x64\.\n.*npm run setup/s,
    );
    expect(howToGet('recurra-torch', 'darwin-arm64')).toMatch(/there are packages for linux-x64-gnu\./);
  });

  it('are chosen by npm, for each platform its own', () => {
    const top = temporaryFolder();
    const run = (args: string[], cwd: string) => {
      const { status, stderr } = spawnSync(npm.command, args, { cwd, encoding: 'utf8', shell: npm.shell });
      expect(stderr).not.toMatch(/npm error/);
      expect(status).toBe(0);
    };
    const folders = light.map((name) => {
      const manifest = JSON.parse(readFileSync(`npm/recurra-${name}/package.json`, 'utf8'));
      mkdirSync(join(top, name));
      writeFileSync(join(top, name, 'package.json'), JSON.stringify({ ...manifest, version: '1.0.0' }));
      return `./${name}`;
    });
    run(['pack', ...folders], top);
    const app = join(top, 'app');
    for (const name of light) {
      const { os, cpu, libc } = known[name] ?? { os: 'linux', cpu: 'x64', libc: 'glibc' };
      rmSync(app, { recursive: true, force: true });
      mkdirSync(app);
      const optionalDependencies = Object.fromEntries(
        light.map((other) => [`recurra-${other}`, `file:../recurra-${other}-1.0.0.tgz`]),
      );
      writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, optionalDependencies }));
      const place = [`--os=${os}`, `--cpu=${cpu}`, ...(libc ? [`--libc=${libc}`] : [])];
      run(['install', '--offline', '--no-audit', '--no-fund', ...place], app);
      expect(readdirSync(join(app, 'node_modules')).filter((entry) => !entry.startsWith('.'))).toEqual([
        `recurra-${name}`,
      ]);
    }
  }, 120_000);
});
