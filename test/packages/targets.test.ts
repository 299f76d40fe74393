import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { targets } from '../../scripts/cross/targets.mjs';
import { howToGet } from '../../src/native/addon.js';

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
      /no prebuilt package recurra-linux-s390x-gnu; there is one for linux-x64-gnu, linux-arm64-gnu, .*darwin-x64\.\n.*npm run setup/s,
    );
    expect(howToGet('recurra-torch', 'darwin-arm64')).toMatch(/there is one for linux-x64-gnu\./);
  });
});
