import { execFile } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildWeb } from '../../scripts/web/build.mjs';
import { TextClassifier } from '../../src/index.js';
import { chromiumPath } from '../support/chromium.js';
import { temporaryFolder } from '../support/folder.js';
import { checkout, examplesOf, saidBy, writeExamples } from '../support/guide.js';
import { strictSite } from '../support/site.js';
import { topicTexts } from '../support/texts.js';
import { builtModule } from './module.js';

const run = promisify(execFile);
const there = builtModule() !== undefined;
const executablePath = chromiumPath();
const folder = temporaryFolder();

const TEXT = 'a dog with a tail 🙂';

/** What a page, a worker or a process does with the package: the label and its probability. */
const PREDICT = `
  import { load } from './recurra-web/index.js';
  const model = await load(new URL('./m.safetensors', import.meta.url));
  const { label, probability } = model.predict(${JSON.stringify(TEXT)});
  const answer = { label, probability, kind: typeof WorkerGlobalScope === 'function' ? 'worker' : 'page' };
`;

describe.skipIf(!there)('the package recurra-web', () => {
  let expected: { label: string; probability: number };
  let sizes: Record<string, number>;

  beforeAll(async () => {
    const built = await buildWeb();
    sizes = built.sizes;
    cpSync(built.folder, join(folder, 'recurra-web'), { recursive: true });
    const model = await TextClassifier.train(topicTexts(300), { embeddingDim: 16, hiddenSize: 16, epochs: 2, seed: 1 });
    await model.save(join(folder, 'm.safetensors'));
    expected = await model.predict(TEXT);
    await model.close();
    writeFileSync(join(folder, 'process.mjs'), `${PREDICT} console.log(JSON.stringify(answer));`);
    const inThread = `
      import { parentPort, Worker } from 'node:worker_threads';
      if (parentPort) { ${PREDICT.replace(/import .*/, "const { load } = await import('./recurra-web/index.js');")} parentPort.postMessage(answer); }
      else new Worker(new URL(import.meta.url)).on('message', (answer) => console.log(JSON.stringify(answer)));`;
    writeFileSync(join(folder, 'thread.mjs'), inThread);
    writeFileSync(join(folder, 'page.js'), `${PREDICT} window.answer = answer;`);
    writeFileSync(join(folder, 'worker.js'), `${PREDICT} postMessage(answer);`);
    const fromWorker = `new Worker('./worker.js', { type: 'module' }).onmessage = ({ data }) => { window.answer = data; };`;
    writeFileSync(join(folder, 'host.js'), fromWorker);
    for (const name of ['page', 'host'])
      writeFileSync(
        join(folder, `${name}.html`),
        `<!doctype html><title>-</title><script type="module" src="${name}.js"></script>`,
      );
  });

  const answers = (answer: { label: string; probability: number }) => {
    expect(answer.label).toBe(expected.label);
    expect(Math.abs(answer.probability - expected.probability)).toBeLessThanOrEqual(1e-6);
  };

  it('has at most 200 KB of code, gzipped', () => {
    const { 'index.js': code, 'recurra.wasm': module } = sizes;
    expect(code! + module!).toBeLessThanOrEqual(200_000);
    expect(code!).toBeLessThanOrEqual(32_000);
  });

  it('answers in 20 fresh processes of Node', async () => {
    for (let i = 0; i < 20; i += 4) {
      const four = Array.from({ length: 4 }, () => run(process.execPath, [join(folder, 'process.mjs')]));
      for (const { stdout, stderr } of await Promise.all(four)) {
        expect(stderr).toBe('');
        answers(JSON.parse(stdout));
      }
    }
  });

  it('answers in a thread of Node', async () => {
    const { stdout } = await run(process.execPath, [join(folder, 'thread.mjs')]);
    answers(JSON.parse(stdout));
  });

  it('runs the program of docs/browser.md', async () => {
    const [first, program] = examplesOf('docs/browser.md');
    expect(first!.code).toContain("await load('/tickets.safetensors')");
    const home = join(folder, 'guide');
    cpSync(join(folder, 'recurra-web'), join(home, 'node_modules', 'recurra-web'), { recursive: true });
    writeExamples(home, [program!]);
    const label = (i: number) => (i % 2 ? 'technical' : 'billing');
    const texts = { billing: 'my invoice is wrong', technical: 'the app does not start' };
    const rows = Array.from({ length: 40 }, (_, i) => ({ label: label(i), text: texts[label(i)] }));
    const model = await TextClassifier.train(rows, { seed: 1 });
    await model.save(join(home, 'tickets.safetensors'));
    await model.close();
    const { stdout } = await run(process.execPath, [join(home, program!.name)]);
    expect(stdout).toBe(`${saidBy(program!).join('\n')}\n`);
  });

  describe.skipIf(!executablePath)('in a browser', () => {
    let server: Server;
    let browser: Browser;
    beforeAll(async () => {
      server = await strictSite(folder);
      browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
    });
    afterAll(async () => {
      await browser?.close();
      server?.close();
    });

    const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    it.each([
      ['page', 'page'],
      ['worker', 'host'],
    ])('answers in a %s, under a strict policy', async (kind, name) => {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(`${address()}/${name}.html`);
      const answer = await page
        .waitForFunction(() => (globalThis as { answer?: object }).answer, undefined, { timeout: 10_000 })
        .catch(() => undefined);
      expect(complaints).toEqual([]);
      const found = (await answer!.jsonValue()) as { label: string; probability: number; kind: string };
      expect(found.kind).toBe(kind);
      answers(found);
      await page.close();
    });

    it('labels a text as it is typed on the page of examples/browser', async () => {
      for (const name of ['index.html', 'app.js', 'style.css'])
        cpSync(join(checkout, 'examples/browser', name), join(folder, name));
      cpSync(join(folder, 'm.safetensors'), join(folder, 'model.safetensors'));
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => complaints.push(message.text()));
      await page.goto(`${address()}/index.html`);
      await page.getByText('0 of 0 words').waitFor();
      await page.keyboard.type('a dog with a tail');
      await page.getByText('5 of 5 words are known').waitFor();
      const first = page.getByRole('listitem').first();
      expect(await first.textContent()).toMatch(/^animal\d+\.\d %$/);
      await page.getByRole('textbox').fill('<b>salt</b> and bread');
      await page.getByRole('listitem').filter({ hasText: /^food/ }).first().waitFor();
      expect(await page.getByRole('listitem').count()).toBe(3);
      expect(complaints).toEqual([]);
      await page.close();
    });
  });
});
