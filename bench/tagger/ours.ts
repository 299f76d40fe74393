/**
 * Answers the requests of the tagger's benchmark for recurra, a JSON object a line, as `server.py` does for the others:
 * `ours.ts THREADS`.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type TaggerTrainOptions, TextTagger } from 'recurra';
import { median } from '../compare/measure.js';
import type { Fit, Speed, Work } from './programs.js';
import type { Parts, Sentence } from './sets.js';

const threads = Number(process.argv[2]);

/** Sentences whose training is timed: enough for a second or so, and the same for the others. */
const TIMED = { rows: 64 * 32, batch: 32 } as const;

function rowsOf(path: string): Sentence[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Sentence);
}

/** One set, and the model that is trained on it. */
class Program {
  readonly #parts: Parts;
  readonly #one: readonly string[];
  readonly #options: TaggerTrainOptions;
  #model: TextTagger | undefined;

  constructor({ parts, one, vectors, seed }: Work) {
    this.#parts = { train: rowsOf(parts.train), dev: rowsOf(parts.dev), test: rowsOf(parts.test) };
    this.#one = one;
    this.#options = { seed, threads, ...(vectors === null ? {} : { embeddings: vectors }) };
  }

  async fit(): Promise<Fit> {
    await this.#model?.close();
    const curve: Fit['curve'] = [];
    const begun = process.cpuUsage();
    const passed = () => {
      const { user, system } = process.cpuUsage(begun);
      return (user + system) / 1e6;
    };
    this.#model = await TextTagger.train(this.#parts.train, {
      ...this.#options,
      validation: this.#parts.dev,
      onEvent: (event) => {
        if (event.type === 'validation') curve.push([passed(), event.validation.f1 ?? event.validation.accuracy]);
      },
    });
    return { seconds: passed(), curve };
  }

  async predict(part: keyof Parts): Promise<readonly (readonly string[])[]> {
    const answers = await this.#trained().predictMany(this.#parts[part].map(({ tokens }) => tokens));
    return answers.map(({ tags }) => tags);
  }

  /** Sentences a second, from the first step to the end of a training. */
  async train(seconds: number): Promise<number> {
    const rows = this.#parts.train.slice(0, TIMED.rows);
    let epochs = 2;
    for (;;) {
      let begun = 0;
      const options = { ...this.#options, batchSize: TIMED.batch, epochs };
      const model = await TextTagger.train(rows, {
        ...options,
        onEvent: ({ type }) => {
          if (type === 'start') begun = performance.now();
        },
      });
      const passed = (performance.now() - begun) / 1000;
      await model.close();
      if (passed >= seconds) return (rows.length * epochs) / passed;
      epochs = Math.ceil(epochs * Math.min(8, (1.2 * seconds) / passed));
    }
  }

  /** Microseconds for a sentence, from its words to its tags. */
  async one(seconds: number): Promise<number> {
    const model = this.#trained();
    const times: number[] = [];
    const end = performance.now() + 1000 * seconds;
    while (performance.now() < end || times.length < 10) {
      const begun = performance.now();
      await model.predict(this.#one);
      times.push(performance.now() - begun);
    }
    return 1000 * median(times.slice(Math.floor(times.length / 10)));
  }

  /** Words a second, from words to tags, all sentences of the test part in one call. */
  async many(seconds: number): Promise<number> {
    const sentences = this.#parts.test.map(({ tokens }) => tokens);
    const words = sentences.reduce((sum, { length }) => sum + length, 0);
    const model = this.#trained();
    await model.predictMany(sentences);
    const begun = performance.now();
    for (let calls = 1; ; calls++) {
      await model.predictMany(sentences);
      const passed = (performance.now() - begun) / 1000;
      if (passed >= seconds) return (calls * words) / passed;
    }
  }

  #trained(): TextTagger {
    if (this.#model === undefined) throw new Error('fit comes first');
    return this.#model;
  }
}

let program: Program | undefined;

type Request =
  | { method: 'hello' }
  | ({ method: 'load' } & Work)
  | { method: 'fit' }
  | { method: 'predict'; part: keyof Parts }
  | { method: Speed; seconds: number };

async function handle(request: Request): Promise<unknown> {
  if (request.method === 'hello') return { 'Node.js': process.version.slice(1) };
  if (request.method === 'load') {
    program = new Program(request);
    return null;
  }
  if (program === undefined) throw new Error('load comes first');
  if (request.method === 'fit') return program.fit();
  if (request.method === 'predict') return program.predict(request.part);
  return program[request.method](request.seconds);
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer: { result?: unknown; error?: string };
  try {
    answer = { result: await handle(JSON.parse(line)) };
  } catch (error) {
    answer = { error: (error as Error).stack ?? String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
