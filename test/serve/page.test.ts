import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { createServer, type ModelServer } from '../../src/serve/index.js';
import { chromiumPath } from '../support/chromium.js';
import { topicTexts } from '../support/texts.js';

const executablePath = chromiumPath();
/** A label that would do harm if it were taken for HTML, as the text below would. */
const HOSTILE_LABEL = '<img src=x onerror="document.title=1">';
const HOSTILE_TEXT = '<script>document.title = 2</script><b>bold</b> & "fur"';

describe.skipIf(!executablePath)('the page for trying texts', () => {
  let model: TextClassifier;
  let server: ModelServer;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    const rows = topicTexts(300).map(({ label, text }) => ({ text, label: label === 'food' ? HOSTILE_LABEL : label }));
    model = await TextClassifier.train(rows, { embeddingDim: 16, hiddenSize: 16, lr: 1e-2, seed: 1 });
    server = await createServer(model, { port: 0, maxTexts: 5 });
    await server.listen();
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await model?.close();
  });
  afterEach(() => page.close());

  /** Opens the page; `complaints` then collects what the browser objects to. */
  async function open(): Promise<void> {
    page = await browser.newPage();
    complaints = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (asked) => {
      if (!asked.url().startsWith(server.url!) && !asked.url().startsWith('data:')) complaints.push(asked.url());
    });
    await page.goto(server.url!);
    await page.getByText('3 labels').waitFor();
  }

  it('labels a text with the keyboard alone', async () => {
    await open();
    await page.keyboard.press('Tab');
    await page.keyboard.type('a dog with a tail');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('status').filter({ hasText: 'animal.' }).waitFor();
    const article = page.getByRole('article');
    expect(await article.locator('blockquote').textContent()).toBe('a dog with a tail');
    expect(await article.getByRole('row').count()).toBe(4);
    expect(await article.getByRole('rowheader').first().textContent()).toBe('animal');
    expect(await article.getByRole('row').nth(1).getByRole('cell').first().textContent()).toMatch(/^\d+\.\d %$/);
    expect(await article.textContent()).toContain('5 of 5 tokens are known to the model.');
    // On with Tab to each control in turn, and the button works by the space bar.
    const visited = [];
    for (let i = 0; i < 3; i++) {
      await page.keyboard.press('Tab');
      visited.push(await page.evaluate('document.activeElement.id'));
    }
    expect(visited).toEqual(['lines', 'top', 'send']);
    await page.getByLabel('Text', { exact: true }).fill('steel hammer');
    await page.getByRole('button', { name: 'Label' }).press('Space');
    await page.getByRole('status').filter({ hasText: 'tool.' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('labels each line, and as many labels as asked for', async () => {
    await open();
    await page.getByRole('checkbox', { name: 'Each line is a text' }).check();
    await page.getByLabel('Labels to show').fill('1');
    await page.getByLabel('Text', { exact: true }).fill('cat\n\nhammer\nzyx wvu');
    await page.getByRole('button', { name: 'Label' }).click();
    await page.getByText('3 texts labelled.').waitFor();
    const headers = await page.getByRole('rowheader').allTextContents();
    expect(headers.slice(0, 2)).toEqual(['animal', 'tool']);
    expect(headers).toHaveLength(3);
    expect(await page.getByText('The labels say nothing about this text.').count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  it('shows texts and labels as they are, never as HTML', async () => {
    await open();
    await page.getByLabel('Text', { exact: true }).fill(HOSTILE_TEXT);
    await page.getByRole('button', { name: 'Label' }).click();
    await page.getByRole('article').waitFor();
    expect(await page.locator('blockquote').textContent()).toBe(HOSTILE_TEXT);
    expect(await page.getByRole('rowheader').allTextContents()).toContain(HOSTILE_LABEL);
    expect(await page.locator('#about').textContent()).toContain(HOSTILE_LABEL);
    expect(await page.locator('main img, main script, main b').count()).toBe(0);
    expect(await page.title()).toBe('Try the model');
    expect(complaints).toEqual([]);
  });

  it('says what the server refuses, in an alert', async () => {
    await open();
    await page.getByRole('checkbox', { name: 'Each line is a text' }).check();
    await page.getByLabel('Text', { exact: true }).fill('a\nb\nc\nd\ne\nf');
    await page.getByRole('button', { name: 'Label' }).click();
    await page.getByRole('alert').filter({ hasText: 'Expected at most 5 texts in body.texts (TOO_LARGE)' }).waitFor();
    expect(await page.getByRole('article').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Label' }).isEnabled()).toBe(true);
  });

  it('runs no script but its own, and is shown in no frame', async () => {
    await open();
    await page.evaluate(`{
      const script = document.createElement('script');
      script.textContent = 'document.title = 3';
      document.body.append(script);
    }`);
    expect(await page.title()).toBe('Try the model');
    expect(complaints).toEqual([expect.stringMatching(/Content Security Policy/)]);
    await page.setContent(`<iframe src="${server.url}/"></iframe>`);
    await expect.poll(() => complaints.length).toBeGreaterThan(1);
    expect(complaints.at(-1)).toMatch(/frame-ancestors|Refused to frame|Framing/);
  });
});
