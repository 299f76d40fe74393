import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LanguageModel, Seq2Seq, TextClassifier, TextTagger } from '../../src/index.js';
import { createServer, type ModelServer } from '../../src/serve/index.js';
import { chromiumPath } from '../support/chromium.js';
import { NUMBERS, numberPairs } from '../support/numbers.js';
import { hold, openPage, startBrowser } from '../support/page.js';
import { placeRows } from '../support/places.js';
import { topicTexts } from '../support/texts.js';

const SMALL = { embeddingDim: 8, hiddenSize: 8, seed: 1, threads: 1 };

/** Answers that come late, when whoever asked has gone on. */
describe.skipIf(!chromiumPath())('the page, when answers come late', () => {
  let classifier: TextClassifier;
  let language: LanguageModel;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  const servers: ModelServer[] = [];

  beforeAll(async () => {
    classifier = await TextClassifier.train(topicTexts(120), { ...SMALL, lr: 1e-2, linear: false });
    language = await LanguageModel.train(['a cat ran. '.repeat(60)], { ...SMALL, numLayers: 1, window: 16, epochs: 1 });
    browser = await startBrowser();
  });
  afterEach(async () => {
    expect(complaints).toEqual([]);
    await page.context().close();
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });
  afterAll(async () => {
    await browser?.close();
    await classifier?.close();
    await language?.close();
  });

  async function open(model: TextClassifier | TextTagger | LanguageModel | Seq2Seq = classifier) {
    const server = await createServer(model, { port: 0, maxTextLength: 6_000 });
    servers.push(server);
    ({ page, complaints } = await openPage(browser, await server.listen()));
  }
  const text = () => page.locator('#text');
  const status = (said: string | RegExp) =>
    page.locator('#done').filter({ hasText: said }).waitFor({ state: 'attached' });
  const alert = () => page.getByRole('alert').textContent();
  const tried = () => page.locator('#tried .tried').allTextContents();
  /** From now on the page's time passes only as the test says. */
  async function stopTime() {
    await page.clock.install({ time: 0 });
    await page.clock.pauseAt(60_000);
  }
  const asksAlone = () => page.locator('#live').uncheck();
  /** Answers the text in the box, as the button does. */
  const send = () => page.locator('#send').click();

  it.each([
    ['classifier', () => classifier, 'cat'],
    ['tagger', () => TextTagger.train(placeRows(60), { ...SMALL, epochs: 1, subwords: false }), 'Bob lives in Rome.'],
    ['model of pairs', () => Seq2Seq.train(numberPairs(60), { ...NUMBERS, epochs: 1 }), '407'],
  ] as const)('shows what a %s was asked, not what its controls say by now', async (kind, make, asked) => {
    const model = await make();
    await open(model);
    await asksAlone();
    // A control that is changed asks again, in a moment: here it does not.
    await stopTime();
    const late = await hold(page, 'predict');
    await text().fill(asked);
    await send();
    await late.asked();
    // The answer to one text comes when each line is to be one.
    await page.getByLabel('Each line is a text').check({ timeout: 5_000 });
    late.release();
    await page.getByRole('article').waitFor();
    expect(await alert()).toBe('');
    expect(await page.locator('.many').count()).toBe(0);
    const many = await hold(page, 'predict/many');
    await send();
    await many.asked();
    await page.getByLabel('Each line is a text').uncheck();
    many.release();
    await status(/^1 text /);
    expect(await alert()).toBe('');
    if (kind !== 'classifier') await model.close();
  });

  it('names the limit that was asked for', async () => {
    await open();
    await asksAlone();
    await page.getByLabel('Unsure below').fill('99');
    const late = await hold(page, 'predict');
    await text().fill('of the');
    await send();
    await late.asked();
    await page.getByLabel('Unsure below').fill('10');
    late.release();
    await page.getByText('is most probable, but below 99 %.').waitFor();
  });

  it('shows a label before what speaks for it', async () => {
    await open();
    const late = await hold(page, 'explain');
    await text().fill('a dog with a tail');
    await page.getByText('What speaks for the label is being computed.').waitFor();
    expect(await page.locator('.verdict').count()).toBe(1);
    late.release();
    await page.locator('blockquote span').first().waitFor();
    expect(await page.getByText('is being computed').count()).toBe(0);
  });

  it('lists a text whose label was chosen before its answer was whole', async () => {
    await open();
    await asksAlone();
    const late = await hold(page, 'explain');
    await text().fill('a dog');
    await send();
    await page.getByText('What speaks for the label is being computed.').waitFor();
    await page.getByRole('button', { name: 'tool', exact: true }).click();
    await late.asked(2);
    late.release();
    await page.locator('.note b').filter({ hasText: 'tool' }).waitFor();
    expect(await tried()).toEqual(['a dog']);
  });

  it('takes the focus from nothing', async () => {
    await open();
    await asksAlone();
    await text().fill('a dog');
    await send();
    const label = (name: string) => page.getByRole('button', { name, exact: true });
    const focused = () => page.evaluate('document.activeElement.textContent || document.activeElement.id');
    // Another label has the focus by the time one is explained.
    const explained = await hold(page, 'explain');
    await label('tool').press('Enter');
    await explained.asked();
    await label('food').focus();
    explained.release();
    await page.locator('.note b').filter({ hasText: 'tool' }).waitFor();
    expect(await focused()).toBe('food');
    await page.unroute('**/explain');
    // A text that was tried has it when another one is added before it.
    const late = await hold(page, 'predict');
    await text().fill('a hammer');
    await send();
    await late.asked();
    await page.locator('#tried button').focus();
    late.release();
    await expect.poll(tried).toEqual(['a hammer', 'a dog']);
    expect(await focused()).toMatch(/^a dog/);
  });

  it('explains a label of the text that is shown', async () => {
    await open();
    await asksAlone();
    await text().fill('a dog');
    await send();
    await page.locator('blockquote span').first().waitFor();
    await text().fill('something else');
    await page.getByRole('button', { name: 'tool', exact: true }).click();
    await page.locator('.note b').filter({ hasText: 'tool' }).waitFor();
    expect(await page.locator('blockquote').textContent()).toBe('a dog');
    expect(await text().inputValue()).toBe('something else');
    // Where texts are answered by themselves, it is the one that is written.
    await page.locator('#live').check();
    await page.locator('blockquote').filter({ hasText: 'something else' }).waitFor();
    const late = await hold(page, 'predict');
    await text().fill('a hammer');
    await late.asked();
    await page.unroute('**/predict');
    await page.getByRole('button', { name: 'food', exact: true }).click();
    await page.locator('blockquote').filter({ hasText: 'a hammer' }).waitFor();
  });

  it('forgets what is still being answered', async () => {
    await open();
    await asksAlone();
    await text().fill('a dog');
    await send();
    await expect.poll(tried).toEqual(['a dog']);
    const late = await hold(page, 'predict');
    await text().fill('a secret');
    await send();
    await late.asked();
    await page.getByRole('button', { name: 'Forget all' }).click();
    late.release();
    await page.locator('blockquote').filter({ hasText: 'a secret' }).waitFor();
    expect(await tried()).toEqual([]);
    expect(await page.evaluate('Object.values(sessionStorage).join()')).not.toContain('secret');
    await send();
    await expect.poll(tried).toEqual(['a secret']);
  });

  it('forgets what has been answered and is not listed yet', async () => {
    await open();
    await stopTime();
    await text().fill('a dog');
    await page.clock.runFor(200);
    await status(', ');
    await page.clock.runFor(2_000);
    await expect.poll(tried).toEqual(['a dog']);
    await text().fill('a secret');
    await page.clock.runFor(200);
    await page.locator('blockquote').filter({ hasText: 'a secret' }).waitFor();
    await page.getByRole('button', { name: 'Forget all' }).click();
    await page.clock.runFor(5_000);
    expect(await tried()).toEqual([]);
  });

  it('asks for nothing by itself once it is told not to', async () => {
    await open();
    await stopTime();
    let asked = 0;
    page.on('request', (request) => {
      if (request.method() === 'POST') asked++;
    });
    await text().fill('a dog');
    await asksAlone();
    await page.clock.runFor(5_000);
    expect(asked).toBe(0);
  });

  it('answers what was typed before it knew the model', async () => {
    await open();
    const late = await hold(page, 'model');
    await page.goto(page.url(), { waitUntil: 'commit' });
    await late.asked();
    expect(await page.locator('#send').isDisabled()).toBe(true);
    await text().fill('a dog');
    late.release();
    await page.getByRole('article').waitFor();
    expect(await page.locator('#code').textContent()).toContain('a dog');
  });

  it('says why it does not know the model', async () => {
    await open();
    await page.route('**/model', (route) =>
      route.fulfill({ status: 200, contentType: 'text/html', body: '<!doctype html><p>elsewhere' }),
    );
    await page.reload();
    await page.getByRole('alert').filter({ hasText: 'The answer to GET /model is not JSON' }).waitFor();
    await page.unroute('**/model');
    await page.route('**/model', (route) => route.abort());
    await page.reload();
    await page.getByRole('alert').filter({ hasText: 'The server does not answer' }).waitFor();
    expect(complaints.splice(0)).toHaveLength(1);
  });

  it('says what is wrong with a control or a text, and asks again when it is mended', async () => {
    await open();
    await text().fill('a dog');
    await status(', ');
    await page.getByLabel('Labels to show').fill('0');
    await page
      .getByRole('alert')
      .filter({ hasText: /^Labels to show: ./ })
      .waitFor();
    await page.getByLabel('Labels to show').fill('2');
    await expect.poll(alert).toBe('');
    await text().fill('x'.repeat(6_001));
    const long = 'The text has 6,001 characters, and this server takes 6,000 (recurra serve --max-text-length).';
    await page.getByRole('alert').filter({ hasText: long }).waitFor();
    // Each line may have as many.
    await page.getByLabel('Each line is a text').check();
    await text().fill(`${'x'.repeat(4_000)}\n${'y'.repeat(4_000)}`);
    await status('2 texts labelled.');
    expect(await alert()).toBe('');
  });

  describe('of a language model', () => {
    const perplexity = async (of: string) => `Perplexity ${(await language.score(of)).perplexity.toFixed(2)}`;
    const measured = () => page.getByRole('article', { name: 'The text as the model reads it' });

    it('measures what was typed while it wrote, and keeps saying how that ended', async () => {
      await open(language);
      const late = await hold(page, 'generate');
      await page.getByLabel('Characters to write').fill('5');
      await text().fill('a cat');
      await measured().waitFor();
      await send();
      await late.asked();
      await text().fill('a dog');
      late.release();
      await measured()
        .filter({ hasText: await perplexity('a dog') })
        .waitFor();
      expect(await measured().locator('blockquote').textContent()).toBe('a dog');
      expect(await page.locator('#done').textContent()).toMatch(/^\d characters? written: /);
    });

    it('can be stopped before the first piece, and keeps the focus there', async () => {
      await open(language);
      await hold(page, 'generate');
      const stop = page.getByRole('button', { name: 'Stop', exact: true });
      expect(await stop.getAttribute('aria-disabled')).toBe('true');
      await text().fill('a cat');
      await send();
      await page.locator('#stop[aria-disabled="false"]').waitFor();
      await stop.press('Space');
      await status('Stopped.');
      expect(await stop.getAttribute('aria-disabled')).toBe('true');
      expect(await page.evaluate('document.activeElement.id')).toBe('stop');
      expect(await alert()).toBe('');
    });

    it('says nothing of a text that is there no more', async () => {
      await open(language);
      await text().fill('a cat');
      await measured().waitFor();
      await text().fill('');
      await measured().waitFor({ state: 'hidden' });
      await page.getByText('Type where a text begins').waitFor();
      expect(await page.locator('#done').textContent()).toBe('');
      await text().fill('a dog');
      await measured().waitFor();
    });

    it('shows the code of what its controls say', async () => {
      await open(language);
      await page.getByLabel('Temperature').fill('0.5');
      expect(await page.locator('#code').textContent()).toContain('"temperature":0.5');
      await page.getByLabel('Temperature').fill('-1');
      await text().fill('a cat');
      await page
        .getByRole('alert')
        .filter({ hasText: /^Temperature: ./ })
        .waitFor();
      await page.getByLabel('Temperature').fill('1');
      expect(await alert()).toBe('');
    });
  });
});
