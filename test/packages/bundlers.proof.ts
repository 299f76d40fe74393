// Where Node code ends up: each tool of docs/bundlers.md, with what the page says to write. What comes out trains or predicts.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { packAll } from '../../scripts/package/main.mjs';
import { torchHalf } from '../support/halves.mjs';
import { Fixture } from './fixture.js';
import type { Packed } from './install.js';

const out = mkdtempSync(join(tmpdir(), 'recurra-packed-'));
let packages: Packed[];
let fixture: Fixture | undefined;

beforeAll(async () => {
  packages = await packAll({ quick: true, light: !torchHalf, out });
});
afterEach(() => {
  fixture?.remove();
  fixture = undefined;
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

/** A fixture that is installed; `trained` also has the model of app.mjs. */
function installed(heading: string, options: ConstructorParameters<typeof Fixture>[2], trained = false): Fixture {
  fixture = new Fixture(heading, packages, options);
  fixture.install();
  if (trained) expect(fixture.run('node app.mjs')).toBe('billing\n');
  return fixture;
}

/** A port that nobody listens at. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Asks a server that is about to start, for at most a minute. */
async function answerOf(address: string): Promise<unknown> {
  for (let tries = 0; ; tries++) {
    try {
      const response = await fetch(address);
      if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
      return await response.json();
    } catch (error) {
      if (tries === 240) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

describe('a bundle that leaves recurra out trains and predicts', () => {
  it.each([
    ['esbuild', 'esbuild'],
    ['Rollup', 'rollup'],
    ['Vite', 'vite'],
    ['webpack', 'webpack'],
  ])('%s', (heading, name) => {
    const { commands, folder } = installed(heading, { name });
    for (const line of commands.slice(0, -1)) fixture!.run(line);
    const last = commands.at(-1)!;
    expect(readFileSync(join(folder, last.replace('node ', '')), 'utf8').length).toBeLessThan(5_000);
    expect(fixture!.run(last)).toBe('billing\n');
  });
});

describe('Next.js', () => {
  it('answers from a route handler: next start, standalone, and with the files that tracers find', async () => {
    const { commands, folder } = installed('Next.js', { name: 'next' }, true);
    const [build, start] = commands as [string, string];
    const asked = async (line: string, env: NodeJS.ProcessEnv = {}) => {
      const port = await freePort();
      const end = fixture!.start(line, { PORT: String(port), HOSTNAME: '127.0.0.1', ...env });
      try {
        const answer = await answerOf(`http://127.0.0.1:${port}/classify?text=My%20invoice%20is%20wrong`);
        expect(answer).toMatchObject({ label: 'billing', knownTokens: 4 });
      } finally {
        await end();
      }
    };
    fixture!.run(build);
    await asked(start);

    renameSync(join(folder, 'standalone', 'next.config.mjs'), join(folder, 'next.config.mjs'));
    fixture!.run(build);
    // Elsewhere, so that nothing of the project is found by chance.
    const elsewhere = join(fixture!.top, 'elsewhere');
    cpSync(join(folder, '.next', 'standalone'), elsewhere, { recursive: true, verbatimSymlinks: true });
    await asked(`node ${join(elsewhere, 'server.js')}`);

    // The tracer of Vercel's and Netlify's builders.
    const { nodeFileTrace } = await import(
      pathToFileURL(join(folder, 'node_modules', '@vercel', 'nft', 'out', 'index.js')).href
    );
    const { fileList } = await nodeFileTrace([join(folder, 'app.mjs')], { base: folder });
    const traced = join(fixture!.top, 'traced');
    for (const file of fileList as Set<string>) cpSync(join(folder, file), join(traced, file));
    writeFileSync(join(traced, 'rows.csv'), 'text,label\na,b\n');
    writeFileSync(
      join(traced, 'read.mjs'),
      "import { readCsv } from 'recurra';\nfor await (const row of readCsv('rows.csv', { text: 'text', label: 'label' })) console.log(row.label);\n",
    );
    for (const [file, printed] of [
      ['app.mjs', 'billing\n'],
      ['read.mjs', 'b\n'],
    ])
      expect(spawnSync(process.execPath, [file!], { cwd: traced, encoding: 'utf8' })).toMatchObject({
        stdout: printed,
      });
  });
});

describe('test runners', () => {
  it('Jest: tests that require and tests that import', () => {
    const { commands, folder } = installed('Jest', { name: 'jest' }, true);
    expect(fixture!.run(commands[0]!)).toMatch(/Tests: +2 passed, 2 total/);
    const code = readFileSync(join(folder, 'classify.test.js'), 'utf8');
    rmSync(join(folder, 'classify.test.js'));
    fixture!.write('classify.test.mjs', code.replace(/^const (.*) = require\((.*)\);$/m, 'import $1 from $2;'));
    const modules = { NODE_OPTIONS: '--experimental-vm-modules' };
    expect(fixture!.run(commands[0]!, modules)).toMatch(/Tests: +2 passed, 2 total/);
  });

  it('Vitest: every pool', () => {
    const { commands } = installed('Vitest', { name: 'vitest' }, true);
    for (const pool of ['forks', 'threads', 'vmForks', 'vmThreads'])
      expect(fixture!.run(`${commands[0]} --pool=${pool}`)).toMatch(/Tests.* 1 passed/);
  });
});

describe('other run times', () => {
  it.each(['Bun', 'Deno'])('%s: what the page says', (heading) => {
    const { commands } = installed(heading, {});
    const printed = commands.map((line) => fixture!.run(line)).filter((_, i) => !commands[i]!.startsWith('bun build'));
    expect(new Set(printed)).toEqual(new Set(['billing\n']));
  });
});

describe('a workspace of pnpm', () => {
  it('trains in one of its packages, and where pnpm deploy has put it', () => {
    fixture = new Fixture('pnpm and workspaces', packages, { manager: 'pnpm' });
    const { folder, commands } = fixture;
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, name: 'workspace' }));
    const settings = join(folder, 'pnpm-workspace.yaml');
    writeFileSync(settings, `packages:\n  - apps/*\n${readFileSync(settings, 'utf8')}`);
    mkdirSync(join(folder, 'apps', 'api'), { recursive: true });
    writeFileSync(join(folder, 'apps', 'api', 'package.json'), JSON.stringify({ ...manifest, name: 'api' }));
    renameSync(join(folder, 'app.mjs'), join(folder, 'apps', 'api', 'app.mjs'));
    fixture.install();
    expect(existsSync(join(folder, 'node_modules', 'recurra'))).toBe(false);
    expect(fixture.run('node apps/api/app.mjs')).toBe('billing\n');
    fixture.run(`${commands[0]} --store-dir ${join(fixture.top, 'store')}`);
    const elsewhere = join(fixture.top, 'elsewhere');
    renameSync(join(folder, 'out'), elsewhere);
    rmSync(join(folder, 'node_modules'), { recursive: true });
    expect(fixture.run(`node ${join(elsewhere, 'app.mjs')}`)).toBe('billing\n');
  });
});
