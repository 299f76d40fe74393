import { Validator } from '@seriousme/openapi-schema-validator';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Seq2Seq } from '../../src/index.js';
import { createServer, type ModelServer } from '../../src/serve/index.js';
import { chromiumPath } from '../support/chromium.js';
import { NUMBERS, numberPairs } from '../support/numbers.js';
import { expectReadable, LOOKS, openPage, startBrowser, walk } from '../support/page.js';

const executablePath = chromiumPath();
let model: Seq2Seq;
let server: ModelServer;
let url: string;

beforeAll(async () => {
  // What would do harm if it were taken for HTML.
  const pairs = [...numberPairs(240), { source: '<b>', target: '<i> &amp;' }];
  model = await Seq2Seq.train([...pairs, ...Array(8).fill(pairs.at(-1)!)], NUMBERS);
  server = await createServer(model, { port: 0, maxTextLength: 100, maxTexts: 3 });
  url = await server.listen();
});
afterAll(async () => {
  await server.close();
  await model.close();
});

async function post(path: string, body: object): Promise<[status: number, answer: Record<string, never>]> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${url}${path}`, init);
  return [response.status, (await response.json()) as Record<string, never>];
}

describe('a server with a model of pairs', () => {
  it('writes what belongs to a text, or to many', async () => {
    const [status, answer] = await post('/predict', { text: '407', beamSize: 4, nBest: 2, alignments: true });
    expect(status).toBe(200);
    const expected = await model.predict('407', { beamSize: 4, nBest: 2, alignments: true });
    expect(answer).toMatchObject({ text: 'four zero seven', units: ['four', 'zero', 'seven'], score: expected.score });
    expect(answer).toMatchObject({ sourceUnits: ['4', '0', '7'], knownUnits: 3 });
    const candidates = answer.candidates as unknown as { text: string; alignments: number[][] }[];
    expect(candidates.map(({ text }) => text)).toEqual(expected.candidates.map(({ text }) => text));
    for (const [i, row] of candidates[0]!.alignments.entries())
      for (const [j, weight] of row.entries()) expect(weight).toBeCloseTo(expected.alignments![i]![j]!, 3);
    const [, many] = await post('/predict/many', { texts: ['12', '', '999'] });
    const texts = (many.predictions as unknown as { text: string }[]).map(({ text }) => text);
    expect(texts).toEqual(['one two', '', 'nine nine nine']);
  });

  it('refuses alignments that would fill the memory', async () => {
    const best = { text: '', units: Array<string>(1_001).fill('one'), score: 0 };
    const long = { ...best, sourceUnits: Array<string>(500).fill('1'), knownUnits: 500, candidates: [best, best] };
    const predict = vi.spyOn(model, 'predict').mockResolvedValue([long] as never);
    const [status, { error }] = await post('/predict', { text: '1', beamSize: 2, nBest: 2, alignments: true });
    const [without] = await post('/predict', { text: '1', beamSize: 2, nBest: 2 });
    predict.mockRestore();
    expect([status, without]).toEqual([413, 200]);
    expect(error).toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(/^Expected at most 1000000 .* 1001000:/),
    });
  });

  it('refuses what does not fit', async () => {
    const refused = async (path: string, body: object, status: number) => {
      const [found, { error }] = await post(path, body);
      expect(found, JSON.stringify(error)).toBe(status);
    };
    await refused('/predict', { text: '1', beamSize: 33 }, 413);
    await refused('/predict', { text: '1', nBest: 2 }, 400);
    await refused('/predict', { text: '1', lengthPenalty: 1_000 }, 400);
    await refused('/predict', { text: '1', topK: 1 }, 400);
    await refused('/predict', { text: 'a'.repeat(101) }, 413);
    await refused('/predict/many', { texts: ['1', '2', '3', '4'] }, 413);
  });

  it('says what it is', async () => {
    const about = await (await fetch(`${url}/model`)).json();
    const units = { source: 'characters', target: 'tokens' };
    const limits = { textLength: 100, texts: 3 };
    expect(about).toMatchObject({ kind: 'seq2seq', units, words: 15, targetWords: 14, cell: 'lstm', limits });
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as Record<string, object>;
    expect(await new Validator().validate(document)).toMatchObject({ valid: true });
    expect(Object.keys(document.paths!)).toContain('/predict/many');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/^recurra_texts_total [1-9]/m);
  });

  describe.skipIf(!executablePath)('its page', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterAll(() => browser?.close());

    it.each(LOOKS)('shows answers and what they looked at, in $scheme and $width pixels', async (looks) => {
      const { page, complaints } = await openPage(browser, url, looks);
      expect(await page.textContent('#facts')).toBe(
        'A sequence-to-sequence model: LSTM. It reads 15 different characters and writes 14 different tokens.',
      );
      await page.getByRole('textbox', { name: 'Source' }).fill('407');
      await page.getByRole('article').waitFor();
      expect(await page.textContent('#done')).toBe('four zero seven');
      expect(await page.textContent('.verdict')).toBe('four zero seven');
      const alignment = page.locator('table.alignment');
      expect(await page.getByRole('article').locator('table').first().getByRole('rowheader').count()).toBe(3);
      expect(await alignment.getByRole('columnheader').allTextContents()).toEqual(['4', '0', '7']);
      expect(await alignment.getByRole('rowheader').allTextContents()).toEqual(['four', 'zero', 'seven']);
      const expected = await model.predict('407', { beamSize: 5, nBest: 3, alignments: true });
      const percents = await alignment.getByRole('cell').allTextContents();
      const weights = expected.alignments!.flatMap((row) =>
        Array.from(row, (weight) => String(Math.round(100 * weight))),
      );
      expect(percents.slice(-9)).toEqual(weights);
      await expectReadable(page);
      expect(complaints).toEqual([]);
      await page.context().close();
    });

    it('answers each line, and shows all of it as text', async () => {
      const { page, complaints } = await openPage(browser, url);
      await page.getByLabel('Each line is a text').check();
      await page.getByRole('textbox', { name: 'Source' }).fill('<b>\n12');
      await page.locator('#done').filter({ hasText: '2 texts written.' }).waitFor({ state: 'attached' });
      expect(await page.getByRole('rowheader').allTextContents()).toEqual(['<b>', '12']);
      expect(await page.locator('.many td').allTextContents()).toEqual(['<i> &amp;', 'one two']);
      expect(complaints).toEqual([]);
      await page.context().close();
    });

    it('works by the keyboard alone', async () => {
      const { page, complaints } = await openPage(browser, url);
      const status = (said: string) =>
        page
          .locator('#done')
          .filter({ hasText: new RegExp(`^${said}$`) })
          .waitFor({ state: 'attached' });
      const written = () => page.getByRole('textbox', { name: 'Source' }).inputValue();
      expect(await walk(page, 1)).toEqual(['text']);
      await page.keyboard.type('407');
      await page.keyboard.press('Control+Enter');
      await status('four zero seven');
      expect(await walk(page, 6)).toEqual(['beam', 'best', 'lines', 'send', 'live', 'Alignment']);
      // An arrow changes a number, and the answer follows.
      for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+Tab');
      expect(await page.evaluate('document.activeElement.id')).toBe('best');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await expect
        .poll(() => page.getByRole('article').locator('table').first().getByRole('rowheader').count())
        .toBe(1);
      expect(await page.locator('#code').textContent()).toContain('"nBest":1');
      expect(await walk(page, 3)).toEqual(['lines', 'send', 'live']);
      await page.keyboard.press('Space');
      await page.getByRole('textbox', { name: 'Source' }).focus();
      await page.keyboard.press('Control+A');
      await page.keyboard.type('12');
      expect(await page.textContent('.verdict')).toBe('four zero seven');
      expect(await walk(page, 4)).toEqual(['beam', 'best', 'lines', 'send']);
      await page.keyboard.press('Enter');
      await status('one two');
      // What was tried comes back.
      await page.getByRole('textbox', { name: 'Source' }).focus();
      await page.keyboard.press('Alt+ArrowUp');
      expect(await written()).toBe('407');
      await status('four zero seven');
      await page.keyboard.press('Alt+ArrowDown');
      expect(await written()).toBe('12');
      await status('one two');
      expect(complaints).toEqual([]);
      await page.context().close();
    });
  });
});
