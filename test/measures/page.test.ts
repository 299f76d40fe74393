import { rmSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { exampleFolder, examplesOf, runExample, writeExamples } from '../support/guide.js';

const page = 'docs/measures.md';
const folder = exampleFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(name: string, code: string): string {
  const example = { page, name: `${name}.mts`, code };
  writeExamples(folder, [example]);
  const { status, stdout, stderr } = runExample(folder, example);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

const [measures, entities, explain] = examplesOf(page).map(({ code }) => code);

it('the first example of docs/measures.md prints what its comments say', () => {
  const printed = run('measures', measures!).split('\n');
  const said = [...measures!.matchAll(/\/\/ (\d[\d.]*?)(\.\.\.)?$/gm)];
  expect(said).toHaveLength(4);
  const numbers = printed.filter((line) => /^\d[\d.]*$/.test(line)).map(Number);
  for (const [index, [, value]] of said.entries()) {
    expect(Math.abs(numbers[index]! - Number(value))).toBeLessThan(1e-3);
  }
});

it('the example of entities prints what its comments say', () => {
  const [f1, accuracy] = run('entities', entities!).split(/\s/).map(Number);
  expect(f1).toBeCloseTo(0.4, 12);
  expect(accuracy).toBeCloseTo(2 / 3, 12);
});

it('the example of explain runs', () => {
  const before = `
    import { TextClassifier } from 'recurra';
    const rows = ['invoice', 'password'].flatMap((word) => ['my', 'the', 'a'].map((other) => ({ text: other + ' ' + word, label: word })));
    const model = await TextClassifier.train(rows, { embeddingDim: 4, hiddenSize: 4 });
  `;
  expect(run('explain', before + explain!)).toMatch(/^My -?\d+\.\d{3}\ninvoice -?\d+\.\d{3}\nis .*\nwrong .*\n$/);
});
