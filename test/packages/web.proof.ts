// recurra-web as npm installs it: in edge runtimes, which have neither a file system nor eval, in other run times than Node, and in pages of bundlers.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packAll } from '../../scripts/package/main.mjs';
import { TextClassifier } from '../../src/index.js';
import { chromiumPath } from '../support/chromium.js';
import { strictSite } from '../support/site.js';
import { topicTexts } from '../support/texts.js';
import { builtModule } from '../web/module.js';
import { Fixture, sectionOf } from './fixture.js';
import { type Packed, runTimes, tool } from './install.js';

const there = builtModule() !== undefined;
const executablePath = chromiumPath();
const out = mkdtempSync(join(tmpdir(), 'recurra-packed-'));
const TEXT = 'a small dog with a long tail';
let web: Packed[];
let fixture: Fixture;
let expected: { label: string; probability: number };

/** A file of the project. */
const file = (...path: string[]) => join(fixture.folder, ...path);
const library = (name: string, ...path: string[]) => import(pathToFileURL(file('node_modules', name, ...path)).href);

function checked(answer: { label: string; probability: number }): void {
  expect(answer.label).toBe(expected.label);
  expect(Math.abs(answer.probability - expected.probability)).toBeLessThanOrEqual(1e-6);
}

describe.skipIf(!there)('recurra-web, installed by npm', () => {
  beforeAll(async () => {
    const packages = (await packAll({ quick: true, light: true, web: true, out })) as Packed[];
    web = packages.filter(({ name }) => name === 'recurra-web');
    fixture = new Fixture('Edge runtimes', web, { name: 'edge' });
    fixture.install();
    const model = await TextClassifier.train(topicTexts(300), { embeddingDim: 16, hiddenSize: 16, epochs: 2, seed: 1 });
    await model.save(file('tickets.safetensors'));
    expected = await model.predict(TEXT);
    await model.close();
  });
  afterAll(() => {
    fixture?.remove();
    rmSync(out, { recursive: true, force: true });
  });

  it('answers in workerd, as the page says', async () => {
    const { Miniflare } = await library('miniflare', 'dist', 'src', 'index.js');
    const { build } = await library('esbuild', 'lib', 'main.js');
    // As wrangler does: code becomes one module, the others stay files beside it.
    const external = ['recurra-web/recurra.wasm', './tickets.safetensors'];
    const bundle = await build({
      ...{ entryPoints: [file('worker.mjs')], bundle: true, format: 'esm', external, write: false, logLevel: 'error' },
    });
    const module = (type: string, path: string, contents: Uint8Array) => ({ type, path: `/worker/${path}`, contents });
    const worker = new Miniflare({
      compatibilityDate: '2026-01-01',
      modulesRoot: '/worker',
      modules: [
        module('ESModule', 'index.mjs', bundle.outputFiles[0].text),
        module('CompiledWasm', external[0]!, readFileSync(file('node_modules', 'recurra-web', 'recurra.wasm'))),
        module('Data', 'tickets.safetensors', readFileSync(file('tickets.safetensors'))),
      ],
    });
    try {
      const response = await worker.dispatchFetch(`http://localhost/?text=${encodeURIComponent(TEXT)}`);
      expect(response.status).toBe(200);
      checked(await response.json());
    } finally {
      await worker.dispose();
    }
  });

  it("answers in Vercel's edge runtime without eval, with a module compiled inside or outside", async () => {
    const { EdgeVM } = await library('@edge-runtime/vm', 'dist', 'index.js');
    const { buildSync } = await library('esbuild', 'lib', 'main.js');
    const contents = `import { load } from 'recurra-web';
      globalThis.answer = async (bytes, module) => {
        const { label, probability } = (await load(bytes, { module })).predict(${JSON.stringify(TEXT)});
        return { label, probability };
      };`;
    const { outputFiles } = buildSync({
      ...{
        stdin: { contents, resolveDir: fixture.folder },
        bundle: true,
        format: 'iife',
        write: false,
        logLevel: 'error',
      },
    });
    const vm = new EdgeVM({ codeGeneration: { strings: false, wasm: true } });
    vm.evaluate(outputFiles[0].text);
    expect(() => vm.evaluate("eval('1')")).toThrow(/disallowed/);
    vm.context.bytes = readFileSync(file('tickets.safetensors'));
    vm.context.wasm = readFileSync(file('node_modules', 'recurra-web', 'recurra.wasm'));
    vm.context.compiled = await WebAssembly.compile(vm.context.wasm);
    for (const module of ['wasm', 'await WebAssembly.compile(new Uint8Array(wasm))', 'compiled'])
      checked(await vm.evaluate(`(async () => answer(new Uint8Array(bytes), ${module}))()`));
  });

  it.each([
    ['Node', [process.execPath]],
    ['Bun', [tool(...runTimes.bun), 'run']],
    ['Deno', [tool(...runTimes.deno), 'run', '--allow-read']],
  ])('answers in %s', (_, [program, ...args]) => {
    writeFileSync(
      file('predict.mjs'),
      `import { load } from 'recurra-web';
const model = await load(new URL('tickets.safetensors', import.meta.url));
const { label, probability } = model.predict(${JSON.stringify(TEXT)});
console.log(JSON.stringify({ label, probability }));`,
    );
    const { stdout, stderr } = spawnSync(program!, [...args, file('predict.mjs')], { encoding: 'utf8' });
    expect(stderr).toBe('');
    checked(JSON.parse(stdout));
  });

  describe.skipIf(!executablePath)('in a page of a bundler, in Chromium', () => {
    let pages: Fixture;
    let browser: Browser;
    beforeAll(async () => {
      pages = new Fixture('Edge runtimes', web, { name: 'browser' });
      pages.install();
      browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
    });
    afterAll(async () => {
      await browser?.close();
      pages?.remove();
    });

    it.each([
      ['Vite', 'npx vite build'],
      ['webpack', 'npx webpack --mode production --entry ./page.js --output-filename page.js'],
    ])('%s finds the module by itself', async (_, line) => {
      const dist = join(pages.folder, 'dist');
      rmSync(dist, { recursive: true, force: true });
      expect(pages.run(line)).not.toMatch(/critical dependency|dynamic import/i);
      // Vite makes the page itself.
      if (!existsSync(join(dist, 'index.html'))) cpSync(join(pages.folder, 'index.html'), join(dist, 'index.html'));
      expect(existsSync(join(dist, 'recurra.wasm'))).toBe(false);
      cpSync(file('tickets.safetensors'), join(dist, 'tickets.safetensors'));
      const server = await strictSite(dist);
      const page = await browser.newPage();
      try {
        await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/index.html`);
        const answer = await page.waitForFunction(() => (globalThis as { answer?: object }).answer);
        checked((await answer.jsonValue()) as typeof expected);
      } finally {
        await page.close();
        server.close();
      }
    });
  });

  it('is described by the page with one program', () => {
    expect(Object.keys(sectionOf('Edge runtimes').files)).toEqual(['worker.mjs']);
  });
});
