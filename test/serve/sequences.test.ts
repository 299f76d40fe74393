import { Validator } from '@seriousme/openapi-schema-validator';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Seq2Seq } from '../../src/index.js';
import { createServer, type ModelServer } from '../../src/serve/index.js';
import { chromiumPath } from '../support/chromium.js';
import { NUMBERS, numberPairs } from '../support/numbers.js';

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

  it.skipIf(!executablePath)('has a page that shows answers and what they looked at', async () => {
    const browser = await chromium.launch({ executablePath: executablePath! });
    try {
      const page = await browser.newPage();
      const faults: string[] = [];
      page.on('pageerror', ({ message }) => faults.push(message));
      await page.goto(url);
      await page.waitForSelector('#searching:not([hidden])');
      expect(await page.textContent('#about')).toBe('LSTM from 15 characters to 14 tokens.');
      await page.fill('#text', '407');
      await page.click('#send');
      await page.waitForSelector('article');
      expect(await page.textContent('#done')).toBe('four zero seven');
      expect(await page.locator('ol li').count()).toBe(3);
      expect(await page.locator('table.alignment th[scope=col]').allTextContents()).toEqual(['4', '0', '7']);
      expect(await page.locator('table.alignment th[scope=row]').allTextContents()).toEqual(['four', 'zero', 'seven']);
      await page.fill('#text', '<b>\n12');
      await page.check('#each');
      await page.click('#send');
      await page.locator('article').nth(1).waitFor();
      expect(await page.locator('blockquote').allTextContents()).toEqual(['<b>', '12']);
      expect(await page.locator('ol li').first().textContent()).toMatch(/^<i> &amp; /);
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
