import { connect } from 'node:net';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { createServer, type ModelServer, type ServerLogEntry, type ServerOptions } from '../../src/serve/index.js';
import { topicTexts } from '../support/texts.js';

const DEFAULTS = { maxBatch: 1_024, maxWait: 0, maxQueue: 10_000 };
/** As good as for ever: what waits so long is let go by the test. */
const LONG = 60_000;

let model: TextClassifier;
let url: string;
let shared: ModelServer;
const others: ModelServer[] = [];

async function start(options: ServerOptions = {}): Promise<{ server: ModelServer; at: string }> {
  const server = await createServer(model, { port: 0, ...options });
  others.push(server);
  return { server, at: await server.listen() };
}

beforeAll(async () => {
  model = await TextClassifier.train(topicTexts(300), { embeddingDim: 16, hiddenSize: 16, lr: 1e-2, seed: 1 });
  shared = await createServer(model, { port: 0, maxTexts: 20, maxTextLength: 50, bodyLimit: 2_000 });
  url = await shared.listen();
});
afterEach(async () => {
  model.setServing(DEFAULTS);
  await Promise.all(others.splice(0).map((server) => server.close()));
});
afterAll(async () => {
  await shared.close();
  await model.close();
});

function post(path: string, body: unknown, { headers, ...init }: RequestInit = {}): Promise<Response> {
  return fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });
}

/** Sends bytes as they are and returns all that comes back. */
function raw(bytes: string, at = url): Promise<string> {
  const { hostname, port } = new URL(at);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (data) => {
      answer += data;
    });
    socket.on('end', () => resolve(answer)).on('error', reject);
  });
}

describe('a wanted precision', () => {
  it('leaves out labels below the threshold that reached it', async () => {
    const rows = topicTexts(240).map((row, at) => (at % 7 === 0 ? { ...row, label: 'tool' } : row));
    await using certain = await TextClassifier.train(rows, {
      ...{ embeddingDim: 8, hiddenSize: 8, threads: 1, epochs: 2, validation: rows.slice(0, 60) },
    });
    await using server = await createServer(certain, { port: 0 });
    const at = await server.listen();
    const { minProbability } = certain.thresholdFor(0.9);
    const texts = topicTexts(20, 3).map(({ text }) => text);
    const answers = async (body: object) => (await post(`${at}/predict/many`, { texts, ...body })).json();
    expect(await answers({ precision: 0.9 })).toEqual(await answers({ minProbability }));
    await using careful = await createServer(certain, { port: 0, precision: 0.9 });
    const there = await careful.listen();
    const asked = async (body: object) => (await post(`${there}/predict/many`, { texts, ...body })).json();
    expect(await asked({})).toEqual(await answers({ precision: 0.9 }));
    expect(await asked({ precision: 0.5 })).toEqual(await answers({ precision: 0.5 }));
    expect(await asked({ minProbability: 0 })).toEqual(await answers({}));
    await expect(createServer(model, { precision: 0.9 })).rejects.toThrow(/not measured on validation rows/);
    const scoped = await post(`${at}/predict`, { text: 'zyx uvw', outOfScope: true });
    expect(await scoped.json()).toMatchObject({ outOfScope: true, knownTokens: 0 });
    const refused = await post(`${url}/predict`, { text: 'zyx uvw', outOfScope: true });
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: 'INVALID_ARGUMENT' } }]);
    const { status } = await post(`${at}/predict`, { text: 'a', precision: 0 });
    expect(status).toBe(400);
  });
});

describe('predictions', () => {
  it('labels one text, and many in their order', async () => {
    const expected = await model.predict('a cat with fur');
    const unsure = await post(`${url}/predict`, { text: 'a cat', minProbability: 1, topK: 1 });
    expect(await unsure.json()).toMatchObject({ label: null, labels: [], classes: [{ label: 'animal' }] });
    const unknown = await post(`${url}/predict`, { text: 'a cat', precision: 0.9 });
    expect(unknown.status).toBe(400);
    expect(await unknown.json()).toMatchObject({
      error: { code: 'INVALID_ARGUMENT', message: expect.stringMatching(/not measured on validation rows/) },
    });
    const one = await post(`${url}/predict`, { text: 'a cat with fur' });
    expect(one.status).toBe(200);
    expect(one.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await one.json()).toEqual({ ...expected, classes: expected.classes });
    const many = await post(`${url}/predict/many`, { texts: ['salt in the soup', '', 'a steel hammer'], topK: 1 });
    const { predictions } = (await many.json()) as { predictions: { label: string; classes: unknown[] }[] };
    expect(predictions).toMatchObject([
      { label: 'food' },
      { tokens: 0, knownTokens: 0 },
      { label: 'tool', tokens: 3, classes: [{ label: 'tool' }] },
    ]);
    expect(await (await post(`${url}/predict/many`, { texts: [] })).json()).toEqual({ predictions: [] });
  });

  it('answers 256 at once, each with its own', async () => {
    const texts = topicTexts(256, 5).map(({ text }) => text.slice(0, 50));
    const expected = await model.predictMany(texts);
    const answers = await Promise.all(
      texts.map(async (text) => (await post(`${url}/predict`, { text })).json() as Promise<{ label: string }>),
    );
    expect(answers.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
  });

  it.each([
    ['/predict', { text: 5 }, 400, 'INVALID_ARGUMENT', 'Expected a string for body.text but received number 5'],
    ['/predict', { text: null }, 400, 'INVALID_ARGUMENT', 'Expected a string for body.text but received null'],
    ['/predict', {}, 400, 'INVALID_ARGUMENT', 'Expected "text" in body but received nothing; for example: curl '],
    ['/predict', { texts: ['a'] }, 400, 'INVALID_ARGUMENT', `-d '{"text":"My invoice is wrong"}' http://127.0.0.1:`],
    ['/predict/many', { text: 'a' }, 400, 'INVALID_ARGUMENT', 'Expected "texts" in body but received "text"; for'],
    ['/predict', [], 400, 'INVALID_ARGUMENT', 'Expected an object for body but received array of 0'],
    ['/predict', { text: 'a', label: 'b' }, 400, 'INVALID_ARGUMENT', 'Unknown property "label" in body'],
    ['/predict', { text: 'a', topK: 0 }, 400, 'INVALID_ARGUMENT', 'body.topK must be >= 1'],
    [
      '/predict',
      { text: 'a', minProbability: 95 },
      400,
      'INVALID_ARGUMENT',
      'Expected at most 1 for body.minProbability but received number 95',
    ],
    [
      '/predict',
      { text: 'a', precision: 1.5 },
      400,
      'INVALID_ARGUMENT',
      'Expected at most 1 for body.precision but received number 1.5',
    ],
    ['/predict', { text: 'a', topK: '2' }, 400, 'INVALID_ARGUMENT', 'Expected an integer for body.topK'],
    ['/predict', '{"text": "a"', 400, 'INVALID_JSON', 'not valid JSON'],
    ['/predict', '', 400, 'INVALID_JSON', 'Body cannot be empty'],
    ['/predict', '{"__proto__": 1, "text": "a"}', 400, 'INVALID_ARGUMENT', 'Unknown property "__proto__" in body'],
    ['/predict', { text: 'x'.repeat(51) }, 413, 'TOO_LARGE', 'Expected at most 50 characters in body.text'],
    ['/predict', { text: 'x'.repeat(3_000) }, 413, 'TOO_LARGE', 'too large'],
    ['/predict/many', { texts: 'a' }, 400, 'INVALID_ARGUMENT', 'Expected an array for body.texts'],
    ['/predict/many', { texts: ['a', 1] }, 400, 'INVALID_ARGUMENT', 'Expected a string for body.texts[1]'],
    ['/predict/many', { texts: Array(21).fill('a') }, 413, 'TOO_LARGE', 'Expected at most 20 texts in body.texts'],
  ])('%s refuses %j with %i', async (path, body, status, code, message) => {
    const answer = await post(url + path, body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ error: { code, message: expect.stringContaining(message) } });
  });

  it.each([
    [{ 'content-type': 'text/plain' }],
    [{ 'content-type': 'application/x-www-form-urlencoded' }],
    [{ 'content-encoding': 'gzip' }],
  ])('refuses a body with %j', async (headers) => {
    const answer = await post(`${url}/predict`, { text: 'a' }, { headers });
    expect(answer.status).toBe(415);
    const message = expect.stringMatching(
      /; for example: curl -H 'content-type: application\/json' -d '\{.*\/predict$/,
    );
    expect(await answer.json()).toEqual({ error: { code: 'UNSUPPORTED_MEDIA_TYPE', message } });
  });

  it('shows an example without the words of a header', async () => {
    const body = JSON.stringify({ texts: [] });
    const head = `POST /predict HTTP/1.1\r\nhost: a'; rm -r *;\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
    const answer = await raw(head + body);
    expect(answer).toContain(`${url}/predict`);
    expect(answer).not.toContain('rm -r');
  });

  it('refuses what is too much: a full queue with 503, and says when to come back', async () => {
    model.setServing({ maxQueue: 1, maxWait: LONG });
    const first = post(`${url}/predict`, { text: 'a cat' });
    await vi.waitFor(() => expect(model.serving.waiting).toBe(1));
    const second = await post(`${url}/predict`, { text: 'a dog' });
    expect(second.status).toBe(503);
    expect(second.headers.get('retry-after')).toBe('1');
    expect(await second.json()).toMatchObject({ error: { code: 'OVERLOADED' } });
    model.setServing({ maxWait: 0 });
    expect((await first).status).toBe(200);
  });

  it('refuses a client that asks too often with 429, and only its predictions', async () => {
    const { at } = await start({ rateLimit: 3 });
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await post(`${at}/predict`, { text: 'a' })).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const refused = await post(`${at}/predict`, { text: 'a' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ error: { code: 'RATE_LIMITED' } });
    expect((await fetch(`${at}/health`)).status).toBe(200);
  });

  it('takes for the client whom the trusted proxies name, and nobody whom a client names', async () => {
    const ask = async (at: string, forwarded: string) =>
      (await post(`${at}/predict`, { text: 'a' }, { headers: { 'x-forwarded-for': forwarded } })).status;
    for (const trustProxy of [1, 'loopback', '127.0.0.1/8, ::1']) {
      const { at } = await start({ rateLimit: 1, trustProxy });
      // The proxy puts the address that it sees behind what the client wrote.
      expect(await ask(at, 'made-up-1, 203.0.113.7')).toBe(200);
      expect(await ask(at, 'made-up-2, 203.0.113.7')).toBe(429);
      expect(await ask(at, 'made-up-2, 203.0.113.8')).toBe(200);
    }
    const { at } = await start({ rateLimit: 1, trustProxy: 2 });
    expect(await ask(at, '203.0.113.7, 198.51.100.1')).toBe(200);
    expect(await ask(at, '203.0.113.7, 198.51.100.2')).toBe(429);
  });

  it('refuses what is not UTF-8 rather than labelling replacement characters', async () => {
    const send = async (body: Uint8Array<ArrayBuffer>, type = 'application/json') => {
      const answer = await fetch(`${url}/predict`, { method: 'POST', headers: { 'content-type': type }, body });
      return [answer.status, ((await answer.json()) as { error?: { code: string } }).error?.code];
    };
    const latin1 = Uint8Array.from(Buffer.from('{"text":"caf\u00e9"}', 'latin1'));
    expect(await send(latin1)).toEqual([400, 'INVALID_JSON']);
    expect(await send(latin1, 'application/json; charset=ISO-8859-1')).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    const utf8 = new TextEncoder().encode('{"text":"caf\u00e9"}');
    expect(await send(utf8, 'application/json; charset="UTF-8"')).toEqual([200, undefined]);
    expect(await send(Uint8Array.from(Buffer.from('{"text":"a"}', 'utf16le')))).toEqual([400, 'INVALID_JSON']);
  });

  it('gives up the text of a client that has gone', async () => {
    model.setServing({ maxWait: LONG });
    const abort = new AbortController();
    const asked = post(`${url}/predict`, { text: 'a cat' }, { signal: abort.signal });
    await vi.waitFor(() => expect(model.serving.waiting).toBe(1));
    abort.abort();
    await expect(asked).rejects.toThrow('aborted');
    await vi.waitFor(() => expect(model.serving.waiting).toBe(0));
  });

  it('tells a client nothing of a fault of its own, and the log everything', async () => {
    const entries: ServerLogEntry[] = [];
    const { at } = await start({ log: (entry) => entries.push(entry) });
    const fault = vi.spyOn(model, 'predict').mockRejectedValue(new TypeError('secret'));
    const answer = await post(`${at}/predict`, { text: 'a' });
    fault.mockRestore();
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({
      error: { code: 'INTERNAL', message: "internal server error; see the server's log" },
    });
    await vi.waitFor(() => expect(entries).toHaveLength(2));
    expect(entries).toMatchObject([
      { event: 'fault', route: '/predict', error: { message: 'secret' } },
      { event: 'request', method: 'POST', route: '/predict', status: 500, texts: 0 },
    ]);
  });
});

describe('explanations', () => {
  it('say what each token contributed, to the most probable label or to another', async () => {
    const text = 'a cat with zyx';
    const answer = await post(`${url}/explain`, { text });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(await model.explain(text))));
    const other = await post(`${url}/explain`, { text, label: 'tool' });
    expect(await other.json()).toEqual(JSON.parse(JSON.stringify(await model.explain(text, { label: 'tool' }))));
    const faster = await post(`${url}/explain`, { text, method: 'gradientInput' });
    expect(await faster.json()).toEqual(
      JSON.parse(JSON.stringify(await model.explain(text, { method: 'gradientInput' }))),
    );
    expect(await (await post(`${url}/explain`, { text: '' })).json()).toMatchObject({ tokens: [] });
  });

  it('are refused with the reason', async () => {
    const refused = async (body: object) => {
      const answer = await post(`${url}/explain`, body);
      return [answer.status, ((await answer.json()) as { error: { message: string } }).error.message];
    };
    expect(await refused({ text: 'a', label: 'plant' })).toEqual([
      400,
      'the model has no label "plant"; it has "animal", "food", "tool"',
    ]);
    expect(await refused({})).toEqual([
      400,
      `Expected "text" in body but received nothing; for example: curl -H 'content-type: application/json' -d '{"text":"My invoice is wrong"}' ${url}/explain`,
    ]);
    expect(await refused({ text: 'a', method: 'lime' })).toEqual([
      400,
      `Expected 'occlusion' or 'gradientInput' for body.method but received string "lime"`,
    ]);
    expect(await refused({ text: 'a'.repeat(51) })).toEqual([413, 'Expected at most 50 characters in body.text']);
    const { at } = await start({ maxConcurrent: 1 });
    const explain = vi.spyOn(model, 'explain').mockImplementation(() => new Promise(() => {}));
    const abort = new AbortController();
    const waiting = post(`${at}/explain`, { text: 'a' }, { signal: abort.signal }).catch(() => {});
    await vi.waitFor(() => expect(explain).toHaveBeenCalled());
    const second = await post(`${at}/explain`, { text: 'a' });
    explain.mockRestore();
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1']);
    abort.abort();
    await waiting;
  });
});

describe('other requests', () => {
  it('tell of health, readiness and the model', async () => {
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${url}/ready`)).json()).toEqual({ status: 'ready' });
    const { rows } = model.card!.data;
    expect(await (await fetch(`${url}/model`)).json()).toEqual({
      name: null,
      kind: 'classifier',
      multiLabel: false,
      networkShare: model.mix!.network,
      precision: null,
      precisionThresholds: null,
      outOfScope: false,
      training: {
        version: model.card!.version,
        rows,
        validationRows: 0,
        epochs: model.card!.history.length,
        measures: {},
      },
      labels: ['animal', 'food', 'tool'],
      words: model.vocab.length,
      cell: 'lstm',
      limits: { bodyBytes: 2_000, textLength: 50, texts: 20 },
    });
  });

  it('get 404 or 405 where there is nothing', async () => {
    const missing = await fetch(`${url}/predictions?x=1`);
    expect([missing.status, await missing.json()]).toEqual([
      404,
      { error: { code: 'NOT_FOUND', message: 'there is nothing at /predictions' } },
    ]);
    const wrong = await fetch(`${url}/predict?x=1`);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await wrong.json()).toMatchObject({ error: { code: 'METHOD_NOT_ALLOWED' } });
    expect((await fetch(`${url}/%ff`)).status).toBe(400);
  });

  it('that are no HTTP get 400, and headers that are too large 431', async () => {
    expect(await raw('hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*Connection: close\r\n\r\n{"error":{"code"/s);
    expect(await raw(`GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
  });

  it('that do not arrive get 408', async () => {
    const { at } = await start({ requestTimeout: 200 });
    const head = 'POST /predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n';
    expect(await raw(`${head}{`, at)).toMatch(/^HTTP\/1.1 408 .*"code":"TIMEOUT"/s);
    expect(await raw('POST /predict HT', at)).toMatch(/^HTTP\/1.1 408 .*"code":"TIMEOUT"/s);
  });

  it('find metrics that Prometheus reads', async () => {
    const { at } = await start();
    await post(`${at}/predict/many`, { texts: ['a cat', 'zyx'] });
    await post(`${at}/predict`, { text: 1 });
    const answer = await fetch(`${at}/metrics`);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0.0.4/);
    const lines = (await answer.text()).split('\n');
    expect(lines).toContain('recurra_texts_total 2');
    expect(lines).toContain('recurra_tokens_total 3');
    expect(lines).toContain('recurra_known_tokens_total 2');
    expect(lines).toContain('recurra_queue_limit_texts 10000');
    expect(lines).toContain('recurra_http_requests_running 1');
    for (const [route, status] of [
      ['/predict/many', 200],
      ['/predict', 400],
    ]) {
      expect(lines).toContain(
        `recurra_http_request_seconds_count{method="POST",route="${route}",status="${status}"} 1`,
      );
    }
    expect(lines.some((line) => line.startsWith('nodejs_eventloop_lag_seconds '))).toBe(true);
  });

  it('find a valid OpenAPI document, whose paths all answer as it says', async () => {
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { requestBody?: { content: Record<string, { example: object }> } }>>;
    };
    expect(await new Validator().validate(structuredClone(document))).toMatchObject({ valid: true });
    const paths = Object.entries(document.paths);
    expect(paths.length).toBeGreaterThan(8);
    for (const [path, { get, post: posted }] of paths) {
      const { example } = posted?.requestBody?.content['application/json'] ?? {};
      const answer = get ? await fetch(url + path) : await post(url + path, example);
      expect([path, answer.status]).toEqual([path, 200]);
    }
    const { at } = await start({ page: false });
    expect((await fetch(`${at}/`)).status).toBe(404);
    const smaller = (await (await fetch(`${at}/openapi.json`)).json()) as typeof document;
    const ofPage = Object.keys(document.paths).filter((path) => !(path in smaller.paths));
    expect(ofPage).toEqual(expect.arrayContaining(['/', '/page/page.js', '/page/classifier.js', '/page/page.css']));
    expect(ofPage.every((path) => path === '/' || path.startsWith('/page/'))).toBe(true);
  });
});

describe('closing', () => {
  it('answers what is under way, accepts nothing new, and says on open connections that it is not ready', async () => {
    const { server, at } = await start();
    model.setServing({ maxWait: LONG });
    const running = Array.from({ length: 5 }, () => post(`${at}/predict`, { text: 'a cat with fur' }));
    await vi.waitFor(() => expect(model.serving.waiting).toBe(5));
    const closed = server.close();
    await vi.waitFor(() => expect(fetch(`${at}/ready`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } }));
    model.setServing({ maxWait: 0 });
    for (const answer of await Promise.all(running)) {
      expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
      expect(await answer.json()).toMatchObject({ label: 'animal' });
    }
    expect(await closed).toBe(0);
    expect(await server.close()).toBe(0);
    await expect(createServer(model).then((other) => other.close().then(() => other.listen()))).rejects.toMatchObject({
      code: 'DISPOSED',
    });
  });

  it('answers a request that comes on an open connection, and tells it that the server is ending', async () => {
    const { server, at } = await start();
    const { hostname, port } = new URL(at);
    const socket = connect(Number(port), hostname).setEncoding('utf8');
    let answers = '';
    socket.on('data', (data) => {
      answers += data;
    });
    socket.write('GET /health HTTP/1.1\r\nhost: a\r\n\r\n');
    await vi.waitFor(() => expect(answers).toMatch(/keep-alive.*{"status":"ok"}/s));
    const closed = server.close();
    socket.write('GET /ready HTTP/1.1\r\nhost: a\r\n\r\n');
    await new Promise((resolve) => socket.once('end', resolve));
    expect(answers).toMatch(/HTTP\/1.1 503 .*connection: close.*{"status":"stopping"}$/s);
    expect(await closed).toBe(0);
  });

  it('cuts off what takes longer than stopTimeout, and counts it', async () => {
    const { server, at } = await start({ stopTimeout: 20 });
    model.setServing({ maxWait: LONG });
    const running = post(`${at}/predict`, { text: 'a cat' });
    running.catch(() => {});
    await vi.waitFor(() => expect(model.serving.waiting).toBe(1));
    expect(await server.close()).toBe(1);
    await expect(running).rejects.toThrow('fetch failed');
  });
});

describe('createServer', () => {
  it.each([
    [{ port: 65_536 }, 'Expected an integer from 0 to 65535 for port'],
    [{ bodyLimit: 0 }, 'Expected an integer from 1 to 1073741824 for bodyLimit'],
    [{ host: '' }, 'Expected an address or the name of a host for host'],
    [{ trustProxy: true }, 'Expected a number of proxies, or their addresses'],
    [{ trustProxy: '10.0.0.0/33' }, 'Expected a number of proxies, or their addresses'],
    [{ page: 1 }, 'Expected true or false for page but received number 1'],
    [{ log: 'all' }, 'Expected a function for log'],
    [{ prot: 1 }, 'Unknown option "prot" for createServer'],
  ])('refuses %j', async (options, message) => {
    await expect(createServer(model, options as never)).rejects.toThrow(message);
  });

  it('says when it cannot have its port', async () => {
    const server = await createServer(model, { port: Number(new URL(url).port) });
    others.push(server);
    await expect(server.listen()).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringMatching(
        /^cannot listen on 127\.0\.0\.1:(\d+): port \1 is already in use; .*--port on the command line; 0 takes a free one/,
      ),
    });
    await expect(createServer({} as never)).rejects.toThrow(
      'Expected a TextClassifier, a TextTagger, a LanguageModel or a Seq2Seq for model',
    );
  });
});
