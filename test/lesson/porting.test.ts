import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleFolder, pageText, runExample, writeExamples } from '../support/guide.js';

const page = 'docs/porting.md';
const folder = exampleFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The TypeScript of each section of the page, in order. */
const sections = pageText(page)
  .split(/^## /m)
  .slice(1)
  .map((text) => ({
    title: text.slice(0, text.indexOf('\n')),
    code: [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code).join('\n'),
  }))
  .filter(({ code }) => code !== '');

const WORDS = ['king', 'man', 'woman', 'queen', 'oil', 'market', 'match', 'goal', 'chip', 'web'];

beforeAll(() => {
  const rows = Array.from({ length: 24 }, (_, i) => {
    const words = Array.from({ length: 6 + i }, (_, k) => WORDS[(i * 3 + k) % WORDS.length]);
    return `"${(i % 4) + 1}","${words[0]} and ${words[1]}","${words.join(' ')}."\n`;
  });
  mkdirSync(join(folder, 'data', 'ag_news'), { recursive: true });
  for (const name of ['train', 'test']) writeFileSync(join(folder, 'data', 'ag_news', `${name}.csv`), rows.join(''));
  const vectors = WORDS.slice(0, 8).map((word, i) => `${word} ${i / 8} ${1 - i / 4} ${(i * i) / 64}\n`);
  writeFileSync(join(folder, 'data', 'vectors.txt'), vectors.join(''));
});

describe('docs/porting.md', () => {
  it('has the sections of the lesson and one on what differs', () => {
    expect(sections.map(({ title }) => title)).toEqual([
      'Notebook 2: texts as tensors',
      'Notebook 3: embeddings',
      'Notebook 4: recurrent networks',
      'Notebook 5: generating text',
      'What differs, and why',
    ]);
  });

  it.each(sections)('$title: its code runs', ({ title, code }) => {
    const example = { page, name: `${title.replace(/\W+/g, '-')}.ts`, code };
    writeExamples(folder, [example]);
    const run = runExample(folder, example);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    if (title.startsWith('Notebook 3')) expect(run.stdout).toMatch(/^Done, found 8 words, \d+ words missing$/m);
    if (title.startsWith('What differs')) expect(run.stdout).toContain('[ [ 2 ], [ 2 ] ]');
  });
});
