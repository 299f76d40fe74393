/**
 * How long one text takes while 1, 16 and 256 callers ask at the same time, each again as soon as it is answered: in this
 * process, and over HTTP from another process on the same machine.
 *
 *     npm run bench -- serving [--seconds 3] [--hidden 32] [--tokens 44] [--json]
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random, TextClassifier } from 'recurra';
import { createServer } from 'recurra/serve';
import type { Order } from './serving/client.js';
import { type Figures, figures } from './serving/figures.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    hidden: { type: 'string', default: '32' },
    tokens: { type: 'string', default: '44' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const tokens = Number(values.tokens);
const CALLERS = [1, 16, 256];
const WORDS = 20_000;

const random = new Random(1);
const text = () => Array.from({ length: tokens }, () => `w${Math.floor(WORDS ** random.float())}`).join(' ');
const rows = Array.from({ length: 2_000 }, (_, row) => ({ label: `class ${row % 4}`, text: text() }));
const texts = rows.map((row) => row.text);
const model = await TextClassifier.train(rows, {
  cell: 'lstm',
  hiddenSize: Number(values.hidden),
  embeddingDim: 64,
  bidirectional: false,
  linear: false,
  adversarial: 0,
  epochs: 1,
});
await model.predictMany(texts);

/** The longest time that the event loop did not go round, in milliseconds. */
function watchLoop(): () => number {
  let last = performance.now();
  let most = 0;
  const look = () => {
    const now = performance.now();
    most = Math.max(most, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  return () => {
    look();
    clearInterval(timer);
    return most;
  };
}

async function inProcess(callers: number): Promise<Figures> {
  const times: number[] = [];
  const began = performance.now();
  const warm = began + 500;
  const end = warm + seconds * 1_000;
  const before = model.serving;
  const longest = watchLoop();
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let i = caller, now = began; now < end; i++) {
        const asked = performance.now();
        await model.predict(texts[i % texts.length]!);
        now = performance.now();
        if (asked >= warm) times.push(now - asked);
      }
    }),
  );
  const { texts: answered, batches } = model.serving;
  return {
    ...figures('in process', callers, times, seconds),
    perBatch: (answered - before.texts) / (batches - before.batches),
    longestTurn: longest(),
  };
}

const server = await createServer(model, { port: 0 });
const url = await server.listen();

async function overHttp(callers: number): Promise<Figures> {
  const before = model.serving;
  const longest = watchLoop();
  const client = fork(fileURLToPath(new URL('serving/client.ts', import.meta.url)));
  const order: Order = { url, texts, callers, seconds };
  client.send(order);
  const seen = await new Promise<Figures>((resolve, reject) => {
    client.once('message', (message) => resolve(message as Figures));
    client.once('exit', (code) => reject(new Error(`the client ended with ${code}`)));
  });
  const { texts: answered, batches } = model.serving;
  return { ...seen, perBatch: (answered - before.texts) / (batches - before.batches), longestTurn: longest() };
}

const all: Figures[] = [];
for (const callers of CALLERS) all.push(await inProcess(callers));
for (const callers of CALLERS) all.push(await overHttp(callers));
await server.close();
await model.close();
if (values.json) {
  console.log(JSON.stringify(all));
} else {
  console.log(
    '| callers | p50, ms | p99, ms | texts/s | texts a batch | longest turn, ms |\n|---|---|---|---|---|---|',
  );
  for (const { way, callers, p50, p99, perSecond, perBatch, longestTurn } of all) {
    const cells = [p50.toFixed(3), p99.toFixed(3), Math.round(perSecond).toLocaleString('en'), perBatch!.toFixed(1)];
    console.log(`| ${callers}, ${way} | ${cells.join(' | ')} | ${longestTurn!.toFixed(1)} |`);
  }
}
