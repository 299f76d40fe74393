import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
// Within the checkout, so that the code finds the package by its own name.
mkdirSync(join(checkout, 'target'), { recursive: true });
const folder = mkdtempSync(join(checkout, 'target', 'measures-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(name: string, code: string): string {
  const file = join(folder, `${name}.mts`);
  writeFileSync(file, code);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

const page = readFileSync(join(checkout, 'docs', 'measures.md'), 'utf8');
const [measures, explain] = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);

it('the first example of docs/measures.md prints what its comments say', () => {
  const printed = run('measures', measures!).split('\n');
  const said = [...measures!.matchAll(/\/\/ (\d[\d.]*?)(\.\.\.)?$/gm)];
  expect(said).toHaveLength(4);
  const numbers = printed.filter((line) => /^\d[\d.]*$/.test(line)).map(Number);
  for (const [index, [, value]] of said.entries()) {
    expect(Math.abs(numbers[index]! - Number(value))).toBeLessThan(1e-3);
  }
});

it('the example of explain runs', () => {
  const before = `
    import { TextClassifier } from 'recurra';
    const rows = ['invoice', 'password'].flatMap((word) => ['my', 'the', 'a'].map((other) => ({ text: other + ' ' + word, label: word })));
    const model = await TextClassifier.train(rows, { embeddingDim: 4, hiddenSize: 4 });
  `;
  expect(run('explain', before + explain!)).toMatch(/^My -?\d+\.\d{3}\ninvoice -?\d+\.\d{3}\nis .*\nwrong .*\n$/);
});
