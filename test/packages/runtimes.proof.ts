// The light packages under other run times, the least TypeScript, and inside a bundle where they do not belong.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packAll } from '../../scripts/package/main.mjs';
import { torchHalf } from '../support/halves.mjs';
import { Project, runTimes, tool } from './install.js';

const out = mkdtempSync(join(tmpdir(), 'recurra-packed-'));
let project: Project;

beforeAll(async () => {
  project = new Project('npm', await packAll({ quick: true, light: !torchHalf, out }), { '@types/node': '20.19.43' });
  project.install();
});
afterAll(() => {
  project?.remove();
  rmSync(out, { recursive: true, force: true });
});

describe.each([
  ['Bun', runTimes.bun, ['run']],
  ['Deno', runTimes.deno, ['run', '-A']],
])('%s', (_, program, args) => {
  const run = (script: string) => {
    const { stdout } = project.node([...args, join(project.folder, script)], { node: tool(...program) });
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as unknown;
  };
  it('trains, saves, loads, predicts, reads Parquet, serves, and works in worker threads', () => {
    expect(run('classify.mjs')).toEqual({ label: 'animal', other: 'tool', same: true, error: 'FILE_NOT_FOUND' });
    expect(run('parquet.mjs')).toEqual({ rows: true, named: true });
    expect(run('serve.mjs')).toEqual({ label: 'animal', same: true, page: '<!doctype html>', ended: 0 });
    expect(run('workers.mjs')).toEqual({ codes: Array.from({ length: 20 }, () => 0) });
  });
});

describe('the declarations', () => {
  const newest = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const modules = [
    ['nodenext', 'nodenext'],
    ['bundler', 'esnext'],
  ] as const;
  it.each(
    modules.flatMap(([resolution, module]) => [
      ['5.4', resolution, module] as const,
      ['the newest', resolution, module] as const,
    ]),
  )(
    'compile strictly, libraries included, with TypeScript %s and moduleResolution %s',
    (version, resolution, module) => {
      const compilerOptions = {
        ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: false },
        ...{ target: 'es2022', types: ['node'], module, moduleResolution: resolution },
      };
      const file = join(project.folder, 'tsconfig.json');
      writeFileSync(file, JSON.stringify({ compilerOptions, files: ['types.ts', 'types.cts'] }));
      project.node([version === '5.4' ? tool('typescript-least', 'bin', 'tsc') : newest, '-p', file]);
    },
  );
});

describe('in a bundle of esbuild', () => {
  it.each([
    ['esm', "import { TextClassifier } from 'recurra';", 'bundled as an ES module'],
    ['cjs', "const { TextClassifier } = require('recurra');", 'is not in the package recurra'],
  ] as const)('as %s it says what to do', async (format, line, message) => {
    const { buildSync } = (await import(pathToFileURL(tool('esbuild', 'lib', 'main.js')).href)) as {
      buildSync(options: object): unknown;
    };
    const source = join(project.folder, `bundled-${format}.${format === 'esm' ? 'mjs' : 'cjs'}`);
    writeFileSync(source, `${line}\nTextClassifier.train([{ text: 'a', label: 'b' }, { text: 'c', label: 'd' }]);\n`);
    const folder = mkdtempSync(join(tmpdir(), 'recurra-bundle-'));
    const outfile = join(folder, format === 'esm' ? 'out.mjs' : 'out.cjs');
    buildSync({ entryPoints: [source], bundle: true, platform: 'node', format, outfile, logLevel: 'silent' });
    const { status, stderr } = spawnSync(process.execPath, [outfile], { encoding: 'utf8' });
    rmSync(folder, { recursive: true, force: true });
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).toContain('--external:recurra');
  });
});
