import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const file = join(temporaryFolder(), 'model.safetensors');
const children: ChildProcessWithoutNullStreams[] = [];

beforeAll(async () => {
  await using model = await TextClassifier.train(topicTexts(300), {
    embeddingDim: 16,
    hiddenSize: 16,
    lr: 1e-2,
    seed: 1,
  });
  await model.save(file);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Served {
  child: ChildProcessWithoutNullStreams;
  url: string;
  /** The lines that follow. */
  lines: AsyncIterator<string>;
  ended: Promise<{ code: number | null; signal: string | null }>;
}

/** Starts `recurra serve --json` on a free port. */
async function serve(...args: string[]): Promise<Served> {
  const child = spawn(process.execPath, ['dist/cli/main.js', 'serve', file, '--port', '0', '--json', ...args]);
  children.push(child);
  child.stderr.resume();
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { url } = JSON.parse((await lines.next()).value as string) as { url: string };
  return { child, url, lines, ended };
}

interface Answer {
  status: number;
  label: string;
  last: boolean;
}

function predict(url: string, agent: Agent, text: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({ text });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const asked = request(`${url}/predict`, { method: 'POST', agent, headers }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (data) => {
        answer += data;
      });
      response.once('end', () => {
        const { label } = JSON.parse(answer) as { label: string };
        resolve({ status: response.statusCode!, label, last: response.headers.connection === 'close' });
      });
      response.once('error', reject);
    });
    asked.once('error', reject).end(body);
  });
}

describe('recurra serve', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends at %s under load with every request answered', async (signal) => {
    const { child, url, lines, ended } = await serve();
    const agent = new Agent({ keepAlive: true });
    const texts = topicTexts(300, 4).map(({ text }) => text);
    const expected = await TextClassifier.load(file);
    const labels = (await expected.predictMany(texts)).map(({ label }) => label);
    await expected.close();
    let answered = 0;
    let asked = 0;
    let stopped = false;
    // Each asks until it is told that its connection closes; a request that gets no answer makes its promise reject.
    const client = async (first: number) => {
      for (let i = first, last = false; !last; i = (i + 7) % texts.length) {
        asked++;
        const answer = await predict(url, agent, texts[i]!);
        expect([answer.status, answer.label]).toEqual([200, labels[i]]);
        last = answer.last;
        if (++answered >= 1_000 && !stopped) {
          stopped = true;
          child.kill(signal);
        }
      }
    };
    await Promise.all(Array.from({ length: 64 }, (_, first) => client(first)));
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(answered).toBe(asked);
    let last = '';
    let logged = 0;
    for (let line = await lines.next(); !line.done; line = await lines.next()) {
      last = line.value;
      if (last.includes('"event":"request"')) logged++;
    }
    expect(JSON.parse(last)).toEqual({ event: 'end', signal, cutOff: 0 });
    expect(logged).toBe(asked);
    agent.destroy();
  });

  it('ends at once at the second signal', async () => {
    const { child, url, ended } = await serve('--max-wait', '60000', '--stop-timeout', '60000');
    // A request that never arrives as a whole keeps the server from ending.
    const headers = { 'content-type': 'application/json', 'content-length': 5 };
    const half = request(`${url}/predict`, { method: 'POST', headers });
    half.on('error', () => {}).flushHeaders();
    await expect.poll(async () => (await fetch(`${url}/metrics`)).text()).toContain('requests_running 2');
    child.kill('SIGTERM');
    let line = '';
    child.stderr.on('data', (data) => {
      line += data;
      if (line.includes('a second signal')) child.kill('SIGTERM');
    });
    expect(await ended).toEqual({ code: 130, signal: null });
  });

  it('passes its flags on', async () => {
    const { url } = await serve(
      '--max-texts',
      '2',
      '--top-k',
      '1',
      '--rate-limit',
      '2',
      '--max-queue',
      '7',
      '--no-page',
    );
    const headers = { 'content-type': 'application/json' };
    const ask = (texts: string[]) =>
      fetch(`${url}/predict/many`, { method: 'POST', headers, body: JSON.stringify({ texts }) });
    expect((await ask(['a', 'b', 'c'])).status).toBe(413);
    expect(await (await ask(['a cat'])).json()).toMatchObject({ predictions: [{ classes: [{ label: 'animal' }] }] });
    expect((await ask(['a'])).status).toBe(429);
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('\nrecurra_queue_limit_texts 7\n');
  });

  it.each([
    [['none.safetensors'], 1, /no such file.*\[FILE_NOT_FOUND\]/],
    [[file, '--port', '70000'], 2, /Expected an integer from 0 to 65535 for --port .*\[OUT_OF_RANGE\]/],
    [[file, '--host', '203.0.113.1'], 1, /cannot listen on 203\.0\.113\.1:8080: .*\[IO\]/],
    [[file, '--max-queue', '0'], 2, /Expected an integer of at least 1 for --max-queue/],
  ])('refuses %j', (args, status, message) => {
    const run = spawnSync(process.execPath, ['dist/cli/main.js', 'serve', ...args], { encoding: 'utf8' });
    expect(run.stderr).toMatch(message);
    expect(run.status).toBe(status);
  });

  it('is a server that programs can make, and that nobody loads who only imports recurra', () => {
    const loaded = (module: string) =>
      spawnSync(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `const names = Object.keys(await import(${JSON.stringify(module)}));
           const { createRequire } = await import('node:module');
           const files = Object.keys(createRequire(import.meta.url).cache);
           console.log(names.includes('createServer'), files.some((name) => /node_modules.(fastify|prom-client)/.test(name)));`,
        ],
        { encoding: 'utf8' },
      ).stdout.trim();
    expect(loaded('recurra/serve')).toBe('true true');
    expect(loaded('recurra')).toBe('false false');
  });
});
