import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as torch from '../../src/torch/index.js';
import { exampleFolder, pageText, runExample, typeErrors, writeExamples } from '../support/guide.js';
import { pythonWith } from '../support/python.js';
import { golden } from '../support/safetensors.js';

const page = 'docs/porting.md';
const folder = exampleFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The TypeScript of each section of the page, in order. */
const sections = pageText(page)
  .split(/^## /m)
  .slice(1)
  .map((text) => ({
    title: text.slice(0, text.indexOf('\n')),
    text,
    name: `${text.slice(0, text.indexOf('\n')).replace(/\W+/g, '-')}.ts`,
    blocks: [...text.matchAll(/^```(ts|python)\n([\s\S]*?)^```$/gm)].map(([, kind, code]) => ({ kind, code: code! })),
  }))
  .map((section) => ({
    ...section,
    code: section.blocks.flatMap(({ kind, code }) => (kind === 'ts' ? [code] : [])).join('\n'),
  }));
const programs = sections.filter(({ code }) => code !== '');
/** A section whose code runs in turns with Python. */
const withPython = sections.find(({ title }) => title === 'To Python and back')!;
const sectionCalled = (title: string) => sections.find((section) => section.title === title)!;

const WORDS = ['king', 'man', 'woman', 'queen', 'oil', 'market', 'match', 'goal', 'chip', 'web'];

beforeAll(() => {
  const rows = Array.from({ length: 24 }, (_, i) => {
    const words = Array.from({ length: 6 + i }, (_, k) => WORDS[(i * 3 + k) % WORDS.length]);
    return `"${(i % 4) + 1}","${words[0]} and ${words[1]}","${words.join(' ')}."\n`;
  });
  mkdirSync(join(folder, 'data', 'ag_news'), { recursive: true });
  for (const name of ['train', 'test']) writeFileSync(join(folder, 'data', 'ag_news', `${name}.csv`), rows.join(''));
  copyFileSync(join(golden, 'checkpoint-adam.pt'), join(folder, 'from-python.pt'));
  const vectors = WORDS.slice(0, 8).map((word, i) => `${word} ${i / 8} ${1 - i / 4} ${(i * i) / 64}\n`);
  writeFileSync(join(folder, 'data', 'vectors.txt'), vectors.join(''));
});

describe('docs/porting.md', () => {
  it('has the sections of the lesson and one on what differs', () => {
    expect(programs.map(({ title }) => title)).toEqual([
      'A loop over AG News, whole',
      'The same with TextClassifier',
      'Notebook 2: texts as tensors',
      'Notebook 3: embeddings',
      'Notebook 4: recurrent networks',
      'Notebook 5: generating text',
      'To Python and back',
      'A checkpoint of PyTorch',
      'What differs, and why',
    ]);
  });

  it('has code without type errors', () => {
    const examples = programs.map(({ name, code }) => ({ page, name, code }));
    writeExamples(folder, examples);
    expect(typeErrors(folder, examples)).toEqual([]);
  }, 60_000);

  it.each(programs.filter((section) => section !== withPython))('$title: its code runs', ({ title, name, code }) => {
    const example = { page, name, code };
    writeExamples(folder, [example]);
    const run = runExample(folder, example);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    if (title.startsWith('Notebook 3')) expect(run.stdout).toMatch(/^Done, found 8 words, \d+ words missing$/m);
    if (title.startsWith('What differs')) expect(run.stdout).toContain('[ [ 2 ], [ 2 ] ]');
    if (title.startsWith('A checkpoint')) {
      expect(run.stdout).toMatch(/^Adam \(\nParameter Group 0\n {4}amsgrad: true\n/);
      expect(run.stdout).toMatch(/^epoch 6: loss \d/m);
    }
    if (title.startsWith('A loop')) {
      expect(run.stdout).toMatch(/\(rnn\): LSTM\(64, 32, batchFirst=true\)/);
      expect(run.stdout).toMatch(/^epoch 2: loss 1\.\d+, accuracy 0\.\d+$/m);
      expect(run.stdout).toMatch(/^(World|Sports|Business|Sci\/Tech) 0\.\d+$/m);
    }
  });

  it('To Python and back: both sides give the same numbers', () => {
    const [first, python, last] = withPython.blocks;
    expect([first!.kind, python!.kind, last!.kind]).toEqual(['ts', 'python', 'ts']);
    const numbers = (text: string) => JSON.parse(text.replaceAll(/\s/g, '')) as number[][];
    const run = (name: string, code: string) => {
      const example = { page, name, code };
      writeExamples(folder, [example]);
      const { stdout, stderr } = runExample(folder, example);
      expect(stderr).toBe('');
      return stdout;
    };
    const there = numbers(run('there.ts', first!.code))[0]!;
    const found = pythonWith('torch', 'safetensors');
    if (found) {
      writeFileSync(join(folder, 'there.py'), python!.code);
      const printed = execFileSync(found, ['there.py'], { cwd: folder, encoding: 'utf8' });
      for (const [i, value] of numbers(printed)[0]!.entries()) expect(value).toBeCloseTo(there[i]!, 5);
    } else copyFileSync(join(folder, 'net.safetensors'), join(folder, 'from-python.safetensors'));
    // A new network, whose weights only the file can have made those of the first.
    const back = first!.code.replace(/^await saveFile.*\n/m, '').replace(/^console.*\n/m, '') + last!.code;
    expect(numbers(run('back.ts', back))).toEqual([there]);
  }, 60_000);

  it('names methods and functions that there are', () => {
    const x = torch.zeros([2, 2]) as unknown as Record<string, unknown>;
    const names = new Set<string>();
    for (const title of ['Names', 'Not there, use instead']) {
      const rows = sectionCalled(title)
        .text.match(/^\| .* \|$/gm)!
        .slice(2);
      expect(rows.length).toBeGreaterThan(10);
      for (const row of rows) {
        const spans = [
          ...row
            .split(' | ')
            .at(-1)!
            .matchAll(/`([^`]*)`/g),
        ].map(([, span]) => span!);
        const code = spans.filter((span) => !span.includes('Random')).join(' ');
        for (const [, name] of code.matchAll(/(?:\bx|\))\.(\w+)/g)) names.add(`x.${name}`);
        for (const [, name] of code.matchAll(/\b((?:nn|optim|cuda|amp)(?:\.\w+)+)/g)) names.add(name!);
      }
    }
    const exists = (name: string) => {
      const path = name.split('.');
      let value: unknown = path[0] === 'x' ? x : (torch as Record<string, unknown>)[path[0]!];
      for (const part of path.slice(1)) value = (value as Record<string, unknown> | undefined)?.[part];
      return value !== undefined;
    };
    expect(names.size).toBeGreaterThan(40);
    expect([...names].filter((name) => !exists(name))).toEqual([]);
  });
});
