import { Validator } from '@seriousme/openapi-schema-validator';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TextTagger, type TextTagging } from '../../src/index.js';
import { createServer, type ModelServer } from '../../src/serve/index.js';
import { chromiumPath } from '../support/chromium.js';
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
    expect(document.paths['/predict']!.post.summary).toBe('Find the spans of one text.');
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
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  it('marks the spans of a text, each with its label, and shows all of it as text', async () => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(url);
    await page.getByText('2 labels').waitFor();
    expect(await page.getByLabel('Labels to show').isVisible()).toBe(false);
    const text = '😀 In New York, <b>x</b> Bob  likes it';
    await page.getByLabel('Text', { exact: true }).fill(text);
    await page.keyboard.press('Control+Enter');
    await page.getByRole('article').waitFor();
    const { spans } = await model.predict(text);
    const marks = page.locator('blockquote mark');
    expect(await marks.locator('.part').allTextContents()).toEqual(spans.map((span) => span.text));
    expect(await marks.locator('.label').allTextContents()).toEqual(spans.map(({ label }) => label));
    const whole = await page.locator('blockquote').evaluate((node) => {
      for (const label of node.querySelectorAll('.label')) label.remove();
      return node.textContent;
    });
    expect(whole).toBe(text);
    expect(await page.getByRole('status').textContent()).toBe(`${spans.length} spans.`);
    expect(await page.locator('main img, main b').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
