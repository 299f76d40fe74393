import { Validator } from '@seriousme/openapi-schema-validator';
import fc from 'fast-check';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TextTagger, type TextTagging } from '../../src/index.js';
import { createServer, type ModelServer } from '../../src/serve/index.js';
import { anyText } from '../support/anyText.js';
import { chromiumPath } from '../support/chromium.js';
import { expectReadable, LOOKS, openPage, startBrowser, walk } from '../support/page.js';
import { placeRows } from '../support/places.js';

const executablePath = chromiumPath();
/** A label that would do harm if it were taken for HTML. */
const HOSTILE = '<img src=x onerror="document.title=1">';

let model: TextTagger;
let server: ModelServer;
let url: string;

beforeAll(async () => {
  const rows = placeRows(200).map(({ text, spans }) => ({
    text,
    spans: spans.map((span) => ({ ...span, label: span.label === 'LOC' ? HOSTILE : span.label })),
  }));
  const options = { embeddingDim: 16, hiddenSize: 16, epochs: 6, lr: 0.02, dropout: 0.2, seed: 1 };
  model = await TextTagger.train(rows, options);
  server = await createServer(model, { port: 0, maxTexts: 5, maxTextLength: 1_000 });
  url = await server.listen();
});
afterAll(async () => {
  await server?.close();
  await model?.close();
});

/** What a server answers, of either route. */
type Answer = TextTagging & { predictions: TextTagging[] };

async function post(path: string, body: unknown) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Answer };
}

const TEXT = '😀 In New York, \ud800 <b>Bob</b>  likes it';

describe('a server with a tagger', () => {
  it('answers with spans that point into the text', async () => {
    const { status, body } = await post('/predict', { text: TEXT });
    expect(status).toBe(200);
    expect(body).toEqual(JSON.parse(JSON.stringify(await model.predict(TEXT))));
    const { spans } = body;
    expect(spans.map(({ text }) => text)).toContain('New York');
    for (const { start, end, text } of spans) expect(TEXT.slice(start, end)).toBe(text);
    const many = await post('/predict/many', { texts: [TEXT, '', 'Eve lives in Rome.'] });
    expect(many.body.predictions.map(({ tags }) => tags.length)).toEqual([body.tags.length, 0, 5]);
  });

  it('points into every text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.oneof(anyText, fc.constantFrom('Ada ', ' in Paris', '👩‍🚀 Eve'))), { maxLength: 5 }),
        async (parts) => {
          const texts = parts.map((words) => words.join(''));
          const { status, body } = await post('/predict/many', { texts });
          expect(status).toBe(200);
          // JSON has no other numbers than these.
          expect(body.predictions).toEqual(JSON.parse(JSON.stringify(await model.predictMany(texts))));
          for (const [i, { tokens, starts, tags, spans }] of body.predictions.entries()) {
            const text = texts[i]!;
            expect(tokens.map((token, at) => text.slice(starts[at], starts[at]! + token.length))).toEqual(tokens);
            for (const { start, end, text: part } of spans) expect(text.slice(start, end)).toBe(part);
            expect(tags).toHaveLength(tokens.length);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('tags tokens', async () => {
    const tokens = ['Bob', 'lives', 'in', 'New', 'York', ''];
    const { status, body } = await post('/predict', { tokens });
    expect(status).toBe(200);
    expect(body).toEqual(JSON.parse(JSON.stringify(await model.predict(tokens))));
    expect(body).toMatchObject({ tokens, tags: ['B-PER', 'O', 'O', `B-${HOSTILE}`, `I-${HOSTILE}`, 'O'] });
    expect(body).not.toHaveProperty('starts');
    expect(body.spans.at(-1)).toMatchObject({ start: 3, end: 5, text: 'New York' });
    const many = await post('/predict/many', { sentences: [tokens, [], ['Eve']] });
    expect(many.body.predictions.map(({ tags }) => tags.length)).toEqual([6, 0, 1]);
    const refused = async (path: string, body: object) => {
      const { status, body: answer } = await post(path, body);
      const { message } = (answer as unknown as { error: { code: string; message: string } }).error;
      return [status, message.replace(/; for example: curl .*$/, '')];
    };
    expect(await refused('/predict', {})).toEqual([400, 'Expected either "text" or "tokens" in body']);
    expect(await refused('/predict', { text: '', tokens })).toEqual([
      400,
      'Expected either "text" or "tokens" in body',
    ]);
    expect(await refused('/predict', { tokens: 'Bob' })).toEqual([
      400,
      'Expected an array for body.tokens but received string "Bob"',
    ]);
    expect(await refused('/predict', { tokens: ['Bob', 5] })).toEqual([
      400,
      'Expected a string for body.tokens[1] but received number 5',
    ]);
    expect(await refused('/predict', { tokens: Array(11).fill('a'.repeat(99)) })).toEqual([
      413,
      'Expected at most 1,000 characters in body.tokens',
    ]);
    expect(await refused('/predict', { tokens: Array(1_001).fill('') })).toEqual([
      413,
      'Expected at most 1,000 elements in body.tokens',
    ]);
    expect(await refused('/predict/many', { sentences: Array(6).fill(['a']) })).toEqual([
      413,
      'Expected at most 5 elements in body.sentences',
    ]);
    expect(await refused('/predict/many', { sentences: [['a'], Array(11).fill('a'.repeat(99))] })).toEqual([
      413,
      'Expected at most 1,000 characters in body.sentences[1]',
    ]);
  });

  it('says what it is, and refuses what does not fit', async () => {
    expect(await (await fetch(`${url}/model`)).json()).toMatchObject({
      kind: 'tagger',
      scheme: 'IOB2',
      labels: [HOSTILE, 'PER'],
    });
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: Record<string, { post: { summary: string } }>;
    };
    expect(await new Validator().validate(document)).toMatchObject({ valid: true });
    expect(document.paths['/predict']!.post.summary).toMatch('Find the spans of one text');
    expect(await post('/predict', { text: 5 })).toMatchObject({ status: 400 });
    expect(await post('/predict', { text: 'a', topK: 1 })).toMatchObject({ status: 400 });
    expect(await post('/predict', { text: 'a'.repeat(1_001) })).toMatchObject({ status: 413 });
    expect(await post('/predict/many', { texts: Array(6).fill('a') })).toMatchObject({ status: 413 });
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/\nrecurra_tokens_total [1-9]/);
  });
});

describe.skipIf(!executablePath)('its page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  it.each(LOOKS)(
    'marks the spans of a text, in $scheme and $width pixels, and shows all of it as text',
    async (looks) => {
      const { page, complaints } = await openPage(browser, url, looks);
      const text = '😀 In New York, <b>x</b> Bob  likes it';
      await page.getByRole('textbox', { name: 'Text' }).fill(text);
      await page.getByRole('article').waitFor();
      const { spans } = await model.predict(text);
      const marks = page.locator('blockquote mark');
      expect(await marks.locator('.part').allTextContents()).toEqual(spans.map((span) => span.text));
      expect(await marks.locator('.label').allTextContents()).toEqual(spans.map(({ label }) => label));
      expect(await page.getByRole('rowheader').allTextContents()).toEqual(spans.map((span) => span.text));
      await expectReadable(page);
      const whole = await page.locator('blockquote').evaluate((node) => {
        for (const label of node.querySelectorAll('.label')) label.remove();
        return node.textContent;
      });
      expect(whole).toBe(text);
      const found = spans.map((span) => `${span.text}: ${span.label}`).join(', ');
      expect(await page.locator('#done').textContent()).toBe(`${spans.length} spans: ${found}.`);
      expect(await page.locator('main img, main b').count()).toBe(0);
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );

  it('tags each line', async () => {
    const { page } = await openPage(browser, url);
    await page.getByLabel('Each line is a text').check();
    await page.getByRole('textbox', { name: 'Text' }).fill('Bob lives in Rome.\n\nEve lives in Paris.');
    await page.locator('#done').filter({ hasText: '2 texts tagged.' }).waitFor({ state: 'attached' });
    expect(await page.locator('mark .part').allTextContents()).toEqual(['Bob', 'Rome', 'Eve', 'Paris']);
    await page.context().close();
  });

  it('says of what it knows nothing', async () => {
    const { page } = await openPage(browser, url);
    await page.getByRole('textbox', { name: 'Text' }).fill('zzz qqq');
    await page.getByRole('article').waitFor();
    expect(await page.getByRole('article').textContent()).toMatch(/^0 of 2 tokens are known to the model\./);
    await page.getByLabel('Each line is a text').check();
    await page.getByRole('textbox', { name: 'Text' }).fill('zzz qqq\nBob lives in Rome.');
    await page.locator('#done').filter({ hasText: '2 texts tagged.' }).waitFor({ state: 'attached' });
    const articles = await page.getByRole('article').allTextContents();
    expect(articles.map((each) => each.endsWith('No token is known to the model.'))).toEqual([true, false]);
    await page.context().close();
  });

  it('lists the tags of a model without spans', async () => {
    const tokens = ['the', 'dog', 'runs'];
    const rows = Array.from({ length: 60 }, () => ({ tokens, tags: ['DET', 'NOUN', 'VERB'] }));
    await using plain = await TextTagger.train(rows, { embeddingDim: 8, hiddenSize: 8, epochs: 6, lr: 0.05, seed: 1 });
    const other = await createServer(plain, { port: 0 });
    const { page, complaints } = await openPage(browser, await other.listen());
    await page.getByRole('textbox', { name: 'Text' }).fill('the dog runs');
    await page.getByRole('article').waitFor();
    expect(await page.getByRole('rowheader').allTextContents()).toEqual(tokens);
    const { tags, probabilities } = await plain.predict('the dog runs');
    const cells = await page.getByRole('article').getByRole('row').allTextContents();
    expect(cells.slice(1)).toEqual(
      tokens.map((token, i) => `${token}${tags[i]}${(100 * probabilities[i]!).toFixed(1)} %`),
    );
    await page.getByRole('textbox', { name: 'Text' }).fill('the dog runs '.repeat(80));
    await page.getByText('The first 200 of 240 tokens.').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
    await other.close();
  });

  it('works by the keyboard alone', async () => {
    const { page, complaints } = await openPage(browser, url);
    const status = (said: string) => page.locator('#done').filter({ hasText: said }).waitFor({ state: 'attached' });
    const written = () => page.getByRole('textbox', { name: 'Text' }).inputValue();
    expect(await walk(page, 1)).toEqual(['text']);
    await page.keyboard.type('Bob lives in Rome.');
    await page.keyboard.press('Control+Enter');
    await status(`Bob: PER, Rome: ${HOSTILE}.`);
    expect(await walk(page, 4)).toEqual(['lines', 'send', 'live', 'forget']);
    // Back to the box of lines: each line is a text from now on, and nothing is asked by itself.
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    expect(await page.evaluate('document.activeElement.id')).toBe('lines');
    await page.keyboard.press('Space');
    await status('1 text tagged.');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Control+End');
    await page.keyboard.press('Enter');
    await page.keyboard.type('Eve lives in Paris.');
    await page.keyboard.press('Control+Enter');
    await status('2 texts tagged.');
    expect(await page.locator('mark .part').allTextContents()).toEqual(['Bob', 'Rome', 'Eve', 'Paris']);
    // What was tried comes back, by the keys and by the list.
    await page.keyboard.press('Alt+ArrowUp');
    expect(await written()).toBe('Bob lives in Rome.');
    await status('1 text tagged.');
    await page.keyboard.press('Alt+ArrowDown');
    expect(await written()).toBe('Bob lives in Rome.\nEve lives in Paris.');
    await status('2 texts tagged.');
    expect((await walk(page, 6)).at(-1)).toMatch(/^Bob lives in Rome\.(?!\n)/);
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('text');
    expect(await written()).toBe('Bob lives in Rome.');
    await status('1 text tagged.');
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
