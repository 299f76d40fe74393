/** One process of the comparison: makes steps when it is asked to, and says how long they took. Its parent talks to it by lines of JSON. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { EngineConfig, StepOptions } from '../../src/engine/engine.js';
import { CPU_CHUNK_TOKENS } from '../../src/engine/kernels.js';
import { nativeChunk, nativeConfig, nativeOptions } from '../../src/engine/native.js';
import { light } from '../../src/native/light.js';
import { openProcessGroup } from '../../src/native/processGroup.js';
import { readInts } from '../compare/ours/texts.js';
import { LESSON } from '../compare/shapes.js';
import type { Spec, Timed } from './types.js';

const spec = JSON.parse(process.argv[2]!) as Spec;

/** Different chunks that are trained in turn. */
const CHUNKS = 8;

const [tokens, lengths, labels] = ['tokens', 'lengths', 'labels'].map((name) =>
  readInts(join(spec.folder, `${name}.i32`)),
) as [Int32Array, Int32Array, Int32Array];
const offsets = new Uint32Array(lengths.length + 1);
for (const [row, length] of lengths.entries()) offsets[row + 1] = offsets[row]! + length;

/** Steps of a chunk, as a training makes them. */
const together = Math.max(1, Math.floor(CPU_CHUNK_TOKENS / (spec.rows * LESSON.lengths.mean)));

/** Where the rows of this process in a batch of all begin, and how many they are. */
function place(batch: number): [first: number, own: number] {
  const own = spec.size === 1 ? spec.rows * spec.shares : spec.rows;
  return [(batch * spec.rows * spec.shares + spec.rank * spec.rows) % (lengths.length - own), own];
}

/** The numbers of some ranges, one after the other. */
function joined(values: Int32Array, ranges: readonly (readonly [number, number])[]): Int32Array {
  return Int32Array.from(ranges.flatMap(([from, to]) => Array.from(values.subarray(from, to))));
}

/** Some batches, as the addon takes them. */
function chunk(first: number) {
  const places = Array.from({ length: together }, (_, batch) => place(first * together + batch));
  const rows = places.map(([row, own]) => [row, row + own] as const);
  return nativeChunk({
    tokens: joined(
      tokens,
      rows.map(([from, to]) => [offsets[from]!, offsets[to]!]),
    ),
    lengths: joined(lengths, rows),
    targets: joined(labels, rows),
    batchSizes: Int32Array.from(places, ([, own]) => own),
  });
}

const config: EngineConfig = {
  cell: 'lstm',
  embeddingDim: LESSON.embedding,
  hiddenSize: spec.hidden,
  numLayers: 1,
  bidirectional: false,
  dropout: 0,
  wordDropout: 0,
  embeddingDropout: 0,
  head: { kind: 'classes', outputs: LESSON.classes, pooling: 'last', multiLabel: false },
  vocabSize: spec.vocabulary,
  paddingIdx: 1,
  unknownIdx: 0,
  seed: 1,
  threads: spec.threads,
};
const options: StepOptions = {
  learningRates: new Float64Array(together).fill(1e-3),
  clipNorm: 0,
  optimizer: 'adam',
  weightDecay: 0,
  momentum: 0,
  loss: { weights: [], smoothing: 0 },
  freezeEmbedding: false,
  adversarial: 0,
};

/** Bytes that this network namespace has sent. */
function sent(): number {
  const lines = readFileSync('/proc/net/dev', 'utf8').split('\n').slice(2, -1);
  return lines.reduce((sum, line) => sum + Number(line.split(':')[1]!.trim().split(/\s+/)[8]), 0);
}

const network = new (light().CpuNetwork)(nativeConfig(config));
const group = spec.size > 1 ? await openProcessGroup() : undefined;
if (group) network.distribute(group.table);
const chunks = Array.from({ length: CHUNKS }, (_, first) => chunk(first));
let at = 0;
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);

async function steps(count: number): Promise<Timed> {
  await group?.barrier();
  const before = sent();
  const worked = process.cpuUsage();
  const began = performance.now();
  let made = 0;
  for (; made < count; made += together) await network.trainBatches(chunks[at++ % CHUNKS]!, nativeOptions(options));
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(worked);
  return { steps: made, seconds, processor: (user + system) / 1e6, bytes: sent() - before };
}

say('ready');
for await (const line of createInterface({ input: process.stdin })) say(await steps(Number(line)));
await group?.close();
network.close();
