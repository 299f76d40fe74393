import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compareModels, type Row, TextClassifier } from '../../src/index.js';
import { COLUMNS, recurra } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const TEST = topicTexts(60, 9);
let poor: TextClassifier;
let good: TextClassifier;

beforeAll(async () => {
  const options = { recurrent: false, threads: 1 } as const;
  poor = await TextClassifier.train(topicTexts(12, 4), options);
  good = await TextClassifier.train(topicTexts(240, 2), options);
  await poor.save(path('poor.safetensors'));
  await good.save(path('good.safetensors'));
  writeFileSync(path('test.csv'), topicCsv(TEST));
});
afterAll(async () => {
  await poor.close();
  await good.close();
});

it('counts the rows that one model alone has right, as predictions one by one do', async () => {
  const found = await compareModels(poor, good, TEST, { examples: 1_000 });
  const cells = { both: 0, lost: [] as number[], gained: [] as number[], none: 0 };
  for (const [row, { text, label }] of TEST.entries()) {
    const [was, is] = [(await poor.predict(text)).label === label, (await good.predict(text)).label === label];
    if (was && is) cells.both++;
    else if (was) cells.lost.push(row + 1);
    else if (is) cells.gained.push(row + 1);
    else cells.none++;
  }
  expect([found.bothRight, found.bothWrong, found.rows]).toEqual([cells.both, cells.none, 60]);
  expect(found.lost.examples.map(({ row }) => row)).toEqual(cells.lost);
  expect(found.gained.examples.map(({ row }) => row)).toEqual(cells.gained);
  expect(found.gained.examples[0]).toMatchObject({ labels: [expect.any(String)], first: [expect.any(String)] });
  expect(found.second.accuracy).toBeCloseTo(found.secondAccuracy, 12);
  expect(found.difference).toBeGreaterThan(0.1);
  expect(found.interval[0]).toBeGreaterThan(0);
  expect(found.pValue).toBeLessThan(0.05);
});

it('refuses what cannot be compared', async () => {
  const once = (function* (): Generator<Row> {
    yield* TEST;
  })();
  await expect(compareModels(poor, good, once)).rejects.toThrow(/60 rows in the first reading and 0 in the second/);
  await expect(compareModels(poor, {} as never, TEST)).rejects.toThrow(/Expected a TextClassifier for second/);
  await expect(compareModels(poor, good, [{ text: 'a', label: 'none' }])).rejects.toThrow(/none/);
  const several = await TextClassifier.train(topicTexts(30), { recurrent: false, multiLabel: true, threads: 1 });
  await expect(compareModels(poor, several, TEST)).rejects.toThrow(/cannot be compared/);
  await several.close();
});

it('is a command, whose answer is also data', () => {
  const files = ['compare', path('poor.safetensors'), path('good.safetensors'), path('test.csv'), ...COLUMNS];
  const run = recurra(files);
  expect(run.err).toBe('');
  expect(run.status).toBe(0);
  expect(run.out).toMatch(/accuracy +\d+\.\d\d % +\d+\.\d\d %/);
  expect(run.out).toMatch(/good\.safetensors is better, by more than chance explains/);
  const json = recurra([...files, '--json', '--examples', '0'])
    .json()
    .at(-1);
  expect(json).toMatchObject({ event: 'end', rows: 60, gained: { examples: [] } });
  expect(recurra([...files.slice(0, 3), '-', ...COLUMNS]).err).toMatch(/read once for each model/);
  if (process.platform !== 'win32')
    expect(recurra([...files.slice(0, 3), '/dev/null', ...COLUMNS])).toMatchObject({
      status: 2,
      err: expect.stringMatching(/read once for each model; give a file instead of \/dev\/null/),
    });
});
