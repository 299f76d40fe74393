/**
 * Answers the requests of the benchmark of sequence to sequence for recurra, a JSON object a line, as `network.py` does for PyTorch.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { light as lightNamespace } from '../../index.d.js';
import { light } from '../../src/native/light.js';
import { median } from '../compare/measure.js';
import { END, type Pair, START } from './data.js';

type Chunk = Parameters<lightNamespace.CpuSeq2Seq['trainBatches']>[0];

/** What is measured. */
export interface Spec {
  cell: 'lstm' | 'gru';
  attention: 'luong' | 'bahdanau';
  hidden: number;
  embedding: number;
  batch: number;
  sources: number;
  targets: number;
  longest: number;
  folder: string;
}

/** Batches that go to the addon together. */
const TOGETHER = 8;

const OPTIONS: Parameters<lightNamespace.CpuSeq2Seq['trainBatches']>[1] = {
  learningRates: Float64Array.of(1e-3),
  clipNorm: 5,
  optimizer: 'adam',
  weightDecay: 0,
  momentum: 0,
  outputWeights: [],
  smoothing: 0,
  freezeEmbedding: false,
  adversarial: 0,
};

function sourcesOf(rows: readonly Pair[]) {
  const tokens = Int32Array.from(rows.flatMap(([source]) => source));
  return { tokens, lengths: Int32Array.from(rows, ([source]) => source.length) };
}

function chunkOf(rows: readonly Pair[], batch: number): Chunk {
  const targetStarts = new Uint32Array(rows.length + 1);
  rows.forEach(([, target], row) => {
    targetStarts[row + 1] = targetStarts[row]! + target.length;
  });
  return {
    ...sourcesOf(rows),
    targets: Int32Array.from(rows.flatMap(([, target]) => target)),
    targetStarts,
    batchSizes: new Int32Array(rows.length / batch).fill(batch),
  };
}

class Program {
  readonly #network: lightNamespace.CpuSeq2Seq;
  readonly #chunks: Chunk[] = [];
  readonly #first: Chunk;
  readonly #words: readonly Pair[];
  readonly #one: readonly Pair[];
  readonly #spec: Spec;
  #next = 0;

  constructor(spec: Spec, threads: number) {
    const { cell, attention, hidden, embedding, batch, sources, targets, folder } = spec;
    this.#spec = spec;
    this.#network = new (light().CpuSeq2Seq)({
      encoder: {
        cell,
        vocabSize: sources,
        embeddingDim: embedding,
        hiddenSize: hidden,
        numLayers: 1,
        bidirectional: true,
        dropouts: { words: 0, embedding: 0, layers: 0 },
      },
      targetSize: targets,
      targetEmbeddingDim: embedding,
      decoderHidden: hidden,
      decoderLayers: 1,
      attention,
      startUnit: START,
      endUnit: END,
      seed: 1,
      threads,
    });
    const data = JSON.parse(readFileSync(join(folder, 'pairs.json'), 'utf8'));
    const train: Pair[] = data.train;
    for (let at = 0; at < train.length; at += batch * TOGETHER)
      this.#chunks.push(chunkOf(train.slice(at, at + batch * TOGETHER), batch));
    this.#first = chunkOf(train.slice(0, batch), batch);
    [this.#words, this.#one] = [data.words, data.one];
  }

  /** Writes the weights for the other side. */
  async save(): Promise<void> {
    const arrays = await this.#network.state();
    let start = 0;
    const names = arrays.map(({ name, shape, data }) => {
      const entry = [name, shape, start];
      start += data.byteLength / 4;
      return entry;
    });
    writeFileSync(join(this.#spec.folder, 'weights.json'), JSON.stringify(names));
    writeFileSync(join(this.#spec.folder, 'weights.f32'), Buffer.concat(arrays.map(({ data }) => data)));
  }

  async loss(): Promise<number> {
    const { tokens, lengths, targets, targetStarts } = this.#first;
    const scores = await this.#network.score(tokens, lengths, targets, targetStarts!);
    return -scores.reduce((sum, score) => sum + score, 0) / scores.length;
  }

  /** Pairs a second. */
  async train(seconds: number): Promise<number> {
    const some = async () => {
      const chunk = this.#chunks[this.#next++ % this.#chunks.length]!;
      return (await this.#network.trainBatches(chunk, OPTIONS)).rows;
    };
    return rate(some, seconds);
  }

  /** Median microseconds of one word. */
  async one(seconds: number): Promise<number> {
    const times: number[] = [];
    const end = performance.now() + 1000 * seconds;
    while (performance.now() < end || times.length < 10) {
      const begun = performance.now();
      // At once where the network is ready: a change of thread takes a third of the time of a word.
      this.#network.decodeNow(...this.#search(this.#one)) ?? (await this.#network.decode(...this.#search(this.#one)));
      times.push(performance.now() - begun);
    }
    return 1000 * median(times.slice(Math.floor(times.length / 10)));
  }

  /** Words a second. */
  many(seconds: number): Promise<number> {
    return rate(async () => {
      await this.#network.decode(...this.#search(this.#words));
      return this.#words.length;
    }, seconds);
  }

  #search(rows: readonly Pair[]): Parameters<lightNamespace.CpuSeq2Seq['decodeNow']> {
    const { tokens, lengths } = sourcesOf(rows);
    const maxLengths = new Int32Array(rows.length).fill(this.#spec.longest);
    return [tokens, lengths, { beamSize: 1, maxLengths, lengthPenalty: 0, nBest: 1, alignments: false }];
  }
}

/** What a call says that it did, a second, once the first call has warmed up. */
async function rate(call: () => Promise<number>, seconds: number): Promise<number> {
  await call();
  let done = 0;
  const begun = performance.now();
  for (;;) {
    done += await call();
    const passed = (performance.now() - begun) / 1000;
    if (passed >= seconds) return done / passed;
  }
}

let program: Program | undefined;

type Request =
  | { method: 'hello' }
  | { method: 'loss' }
  | ({ method: 'load'; seconds: number } & Spec)
  | { method: 'train' | 'one' | 'many'; seconds: number };

async function handle(request: Request): Promise<unknown> {
  if (request.method === 'hello') return { 'Node.js': process.version.slice(1) };
  if (request.method === 'load') {
    program = new Program(request, Number(process.argv[2]));
    // Words are then of their usual length.
    await program.train(request.seconds);
    return program.save();
  }
  if (program === undefined) throw new Error('load comes first');
  if (request.method === 'loss') return program.loss();
  return program[request.method](request.seconds);
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer: { result?: unknown; error?: string };
  try {
    answer = { result: (await handle(JSON.parse(line))) ?? null };
  } catch (error) {
    answer = { error: (error as Error).stack ?? String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
