import { connect } from 'node:net';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { LanguageModel } from '../../src/index.js';
import { createServer, type ModelServer, type ServerLogEntry, type ServerOptions } from '../../src/serve/index.js';
import { chromiumPath } from '../support/chromium.js';
import { expectReadable, LOOKS, openPage, startBrowser, walk } from '../support/page.js';

const executablePath = chromiumPath();
const SMALL = { embeddingDim: 16, hiddenSize: 32, numLayers: 1, dropout: 0, lr: 0.03, batchSize: 8 };
/** Half an end of a character, and what would do harm if it were taken for HTML. */
const LINE = 'a <b>dög</b> 🙂 ran.\n';

/** A text that does not end itself, on a server that lets it be written. */
const ENDLESS = { prompt: 'a ', temperature: 0, maxNewTokens: 2_000_000_000 };
const PATIENT = { maxNewTokens: 2_000_000_000, requestTimeout: 60_000 };

let model: LanguageModel;
let url: string;
let shared: ModelServer;
const others: ModelServer[] = [];

async function start(options: ServerOptions = {}, served = model): Promise<string> {
  const server = await createServer(served, { port: 0, stopTimeout: 100, ...options });
  others.push(server);
  return server.listen();
}

beforeAll(async () => {
  model = await LanguageModel.train([LINE.repeat(60)], { ...SMALL, window: 16, epochs: 12, threads: 1 });
  shared = await createServer(model, { port: 0, maxTextLength: 100, maxNewTokens: 50 });
  url = await shared.listen();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(others.splice(0).map((server) => server.close()));
});
afterAll(async () => {
  await shared.close();
  await model.close();
});

function post(path: string, body: object, { headers, ...init }: RequestInit = {}): Promise<Response> {
  const type = { 'content-type': 'application/json' };
  return fetch(path, { method: 'POST', headers: { ...type, ...headers }, body: JSON.stringify(body), ...init });
}

/** The events of an answer, by the rules of the format. */
async function events(answer: Response): Promise<[string, Record<string, unknown>][]> {
  const text = await answer.text();
  expect(text.endsWith('\n\n')).toBe(true);
  return text
    .slice(0, -2)
    .split('\n\n')
    .map((event) => {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event)!;
      return [name!, JSON.parse(data!)];
    });
}

async function metric(at: string, name: string): Promise<number> {
  const text = await (await fetch(`${at}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

/** Counts the pieces that a model is asked for, each of which takes some milliseconds more. */
function countPieces(of = model, milliseconds = 0): { pieces: number } {
  const counted = { pieces: 0 };
  const { generate } = of;
  vi.spyOn(of, 'generate').mockImplementation(async function* (...args) {
    const written = generate.apply(of, args);
    try {
      for (let next = await written.next(); ; next = await written.next()) {
        if (next.done) return next.value;
        counted.pieces++;
        if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
        yield next.value;
      }
    } finally {
      await written.return(undefined as never);
    }
  });
  return counted;
}

describe('texts over HTTP', () => {
  it('come as events, the last of which says why the text ended', async () => {
    const answer = await post(`${url}/generate`, { prompt: 'a ', temperature: 0, maxNewTokens: 40 });
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'no-store',
    ]);
    const told = await events(answer);
    const [name, last] = told.at(-1)!;
    expect(name).toBe('end');
    expect(last).toMatchObject({ reason: 'length', promptTokens: 2, tokens: 40, seed: expect.any(Number) });
    const pieces = told.slice(0, -1).map(([event, { text }]) => (event === 'text' ? String(text) : event));
    // Calls of 1, 2, 4, 8, 16 and 9 units.
    expect(pieces.length).toBe(6);
    expect(pieces.join('')).toBe([...(LINE.slice(2) + LINE + LINE)].slice(0, 40).join(''));
  });

  it('come as a whole for who asks for JSON, the same for the same seed', async () => {
    const json = { headers: { accept: 'application/json' } };
    const body = { prompt: 'a ', seed: 7, maxNewTokens: 30, temperature: 1.5, topK: 9, topP: 0.9 };
    const [one, same] = (await Promise.all([
      post(`${url}/generate`, body, json).then((answer) => answer.json()),
      post(`${url}/generate`, { ...body, stream: false, repetitionPenalty: 1 }).then((answer) => answer.json()),
    ])) as { text: string; seed: number }[];
    expect(one).toEqual(same);
    expect(one).toMatchObject({ reason: 'length', tokens: 30, seed: 7 });
    expect([...one!.text].length).toBe(30);
    const again = await events(await post(`${url}/generate`, { ...body, stream: true }, json));
    expect(again.map(([, { text = '' }]) => text).join('')).toBe(one!.text);
    const best = await post(`${url}/generate`, { prompt: 'a ', beamSize: 3, maxNewTokens: 12 }, json);
    expect(await best.json()).toMatchObject({ text: '<b>dög</b> 🙂', reason: 'length' });
    const stopped = await post(`${url}/generate`, { prompt: 'a ', temperature: 0, stop: ['no', '🙂'] }, json);
    expect(await stopped.json()).toMatchObject({ text: '<b>dög</b> ', reason: 'stop', tokens: 12 });
  });

  it('are measured', async () => {
    const answer = await post(`${url}/score`, { text: LINE });
    const { logProbabilities, ...expected } = await model.score(LINE);
    expect(await answer.json()).toEqual({ ...expected, logProbabilities: [...logProbabilities] });
    expect(expected.perplexity).toBeLessThan(1.5);
  });

  it.each([
    ['/generate', { prompt: 'x'.repeat(101) }, 413, 'TOO_LARGE', 'Expected at most 100 characters in body.prompt'],
    ['/generate', { maxNewTokens: 51 }, 413, 'TOO_LARGE', 'Expected at most 50 for body.maxNewTokens'],
    ['/generate', { maxNewTokens: 0 }, 400, 'INVALID_ARGUMENT', 'body.maxNewTokens must be >= 1'],
    ['/generate', { temperature: -1 }, 400, 'INVALID_ARGUMENT', 'temperature but received number -1'],
    ['/generate', { temperature: 'hot' }, 400, 'INVALID_ARGUMENT', 'Expected a number for body.temperature'],
    ['/generate', { topP: 1.5 }, 400, 'INVALID_ARGUMENT', 'topP but received number 1.5'],
    ['/generate', { topK: 1.5 }, 400, 'INVALID_ARGUMENT', 'Expected an integer for body.topK'],
    ['/generate', { beamSize: 17 }, 413, 'TOO_LARGE', 'Expected at most 16 for body.beamSize'],
    ['/generate', { beamSize: 2, temperature: 1 }, 400, 'INVALID_ARGUMENT', 'temperature'],
    ['/generate', { seed: -1 }, 400, 'INVALID_ARGUMENT', 'seed but received number -1'],
    ['/generate', { stop: 5 }, 400, 'INVALID_ARGUMENT', 'Expected a string or array for body.stop'],
    ['/generate', { stop: [''] }, 400, 'INVALID_ARGUMENT', 'body.stop[0] must NOT have fewer than 1 characters'],
    ['/generate', { stop: Array(17).fill('a') }, 413, 'TOO_LARGE', 'Expected at most 16 strings in body.stop'],
    ['/generate', { signal: true }, 400, 'INVALID_ARGUMENT', 'Unknown property "signal" in body'],
    ['/score', { text: '' }, 400, 'INVALID_ARGUMENT', 'body.text must NOT have fewer than 1 characters'],
    ['/score', {}, 400, 'INVALID_ARGUMENT', 'Expected "text" in body but received nothing; for example: curl '],
    ['/predict', { text: 'a' }, 404, 'NOT_FOUND', 'there is nothing at /predict'],
  ])('%s refuses %j with %i', async (path, body, status, code, message) => {
    const answer = await post(url + path, body);
    expect([answer.status, await answer.json()]).toEqual([
      status,
      { error: { code, message: expect.stringContaining(message) } },
    ]);
  });

  it('are described: the model, its limits and each route', async () => {
    expect(await (await fetch(`${url}/model`)).json()).toEqual({
      name: null,
      training: { version: model.card!.version, rows: 80, validationRows: 0, epochs: 12, measures: {} },
      kind: 'language',
      units: 'characters',
      words: model.vocab.length,
      cell: 'lstm',
      limits: { bodyBytes: 1 << 20, textLength: 100, newTokens: 50, concurrent: 64 },
    });
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: Record<string, { post?: { requestBody: { content: Record<string, { example: object }> } } }>;
    };
    expect(await new Validator().validate(structuredClone(document))).toMatchObject({ valid: true });
    const posts = Object.entries(document.paths).filter(([, path]) => path.post);
    expect(posts.map(([path]) => path)).toEqual(['/generate', '/score']);
    const at = await start();
    for (const [path, { post: posted }] of posts) {
      const answer = await post(at + path, posted!.requestBody.content['application/json']!.example);
      expect([path, answer.status]).toEqual([path, 200]);
      await answer.text();
    }
    expect(await metric(at, 'recurra_generated_texts_total{reason="length"}'.replace(/[{}]/g, '\\$&'))).toBe(1);
    expect(await metric(at, 'recurra_generated_tokens_total')).toBe(60);
    expect(await metric(at, 'recurra_prompt_tokens_total')).toBe('My invoice'.length);
    expect(await metric(at, 'recurra_scored_tokens_total')).toBe('My invoice is wrong'.length);
  });
});

describe('clients', () => {
  for (const stream of [true, false]) {
    it(`that go away end the computation (stream: ${stream})`, async () => {
      const counted = countPieces();
      const log: ServerLogEntry[] = [];
      const at = await start({ ...PATIENT, log: (entry) => log.push(entry) });
      const abort = new AbortController();
      const asked = post(`${at}/generate`, { ...ENDLESS, stream }, { signal: abort.signal });
      if (stream) await (await asked).body!.getReader().read();
      await vi.waitFor(() => expect(counted.pieces).toBeGreaterThan(3));
      abort.abort();
      if (!stream) await expect(asked).rejects.toThrow();
      await vi.waitFor(async () => expect(await metric(at, 'recurra_concurrent_texts')).toBe(0));
      const { pieces } = counted;
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(counted.pieces).toBe(pieces);
      expect(log).toContainEqual(expect.objectContaining({ route: '/generate', status: 499, texts: 1 }));
      expect(await metric(at, 'recurra_generated_texts_total\\{reason="gone"\\}')).toBe(1);
    });
  }

  it('are refused with 503 while as many texts as may be are under way', async () => {
    const at = await start({ ...PATIENT, maxConcurrent: 1 });
    const abort = new AbortController();
    const first = await post(`${at}/generate`, ENDLESS, { signal: abort.signal });
    for (const path of ['/generate', '/score']) {
      const second = await post(at + path, path === '/score' ? { text: 'a' } : {});
      expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1']);
      expect(await second.json()).toMatchObject({ error: { code: 'OVERLOADED' } });
    }
    expect(await metric(at, 'recurra_refused_total')).toBe(2);
    abort.abort();
    await expect(first.text()).rejects.toThrow();
    await vi.waitFor(async () => expect((await post(`${at}/score`, { text: 'a' })).status).toBe(200));
  });

  it('that read slowly are waited for with a bounded buffer, and cut off when they read nothing', async () => {
    // Long words, so that few units fill the buffers of the system.
    const word = 'x'.repeat(5_000);
    const text = Array.from({ length: 60 }, (_, i) => ` ${word}${'ab'[i % 2]}`).join('');
    await using long = await LanguageModel.train([text], { ...SMALL, units: 'words', window: 4, epochs: 1 });
    const log: ServerLogEntry[] = [];
    const at = await start({ ...PATIENT, requestTimeout: 1_500, log: (entry) => log.push(entry) }, long);
    const counted = countPieces(long);
    const body = JSON.stringify({ ...ENDLESS, prompt: '' });
    const { port } = new URL(at);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    const head = `POST /generate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(head + body);
    await vi.waitFor(() => expect(counted.pieces).toBeGreaterThan(6));
    let before = -1;
    await vi.waitFor(
      () => {
        const now = counted.pieces;
        const same = now === before;
        before = now;
        expect(same).toBe(true);
      },
      { interval: 200, timeout: 10_000 },
    );
    // 160 KB each: what the system buffers for a connection, and two of ours.
    expect(counted.pieces).toBeLessThan(100);
    await vi.waitFor(() => expect(log).toContainEqual(expect.objectContaining({ status: 499 })), { timeout: 5_000 });
    expect(await metric(at, 'recurra_concurrent_texts')).toBe(0);
    socket.destroy();
  });

  it('learn of a model that was closed, before the text and within it', async () => {
    const closed = await LanguageModel.train([LINE.repeat(9)], { ...SMALL, window: 16, epochs: 1 });
    const at = await start(PATIENT, closed);
    const answer = await post(`${at}/generate`, ENDLESS);
    await closed.close();
    const told = await events(answer);
    expect(told.at(-1)).toEqual(['error', { error: { code: 'STOPPING', message: 'the model was closed' } }]);
    expect((await post(`${at}/generate`, {})).status).toBe(503);
    expect((await post(`${at}/score`, { text: 'a' })).status).toBe(503);
  });
});

describe.skipIf(!executablePath)('the page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  const said = (page: Page, text: string | RegExp) =>
    page.locator('#done').filter({ hasText: text }).waitFor({ state: 'attached' });

  it.each(LOOKS)('measures a text as it is typed, in $scheme and $width pixels', async (looks) => {
    const { page, complaints } = await openPage(browser, await start(PATIENT), looks);
    const text = 'a <b>dög</b> 🙂 xan.';
    await page.getByRole('textbox', { name: 'Prompt' }).fill(text);
    const score = await model.score(text);
    await said(page, `Perplexity ${score.perplexity.toFixed(2)}.`);
    expect(await page.locator('blockquote').textContent()).toBe(text);
    const titles = await page.locator('blockquote .against').evaluateAll((all) => all.map((each) => each.title));
    const shares = [...score.logProbabilities].map((value) => `${(100 * Math.exp(value)).toPrecision(2)} %`);
    expect(titles).toEqual(shares);
    expect(await page.locator('main b').count()).toBe(0);
    await page.keyboard.press('Control+Enter');
    await page.getByText('it gives the same text again').waitFor();
    await expectReadable(page);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('shows a text as it grows, ends it at a button or a key, and shows all of it as text', async () => {
    const at = await start(PATIENT);
    const { page, complaints } = await openPage(browser, at);
    await page.getByLabel('Characters to write').fill('40');
    await page.getByLabel('Temperature').fill('0');
    await page.getByRole('textbox', { name: 'Prompt' }).fill('a ');
    await page.keyboard.press('Control+Enter');
    await said(page, '40 characters written: that is the most.');
    const expected = `a ${[...(LINE.slice(2) + LINE + LINE)].slice(0, 40).join('')}`;
    const written = page.getByRole('article', { name: 'What the model writes' }).locator('blockquote');
    expect(await written.textContent()).toBe(expected);
    expect(await page.locator('main b').count()).toBe(0);
    expect(await page.locator('#tried li').count()).toBe(1);

    countPieces(model, 5);
    await page.getByLabel('Characters to write').fill('2000000000');
    const length = async () => (await page.locator('blockquote .written').textContent())!.length;
    for (const stop of ['button', 'key']) {
      await page.getByRole('button', { name: 'Write' }).click();
      await expect.poll(length).toBeGreaterThan(50);
      const before = await length();
      await expect.poll(length).toBeGreaterThan(before);
      // A key does not end it, unless it is the one to stop.
      await page.getByRole('textbox', { name: 'Prompt' }).fill('a');
      if (stop === 'button') await page.getByRole('button', { name: 'Stop' }).click();
      else await page.keyboard.press('Escape');
      await said(page, 'Stopped.');
      await vi.waitFor(async () => expect(await metric(at, 'recurra_concurrent_texts')).toBe(0));
      // What was written stays.
      expect(await length()).toBeGreaterThan(before);
    }
    await page.getByLabel('Temperature').fill('-1');
    await page.getByRole('button', { name: 'Write' }).click();
    expect(await page.locator('#temperature:invalid').count()).toBe(1);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('works by the keyboard alone', async () => {
    const at = await start(PATIENT);
    const { page, complaints } = await openPage(browser, at);
    const written = () => page.getByRole('textbox', { name: 'Prompt' }).inputValue();
    const focused = () => page.evaluate('document.activeElement.id');
    expect(await walk(page, 1)).toEqual(['text']);
    await page.keyboard.type('a ');
    await said(page, 'Perplexity ');
    expect(await walk(page, 6)).toEqual(['most', 'temperature', 'seed', 'send', 'stop', 'live']);
    await page.keyboard.press('Space');
    for (let i = 0; i < 5; i++) await page.keyboard.press('Shift+Tab');
    expect(await focused()).toBe('most');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('12');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('0');
    // Enter in a field asks, as in every form.
    await page.keyboard.press('Enter');
    await said(page, '12 characters written: that is the most.');

    countPieces(model, 5);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('2000000000');
    const length = async () => (await page.locator('blockquote .written').textContent())!.length;
    expect(await walk(page, 3)).toEqual(['temperature', 'seed', 'send']);
    await page.keyboard.press('Space');
    await expect.poll(length).toBeGreaterThan(20);
    expect(await walk(page, 1)).toEqual(['stop']);
    await page.keyboard.press('Space');
    await said(page, 'Stopped.');
    // The button keeps the focus, though there is nothing to stop any more.
    expect(await focused()).toBe('stop');
    await page.keyboard.press('Space');
    expect(await page.locator('#done').textContent()).toBe('Stopped.');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await expect.poll(length).toBeGreaterThan(20);
    await page.keyboard.press('Escape');
    await said(page, 'Stopped.');
    vi.restoreAllMocks();

    // What was tried comes back.
    await page.getByRole('textbox', { name: 'Prompt' }).focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('a <b>');
    await page.keyboard.press('Alt+ArrowUp');
    expect(await written()).toBe('a ');
    await page.keyboard.press('Alt+ArrowDown');
    expect(await written()).toBe('a <b>');
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
