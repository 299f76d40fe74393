import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LanguageModel, reportModel, reportPage, Seq2Seq, TextClassifier, TextTagger } from '../../src/index.js';
import { chromiumPath } from '../support/chromium.js';
import { CONTRASTS } from '../support/contrasts.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const executablePath = chromiumPath();
const folder = temporaryFolder();
/** What would do harm if it were taken for HTML, or ended the script that holds the data. */
const HOSTILE_LABEL = '<img src=x onerror="document.title=1">';
const HOSTILE_TEXT = '</script><script>document.title = 2</script><b>dog</b> \u2028 & "fur" {{cat}}';

describe.skipIf(!executablePath)('the page of a report', () => {
  const path = join(folder, 'report.html');
  let browser: Browser;
  let complaints: string[];

  beforeAll(async () => {
    const named = (seed: number, count: number) =>
      topicTexts(count, seed).map(({ text, label }) => ({ text, label: label === 'food' ? HOSTILE_LABEL : label }));
    const training = named(1, 240);
    await using model = await TextClassifier.train(training, {
      ...{ embeddingDim: 16, hiddenSize: 16, lr: 1e-2, seed: 1, validation: 0.2 },
    });
    const rows = named(4, 120).map((row, at) => (at % 9 === 0 ? { ...row, label: HOSTILE_LABEL } : row));
    const report = await reportModel(model, [...rows, { text: HOSTILE_TEXT, label: 'tool' }], { resamples: 100 });
    writeFileSync(path, reportPage(report, { title: 'Topics <b>', subtitle: 'a & b' }));
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  /** Opens the page without a network; `complaints` collects requests and what the browser objects to. */
  async function open(width: number, colorScheme: 'light' | 'dark', file = path): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, offline: true });
    const page = await context.newPage();
    complaints = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (asked) => {
      if (asked.url() !== pathToFileURL(file).href && !asked.url().startsWith('data:')) complaints.push(asked.url());
    });
    await page.goto(pathToFileURL(file).href);
    await page.getByRole('heading', { name: 'How it was trained' }).waitFor();
    return page;
  }

  it.each([
    [400, 'light'],
    [400, 'dark'],
    [1200, 'light'],
    [1200, 'dark'],
  ] as const)('fits %d pixels and can be read in %s', async (width, scheme) => {
    const page = await open(width, scheme);
    await expect.poll(() => page.locator('canvas').count()).toBe(5);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    for (const { contrast, text, kind } of (await page.evaluate(CONTRASTS)) as {
      contrast: number;
      text: string;
      kind: string;
    }[])
      expect(contrast, `${kind}: ${text}`).toBeGreaterThanOrEqual(4.5);
    const canvas = (await page.locator('canvas').first().boundingBox())!;
    expect(canvas.width).toBeGreaterThan(250);
    expect(canvas.x + canvas.width).toBeLessThanOrEqual(width);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('has names for what is seen, and numbers behind each chart', async () => {
    const page = await open(1200, 'light');
    expect(
      await page
        .getByRole('region')
        .evaluateAll((all) =>
          all.every((each) => each.getAttribute('aria-label') || each.getAttribute('aria-labelledby')),
        ),
    ).toBe(true);
    expect(await page.getByRole('img', { name: /^Calibration\. The probabilities are off by [\d.]+ %/ }).count()).toBe(
      1,
    );
    expect(
      await page
        .getByRole('table')
        .evaluateAll(
          (all) => all.filter((each) => !each.querySelector('caption') && !each.matches('.u-legend')).length,
        ),
    ).toBe(0);
    const chart = page.locator('figure', { hasText: 'Precision against coverage' });
    await chart.getByText('As a table').click();
    // The table is made once the browser says that it is wanted.
    await expect.poll(() => chart.getByRole('row').count(), { timeout: 10_000 }).toBeGreaterThan(10);
    expect(await page.locator('nav a').count()).toBe(await page.locator('main > section').count());
    await page.context().close();
  });

  it('has the sections that the guide names, in its order', async () => {
    const [, table] = readFileSync('docs/reporting.md', 'utf8').split('| section | what it shows |\n|---|---|\n');
    const named = table!
      .slice(0, table!.indexOf('\n\n'))
      .split('\n')
      .map((row) => row.split(' | ')[0]!.slice(2));
    const page = await open(1200, 'light');
    expect(await page.locator('main h2').allTextContents()).toEqual(named);
    await page.context().close();
  });

  it('opens the texts of a cell by the keyboard, and sorts a table', async () => {
    const page = await open(1200, 'light');
    await page.locator('.matrix button[tabindex="0"]').focus();
    await page.keyboard.press('ArrowRight');
    const name = await page.evaluate('document.activeElement.ariaLabel');
    expect(name).toMatch(/^\d+ rows? of .* given .*, [\d.]+ %$/);
    await page.keyboard.press('Enter');
    const opened = page.getByRole('region', { name: 'Texts of the chosen cell' });
    expect(await opened.locator('blockquote').count()).toBeGreaterThan(0);
    const labels = page.locator('#labels');
    const listed = async () => {
      const cells = await labels.locator('tbody tr td:last-child').allTextContents();
      return cells.map((text) => Number.parseFloat(text));
    };
    expect(await labels.locator('th[aria-sort="ascending"]').textContent()).toBe('F1');
    expect(await labels.locator('caption').textContent()).toContain('the lowest F1 first');
    expect(await listed()).toEqual((await listed()).sort((a, b) => a - b));
    await labels.getByRole('button', { name: 'F1' }).click();
    expect(await labels.locator('th[aria-sort="descending"]').textContent()).toBe('F1');
    const numbers = await listed();
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('shows texts and labels as they are, never as HTML', async () => {
    const page = await open(1200, 'light');
    expect(await page.title()).toBe('Topics <b>');
    expect(await page.locator('main img, main script, main b b').count()).toBe(0);
    expect(await page.locator('#labels th', { hasText: HOSTILE_LABEL }).count()).toBe(1);
    expect(await page.locator('main').textContent()).toContain('<b>dog</b>');
    await page.evaluate(`{
      const script = document.createElement('script');
      script.textContent = 'document.title = 3';
      document.body.append(script);
    }`);
    expect(await page.title()).toBe('Topics <b>');
    expect(complaints).toEqual([expect.stringMatching(/Content Security Policy/)]);
    await page.context().close();
  });

  it.each(['tagger', 'language', 'seq2seq'])('shows a %s', async (kind) => {
    const rows = Array.from({ length: 30 }, (_, at) => ({
      tokens: ['Ada', at % 2 ? 'saw' : 'met', 'Bob'],
      tags: ['B-PER', 'O', at % 3 ? 'B-PER' : 'B-LOC'],
    }));
    const small = { epochs: 1, hiddenSize: 8, seed: 1 };
    const reportOf = async () => {
      if (kind === 'tagger') {
        await using model = await TextTagger.train(rows, small);
        return await reportModel(model, rows);
      }
      if (kind === 'language') {
        await using model = await LanguageModel.train(['abcabcabc'], { ...small, window: 2 });
        return await reportModel(model, ['abcabc <b>']);
      }
      await using model = await Seq2Seq.train([{ source: 'ab', target: 'ba' }], small);
      return await reportModel(model, [{ source: 'ab', target: '<b>' }]);
    };
    const file = join(folder, `${kind}.html`);
    writeFileSync(file, reportPage(await reportOf()));
    for (const scheme of ['light', 'dark'] as const) {
      const page = await open(400, scheme, file);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400);
      const [least] = (await page.evaluate(CONTRASTS)) as { contrast: number; text: string }[];
      expect(least!.contrast, least!.text).toBeGreaterThanOrEqual(4.5);
      expect(await page.locator('.tile').count()).toBeGreaterThanOrEqual(4);
      expect(complaints).toEqual([]);
      await page.context().close();
    }
  });
});
