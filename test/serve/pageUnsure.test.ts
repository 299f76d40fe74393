import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { createServer, type ModelServer, type ServerOptions } from '../../src/serve/index.js';
import { chromiumPath } from '../support/chromium.js';
import { expectReadable, LOOKS, openPage, startBrowser } from '../support/page.js';
import { topicTexts } from '../support/texts.js';

const SMALL = { embeddingDim: 8, hiddenSize: 8, lr: 1e-2, seed: 1 };

/** Every seventh row has the label of the next one, so that no threshold but a high one is precise. */
function rowsWithMistakes(rows: number) {
  const made = topicTexts(rows);
  return made.map(({ text, label }, i) => ({ text, label: i % 7 === 0 ? made[(i + 1) % rows]!.label : label }));
}

describe.skipIf(!chromiumPath())('the page of a classifier that may be unsure', () => {
  let model: TextClassifier;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  const servers: ModelServer[] = [];

  beforeAll(async () => {
    model = await TextClassifier.train(rowsWithMistakes(600), { ...SMALL, validation: 0.3 });
    browser = await startBrowser();
  });
  afterEach(async () => {
    await page.context().close();
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });
  afterAll(async () => {
    await browser?.close();
    await model?.close();
  });

  async function open(options: ServerOptions = {}, looks = {}, served = model): Promise<string> {
    const server = await createServer(served, { port: 0, ...options });
    servers.push(server);
    const url = await server.listen();
    ({ page, complaints } = await openPage(browser, url, looks));
    return url;
  }
  const text = () => page.getByRole('textbox', { name: 'Text' });
  const precision = () => page.getByLabel('Wanted precision');
  const status = (said: string | RegExp) =>
    page.locator('#done').filter({ hasText: said }).waitFor({ state: 'attached' });
  /** The body that the code on the page sends. */
  async function asked() {
    const [, body] = /-d '(.*)'/.exec((await page.locator('#code').textContent())!)!;
    return JSON.parse(body!) as Record<string, unknown>;
  }
  /** Moves the slider until it stands at a precision. */
  async function want(shown: string) {
    await precision().press('Home');
    for (let i = 0; i < 110 && (await page.locator('output[for="precision"]').textContent()) !== shown; i++)
      await precision().press('ArrowRight');
    expect(await page.locator('output[for="precision"]').textContent()).toBe(shown);
  }

  it('withholds labels below the threshold of a precision', async () => {
    await open();
    const { precision: best } = model.precisionThresholds!.at(-1)!;
    expect(best).toBeGreaterThan(0.9);
    await text().fill('a small dish');
    await status('food, ');
    expect(await asked()).toEqual({ text: 'a small dish', topK: 3 });
    expect(await precision().getAttribute('aria-valuetext')).toBe('any');
    await want('90 %');
    expect(await precision().getAttribute('aria-valuetext')).toBe('90 percent');
    expect(await asked()).toEqual({ text: 'a small dish', topK: 3, precision: 0.9 });
    const { minProbability, coverage, rows } = model.thresholdFor(0.9);
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
    expect(await page.locator('#precision-note').textContent()).toContain(
      `The threshold is ${percent(minProbability)}. It labelled ${rows} validation rows (${percent(coverage)}), `,
    );
    // What all labels reach needs no threshold.
    await precision().press('Home');
    await precision().press('ArrowRight');
    const { minProbability: none, rows: all } = model.precisionThresholds![0]!;
    expect(none).toBe(0);
    expect(await page.locator('#precision-note').textContent()).toMatch(
      `No label is withheld: of ${all} validation rows, `,
    );
    await want('90 %');
    // The page answers as the model does.
    for (const each of ['a small dish', 'hammer nail steel', 'hammer bread']) {
      await text().fill(each);
      await page.locator('blockquote').filter({ hasText: each }).waitFor();
      const { label, classes } = await model.predict(each, { precision: 0.9 });
      await status(label ?? 'Unsure.');
      if (label !== null) continue;
      expect(await page.getByRole('article').textContent()).toContain(
        `${classes[0]!.label} with ${percent(classes[0]!.probability)} is most probable, but below ${percent(minProbability)}, the threshold for a precision of 90 %.`,
      );
    }
    // Of both limits the stricter one is named.
    await text().fill('of the');
    await page.getByLabel('Unsure below').fill('99');
    await page.getByText('but below 99 %.').waitFor();
    expect(await asked()).toEqual({ text: 'of the', topK: 3, minProbability: 0.99, precision: 0.9 });
    // All that can be asked for is answered.
    await precision().press('End');
    await status('Unsure.');
    expect(((await asked()).precision as number) <= best).toBe(true);
    expect(await page.getByRole('alert').textContent()).toBe('');
    await page.getByText('JavaScript', { exact: true }).click();
    expect(await page.locator('#code').textContent()).toMatch(/"precision": (0\.9\d*|1)\n/);
    expect(complaints).toEqual([]);
  });

  it('says what is out of scope', async () => {
    await open();
    const strange = 'quarterly revenue fell sharply';
    await text().fill(strange);
    await status(', ');
    expect(await page.locator('#answers').textContent()).not.toContain('scope');
    await page.getByLabel('Say what is out of scope').check();
    await status(/out of scope\.$/);
    await page.getByText('Out of scope: this text is unlike those of the training.').waitFor();
    expect(await asked()).toEqual({ text: strange, topK: 3, outOfScope: true });
    await text().fill('bread with salt');
    await status(/^food, [\d.]+ %, in scope\.$/);
    await page.getByText('In scope: this text is like those of the training.').waitFor();
    await page.getByLabel('Each line is a text').check();
    await text().fill(`bread with salt\n${strange}`);
    await status('2 texts labelled, 1 out of scope.');
    const cells = page.locator('.many td:nth-child(2)');
    expect(await cells.nth(0).textContent()).toBe('foodin scope');
    expect(await cells.nth(1).textContent()).toMatch(/out of scopeno known token$/);
    expect(complaints).toEqual([]);
  });

  it.each(LOOKS)('fits $width pixels and can be read in $scheme', async (looks) => {
    await open({}, looks);
    await precision().press('End');
    await page.getByLabel('Say what is out of scope').check();
    await text().fill('quarterly revenue fell sharply');
    await status('out of scope.');
    await expectReadable(page);
    await page.getByLabel('Each line is a text').check();
    await text().fill('bread with salt and a very long text behind it\nquarterly revenue fell sharply');
    await status('out of scope.');
    await expectReadable(page);
    expect(complaints).toEqual([]);
  });

  it('begins with the precision of the server, and can do without it', async () => {
    const usual = 0.905;
    const url = await open({ precision: usual });
    expect(await page.locator('output[for="precision"]').textContent()).toBe('90.5 %');
    const unsure = 'the dish of a dog';
    const { label } = await model.predict(unsure, { precision: usual });
    const { label: any } = await model.predict(unsure);
    expect([label, any]).toEqual([null, expect.any(String)]);
    await text().fill(unsure);
    await status('Unsure.');
    expect(await asked()).toEqual({ text: unsure, topK: 3, precision: usual });
    await precision().press('Home');
    await status(`${any}, `);
    // A request without either would have the precision of the server.
    expect(await asked()).toEqual({ text: unsure, topK: 3, minProbability: 0 });
    const about = (await (await fetch(`${url}/model`)).json()) as Record<string, unknown>;
    expect(about).toMatchObject({ precision: usual, outOfScope: true });
    expect(about.precisionThresholds).toEqual(JSON.parse(JSON.stringify(model.precisionThresholds)));
  });

  it('has no control that its model cannot follow', async () => {
    const rows = topicTexts(90);
    const options = { ...SMALL, epochs: 1 };
    await using plain = await TextClassifier.train(rows, options);
    await open({}, {}, plain);
    expect(await page.locator('#precision, #scope').count()).toBe(0);
    await page.context().close();
    const several = rows.map(({ text: each, label }) => ({ text: each, label: [label as string] }));
    await using multi = await TextClassifier.train(several, { ...options, validation: 0.3, multiLabel: true });
    await open({}, {}, multi);
    // It has a threshold for each label, and knows what its texts look like.
    expect(await page.locator('#precision').count()).toBe(0);
    await page.getByLabel('Say what is out of scope').check();
    await text().fill('quarterly revenue');
    await status(/scope\.$/);
    expect(complaints).toEqual([]);
  });
});
