/**
 * Time and memory of tokenizing, counting and encoding 120,000 texts: AG News where it is (repeated up to that number), else
 * texts made up of as many words. Run: `node --expose-gc --import tsx bench/encode.ts [TOKENIZER.JSON...]`; the other tokenizers
 * are measured after the default one, once each.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  basicEnglish,
  collect,
  encodeDataset,
  getTokenizer,
  HuggingFaceTokenizer,
  type LabelledText,
  Random,
  type TokenizerLike,
} from '../src/index.js';
import { agNews } from '../src/lesson/index.js';

const TEXTS = 120_000;
const ROUNDS = 5;

/** Texts with as many tokens and words as AG News: lengths about 44, words by Zipf's law. */
function* madeUp(): Generator<LabelledText> {
  const random = new Random(1);
  for (let i = 0; i < TEXTS; i++) {
    const words = Array.from({ length: 24 + random.int(41) }, () => `w${Math.floor(90_000 ** random.float())}`);
    yield { text: words.join(' '), label: String(i % 4) };
  }
}

async function texts(): Promise<{ name: string; rows: LabelledText[] }> {
  const folders = [process.env.RECURRA_DATA, fileURLToPath(new URL('../../shared/data', import.meta.url))];
  const root = folders
    .map((folder) => folder && join(folder, 'ag_news'))
    .find((folder) => folder && existsSync(folder));
  if (!root) return { name: 'made-up texts', rows: [...madeUp()] };
  const read: LabelledText[] = [];
  for await (const row of (await agNews({ root })).train) read.push(row);
  return {
    name: `AG News (${read.length} rows)`,
    rows: Array.from({ length: TEXTS }, (_, i) => read[i % read.length]!),
  };
}

function memory(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
const seconds = (ms: number) => (ms / 1000).toFixed(2);
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

const { name, rows } = await texts();
const collecting: number[] = [];
const encoding: number[] = [];
let late = 0;
let held = 0;
let tokens = 0;
let words = 0;
for (let round = 0; round < ROUNDS; round++) {
  const before = memory();
  let latest = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    late = Math.max(late, now - latest - 10);
    latest = now;
  }, 10);
  let start = performance.now();
  const { dataset, vocab } = await collect(rows);
  collecting.push(performance.now() - start);
  clearInterval(timer);
  held = memory() - before;
  tokens = dataset.tokens.length;
  words = vocab.size;
  start = performance.now();
  await encodeDataset(rows, { vocab, classes: dataset.classes });
  encoding.push(performance.now() - start);
}

const text = rows[7]!.text;
let start = performance.now();
for (let i = 0; i < 100_000; i++) basicEnglish(text);
const tokenize = (performance.now() - start) / 100;
const { vocab } = await collect(rows.slice(0, 10_000));
start = performance.now();
for (let i = 0; i < 100_000; i++) vocab.encode(basicEnglish(text));
const encodeOne = (performance.now() - start) / 100;

console.log(`${TEXTS} texts from ${name}: ${tokens} tokens, ${words} in the vocabulary; medians of ${ROUNDS}`);
console.log(`tokenize, count, build the vocabulary and encode: ${seconds(median(collecting))} s`);
console.log(`encode with a vocabulary: ${seconds(median(encoding))} s`);
console.log(`data set and vocabulary in memory: ${globalThis.gc ? `${megabytes(held)} MB` : 'run with --expose-gc'}`);
console.log(`a 10 ms timer was late by at most ${late.toFixed(1)} ms`);
console.log(
  `one text of ${basicEnglish(text).length} tokens: ${tokenize.toFixed(1)} us tokenized, ${encodeOne.toFixed(1)} us encoded`,
);

const others: [name: string, tokenizer: TokenizerLike][] = [
  ['unicode_words', 'unicode_words'],
  ['characters', 'characters'],
];
for (const file of process.argv.slice(2)) others.push([file, await HuggingFaceTokenizer.fromFile(file)]);
for (const [name, tokenizer] of others) {
  const split = getTokenizer(tokenizer);
  for (let i = 0; i < 1_000; i++) split(text);
  start = performance.now();
  for (let i = 0; i < 10_000; i++) split(text);
  const one = (performance.now() - start) / 10;
  start = performance.now();
  const { dataset, vocab } = await collect(rows, { tokenizer });
  const all = seconds(performance.now() - start);
  console.log(
    `${name}: ${all} s, ${dataset.tokens.length} tokens, ${vocab.size} in the vocabulary; one text ${one.toFixed(1)} us`,
  );
}
