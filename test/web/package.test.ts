import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { type Browser, chromium } from 'playwright-core';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadLinks } from '../../scripts/package/linked.mjs';
import { buildWeb } from '../../scripts/web/build.mjs';
import { LanguageModel, TextClassifier, TextTagger, type TextTagging } from '../../src/index.js';
import { anyText } from '../support/anyText.js';
import { chromiumPath } from '../support/chromium.js';
import { temporaryFolder } from '../support/folder.js';
import { checkout, examplesOf, saidBy, writeExamples } from '../support/guide.js';
import { placeRows } from '../support/places.js';
import { strictSite } from '../support/site.js';
import { topicTexts } from '../support/texts.js';
import { builtModule } from './module.js';

const run = promisify(execFile);
const there = builtModule() !== undefined;
const executablePath = chromiumPath();
const folder = temporaryFolder();

const TEXT = 'a dog with a tail 🙂';
const SENTENCE = '😀 In New York, \ud800 Bob  met Eve';
const PROMPT = 'the c';
const HOW = { seed: 3, maxNewTokens: 40 };

/** What a page, a worker or a process says. */
interface Answer {
  label: string;
  probability: number;
  tagging: TextTagging;
  written: string;
  kind: string;
}

/** What a page, a worker or a process does with the package: the label and its probability, spans, and a text. */
const PREDICT = `
  import { load } from './recurra-web/index.js';
  const open = (name, kind) => load(new URL('./' + name + '.safetensors', import.meta.url), { kind });
  const model = await open('m', 'classifier');
  const { label, probability } = model.predict(${JSON.stringify(TEXT)});
  const tagger = await open('tags', 'tagger');
  const tagging = tagger.predict(${JSON.stringify(SENTENCE)});
  let written = '';
  for await (const piece of (await open('words', 'language')).generate(${JSON.stringify(PROMPT)}, ${JSON.stringify(HOW)}))
    written += piece;
  const kind = typeof WorkerGlobalScope === 'function' ? 'worker' : 'page';
  const answer = { label, probability, tagging, written, kind };
`;

describe.skipIf(!there)('the package recurra-web', () => {
  let expected: Omit<Answer, 'kind'>;
  let sizes: Record<string, number>;

  beforeAll(async () => {
    const built = await buildWeb();
    sizes = built.sizes;
    cpSync(built.folder, join(folder, 'recurra-web'), { recursive: true });
    const model = await TextClassifier.train(topicTexts(300), { embeddingDim: 16, hiddenSize: 16, epochs: 2, seed: 1 });
    await model.save(join(folder, 'm.safetensors'));
    const { label, probability } = await model.predict(TEXT);
    const small = { embeddingDim: 16, hiddenSize: 16, seed: 1 };
    const tagger = await TextTagger.train(placeRows(200), { ...small, epochs: 6, lr: 0.02 });
    await tagger.save(join(folder, 'tags.safetensors'));
    const learning = { numLayers: 1, dropout: 0, window: 16, batchSize: 8, epochs: 12, lr: 0.03 };
    const writer = await LanguageModel.train(['the cat sat.\n'.repeat(120)], { ...small, ...learning });
    await writer.save(join(folder, 'words.safetensors'));
    let written = '';
    for await (const piece of writer.generate(PROMPT, HOW)) written += piece;
    expected = { label, probability, tagging: await tagger.predict(SENTENCE), written };
    for (const made of [model, tagger, writer]) await made.close();
    writeFileSync(join(folder, 'process.mjs'), `${PREDICT} console.log(JSON.stringify(answer));`);
    const inThread = `
      import { parentPort, Worker } from 'node:worker_threads';
      if (parentPort) { ${PREDICT.replace(/import .*/, "const { load } = await import('./recurra-web/index.js');")} parentPort.postMessage(answer); }
      else new Worker(new URL(import.meta.url)).on('message', (answer) => console.log(JSON.stringify(answer)));`;
    writeFileSync(join(folder, 'thread.mjs'), inThread);
    writeFileSync(
      join(folder, 'page.js'),
      `${PREDICT} window.tagged = (texts) => JSON.stringify(tagger.predictMany(texts)); window.answer = answer;`,
    );
    writeFileSync(join(folder, 'worker.js'), `${PREDICT} postMessage(answer);`);
    const fromWorker = `new Worker('./worker.js', { type: 'module' }).onmessage = ({ data }) => { window.answer = data; };`;
    writeFileSync(join(folder, 'host.js'), fromWorker);
    for (const name of ['page', 'host'])
      writeFileSync(
        join(folder, `${name}.html`),
        `<!doctype html><title>-</title><script type="module" src="${name}.js"></script>`,
      );
  });

  const answers = ({ label, probability, tagging, written }: Answer) => {
    expect(label).toBe(expected.label);
    expect(Math.abs(probability - expected.probability)).toBeLessThanOrEqual(1e-6);
    const places = ({ spans }: TextTagging) => spans.map(({ start, end, label, text }) => [start, end, label, text]);
    expect(places(tagging)).toEqual(places(expected.tagging));
    expect(places(tagging).length).toBeGreaterThan(1);
    for (const { start, end, text } of tagging.spans) expect(SENTENCE.slice(start, end)).toBe(text);
    expect([tagging.tokens, tagging.tags]).toEqual([expected.tagging.tokens, expected.tagging.tags]);
    for (const [i, { probability }] of tagging.spans.entries())
      expect(Math.abs(probability - expected.tagging.spans[i]!.probability)).toBeLessThanOrEqual(1e-6);
    expect(written).toBe(expected.written);
  };

  it('has at most 200 KB of code, gzipped', () => {
    const { 'index.js': code, 'recurra.wasm': module } = sizes;
    expect(code! + module!).toBeLessThanOrEqual(200_000);
    expect(code!).toBeLessThanOrEqual(34_000);
  });

  it('has no import that bundlers warn of, and no dead link', () => {
    const imports = readFileSync(join(folder, 'recurra-web', 'index.js'), 'utf8').match(/\bimport\(.*/g);
    expect(imports).toEqual([expect.stringMatching(/^import\(\/\* @vite-ignore \*\/ \/\* webpackIgnore: true \*\/ /)]);
    expect(deadLinks(join(folder, 'recurra-web'))).toEqual([]);
  });

  it('has declarations that compile with the library of the DOM and without, and with that of Node', () => {
    const home = join(folder, 'types');
    cpSync(join(folder, 'recurra-web'), join(home, 'node_modules', 'recurra-web'), { recursive: true });
    const program = `
      import { load, type GenerateOptions, type ModuleSource, type Prediction } from 'recurra-web';
      export async function labelled(bytes: Uint8Array, module: ModuleSource): Promise<Prediction> {
        return (await load(bytes, { kind: 'classifier', module })).predict('a text', { topK: 1 });
      }
      // @ts-expect-error: there is no beam search
      export const options: GenerateOptions = { beamSize: 2 };
      // @ts-expect-error: no source of bytes
      export const none = load(5);
    `;
    writeFileSync(join(home, 'small.ts'), program);
    const outside = `
      export const stopped: GenerateOptions = { signal: new AbortController().signal };
      export const model = load(new URL('https://example.com/m.safetensors'), { module: new Response('') });
      export const chosen = load(new Blob(['']));
      // @ts-expect-error: nor is a number a signal
      export const numbered: GenerateOptions = { signal: 5 };
    `;
    const compiled = 'export const early = async (of: WebAssembly.Module) => load("m", { module: of });';
    writeFileSync(join(home, 'whole.ts'), program + outside);
    writeFileSync(join(home, 'page.ts'), program + outside + compiled);
    for (const [name, lib, types] of [
      ['small.ts', ['es2022'], []],
      ['page.ts', ['es2022', 'dom'], []],
      ['whole.ts', ['es2022'], ['node']],
    ] as const) {
      const compiled = ts.createProgram([join(home, name)], {
        ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, target: ts.ScriptTarget.ES2022 },
        ...{ module: ts.ModuleKind.Preserve, moduleResolution: ts.ModuleResolutionKind.Bundler },
        ...{ lib: lib.map((part) => `lib.${part}.d.ts`), types: [...types] },
        typeRoots: [join(checkout, 'node_modules', '@types')],
      });
      // The program and the declarations; what the compiler itself brings is not looked at.
      const looked = compiled.getSourceFiles().filter(({ fileName }) => fileName.startsWith(home));
      expect(looked).toHaveLength(2);
      const found = [
        ...compiled.getGlobalDiagnostics(),
        ...looked.flatMap((file) => compiled.getSemanticDiagnostics(file)),
      ];
      expect(
        found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
        name,
      ).toEqual([]);
    }
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
    const examples = examplesOf('docs/browser.md');
    expect(examples[0]!.code).toContain("await load('/tickets.safetensors', { kind: 'classifier' })");
    const program = examples.find(({ name }) => name === 'predict.mjs');
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
      const found = (await answer!.jsonValue()) as Answer;
      expect(found.kind).toBe(kind);
      answers(found);
      await page.close();
    });

    it('points into every text on a page as elsewhere', async () => {
      const page = await browser.newPage();
      await page.goto(`${address()}/page.html`);
      await page.waitForFunction(() => 'answer' in globalThis);
      const texts = fc.sample(fc.array(fc.oneof(anyText, fc.constantFrom('Ada ', ' in Paris', '👩‍🚀 Eve'))), 80);
      const given = texts.map((parts) => parts.join(''));
      const tagged = (texts: string[]) => (globalThis as unknown as { tagged(texts: string[]): string }).tagged(texts);
      const found = JSON.parse(await page.evaluate(tagged, given)) as TextTagging[];
      using native = await TextTagger.load(join(folder, 'tags.safetensors'));
      for (const [i, { tokens, starts, tags, spans }] of found.entries()) {
        const text = given[i]!;
        expect(tokens.map((token, at) => text.slice(starts[at], starts[at]! + token.length))).toEqual(tokens);
        for (const span of spans) expect(text.slice(span.start, span.end)).toBe(span.text);
        // The ICU of a browser may split a text elsewhere.
        expect(tags).toEqual((await native.predict(tokens)).tags);
      }
      await page.close();
    });

    it('answers as one types on the page of examples/browser', async () => {
      const names = { topics: 'm', names: 'tags', dictionary: 'words' };
      const example = join(folder, 'recurra-web', 'example');
      expect(readFileSync(join(example, 'models.json'), 'utf8')).toBe('[]\n');
      const page = await browser.newPage();
      page.setDefaultTimeout(8_000);
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => complaints.push(message.text()));
      // As it comes: it opens a file that is chosen, and says what is wrong with another one.
      await page.goto(`${address()}/recurra-web/example/index.html`);
      await page.getByText('Choose a model file').waitFor();
      expect(await page.getByRole('combobox').count()).toBe(0);
      const chosen = page.getByLabel('A model file of yours');
      await chosen.setInputFiles({
        name: 'rows.csv',
        mimeType: 'text/csv',
        buffer: Buffer.from('text,label\na dog,animal\n'),
      });
      await page.getByText('the model cannot be read: rows.csv begins with "text,label').waitFor();
      expect(await page.getByRole('textbox').isDisabled()).toBe(true);
      await chosen.setInputFiles(join(folder, 'm.safetensors'));
      await page.getByText('0 of 0 words').waitFor();
      await page.keyboard.type('bread');
      await page.getByRole('listitem').filter({ hasText: /^food/ }).first().waitFor();
      // With models next to it.
      for (const [to, from] of Object.entries(names))
        cpSync(join(folder, `${from}.safetensors`), join(example, `${to}.safetensors`));
      const listed = Object.keys(names).map((name) => ({ name, file: `${name}.safetensors` }));
      writeFileSync(join(example, 'models.json'), JSON.stringify(listed));
      await page.reload();
      await page.getByText('0 of 0 words').waitFor();
      await page.keyboard.type('a dog with a tail');
      await page.getByText('5 of 5 words are known').waitFor();
      const first = page.getByRole('listitem').first();
      expect(await first.textContent()).toMatch(/^animal\d+\.\d %$/);
      await page.getByRole('textbox').fill('<b>salt</b> and bread');
      await page.getByRole('listitem').filter({ hasText: /^food/ }).first().waitFor();
      expect(await page.getByRole('listitem').count()).toBe(3);
      await page.getByRole('combobox').selectOption('names');
      await page.getByText(/^\d+ names?;/).waitFor();
      await page.getByRole('textbox').fill('<b>Bob</b> lives in New York');
      await page.locator('mark .part').getByText('New York').waitFor();
      expect(await page.locator('#answer').evaluate((node) => node.querySelector('b'))).toBe(null);
      await page.getByRole('combobox').selectOption('dictionary');
      await page.getByText('The model writes on.').waitFor();
      await page.getByRole('textbox').fill('the c');
      await page.locator('.written').filter({ hasText: 'at sat.' }).waitFor();
      expect(complaints).toEqual([]);
      await page.close();
    });
  });
});
