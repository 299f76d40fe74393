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
  let next: Fixture;
  beforeAll(() => {
    next = installed('Next.js', { name: 'next' }, true);
    fixture = undefined;
  });
  afterAll(() => next?.remove());

  /** Starts a server and asks its route. */
  const answered = async (line: string) => {
    const port = await freePort();
    const end = next.start(line, { PORT: String(port), HOSTNAME: '127.0.0.1' });
    try {
      const answer = await answerOf(`http://127.0.0.1:${port}/classify?text=My%20invoice%20is%20wrong`);
      expect(answer).toMatchObject({ label: 'billing', knownTokens: 4 });
    } finally {
      await end();
    }
  };

  it('answers from a route handler', async () => {
    next.run(next.commands[0]!);
    await answered(next.commands[1]!);
  }, 600_000);

  it('answers from a standalone build, elsewhere', async () => {
    renameSync(join(next.folder, 'standalone', 'next.config.mjs'), join(next.folder, 'next.config.mjs'));
    next.run(next.commands[0]!);
    // Elsewhere, so that nothing of the project is found by chance.
    const elsewhere = join(next.top, 'elsewhere');
    cpSync(join(next.folder, '.next', 'standalone'), elsewhere, { recursive: true, verbatimSymlinks: true });
    await answered(`node ${join(elsewhere, 'server.js')}`);
  }, 600_000);

  it("works with the files that the tracer of Vercel's and Netlify's builders finds", async () => {
    const tracer = join(next.folder, 'node_modules', '@vercel', 'nft', 'out', 'index.js');
    const { nodeFileTrace } = await import(pathToFileURL(tracer).href);
    next.write(
      'read.mjs',
      `import { readCsv } from 'recurra';
for await (const { label } of readCsv('rows.csv', { text: 'text', label: 'label' })) console.log(label);`,
    );
    const programs = ['app.mjs', 'read.mjs'];
    const traced = await nodeFileTrace(
      programs.map((file) => join(next.folder, file)),
      { base: next.folder },
    );
    const elsewhere = join(next.top, 'traced');
    for (const file of traced.fileList as Set<string>) cpSync(join(next.folder, file), join(elsewhere, file));
    writeFileSync(join(elsewhere, 'rows.csv'), 'text,label\na,b\n');
    const printed = programs.map(
      (file) => spawnSync(process.execPath, [file], { cwd: elsewhere, encoding: 'utf8' }).stdout,
    );
    expect(printed).toEqual(['billing\n', 'b\n']);
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
