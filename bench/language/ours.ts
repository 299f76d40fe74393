/** Answers the requests of the language models' benchmark for recurra, as `network.py` does for PyTorch: `ours.ts THREADS wall|cpu`. */
import { createInterface } from 'node:readline';
import { LanguageModel, type LanguageOptions } from 'recurra';

const threads = Number(process.argv[2]);

/** Milliseconds on the clock, or of the processor in all threads. */
function now(): number {
  if (process.argv[3] !== 'cpu') return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Characters of the text; `<unk>` and `<eos>` make 67 units. */
const KINDS = 65;
const STREAMS = 32;
const WINDOW = 64;

/** A text of 64 windows of each stream, whose end is the unit that its last window predicts. */
function randomText(): string {
  let state = 1;
  let text = '';
  for (let at = 0; at < 64 * STREAMS * WINDOW; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += String.fromCodePoint(0x100 + Math.floor((state / 2 ** 32) * KINDS));
  }
  return text;
}

/** The size of a network, and for how long it is measured. */
interface Asked {
  hidden: number;
  seconds: number;
}

const text = randomText();
const models = new Map<number, LanguageModel>();

function options(hidden: number): LanguageOptions {
  return {
    embeddingDim: hidden,
    hiddenSize: hidden,
    numLayers: 2,
    dropout: 0,
    batchSize: STREAMS,
    window: WINDOW,
    threads,
  };
}

/** Characters a second, from one step of a training to a later one. */
async function train({ hidden, seconds }: Asked): Promise<number> {
  const stop = new AbortController();
  let begun: { time: number; samples: number } | undefined;
  let speed = 0;
  const run = LanguageModel.start([text], {
    ...options(hidden),
    epochs: 1_000,
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type !== 'step') return;
      const { samples } = event;
      const time = now();
      // What comes before the first event warms up.
      begun ??= { time, samples };
      const passed = (time - begun.time) / 1000;
      if (passed < seconds) return;
      if (speed === 0) speed = ((samples - begun.samples) * WINDOW) / passed;
      stop.abort();
    },
  });
  // It rejects, since it was stopped.
  await run.result.catch(() => {});
  return speed;
}

/** Microseconds for a character, from a network that was hardly trained. */
async function generate({ hidden, seconds }: Asked): Promise<number> {
  let model = models.get(hidden);
  if (model === undefined) {
    model = await LanguageModel.train([text.slice(0, 4 * STREAMS * WINDOW)], { ...options(hidden), epochs: 1 });
    models.set(hidden, model);
  }
  const write = async (maxNewTokens: number): Promise<number> => {
    let written = 0;
    for await (const piece of model.generate(text[0]!, { maxNewTokens, seed: 1 })) written += [...piece].length;
    return written;
  };
  await write(200);
  let written = 0;
  const begun = now();
  for (;;) {
    written += await write(2_000);
    const passed = now() - begun;
    if (passed >= 1000 * seconds) return (1000 * passed) / written;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { method, ...asked } = JSON.parse(line) as Asked & { method: 'hello' | 'train' | 'generate' };
  let answer: { result?: unknown; error?: string };
  try {
    const result =
      method === 'hello' ? { 'Node.js': process.version.slice(1) } : await { train, generate }[method](asked);
    answer = { result };
  } catch (error) {
    answer = { error: (error as Error).stack ?? String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
