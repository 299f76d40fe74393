import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { exampleFolder, examplesOf, runExample, writeExamples } from '../support/guide.js';
import { topicTexts } from '../support/texts.js';

const page = 'docs/serving.md';
const [own, options, server, ...others] = examplesOf(page).map(({ code }) => code);
const folder = exampleFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  await using model = await TextClassifier.train(topicTexts(60), { embeddingDim: 8, hiddenSize: 8, epochs: 1 });
  await model.save(join(folder, 'tickets.safetensors'));
});

function run(code: string): string {
  const example = { page, name: 'example.ts', code };
  writeExamples(folder, [example]);
  const { status, stdout, stderr } = runExample(folder, example);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

describe('the examples of docs/serving.md', () => {
  it('are three', () => expect([typeof server, others.length]).toEqual(['string', 0]));

  it('predict in their own process', () => {
    const said = run(
      `${own}${options}console.log(typeof label, probability > 0, texts, batches, waiting, running, refused);`,
    );
    expect(said).toBe('string true 1 1 0 0 0\n');
  });

  it('serve from a program', () => {
    expect(server).toContain('port: 8080');
    expect(run(server!.replace('port: 8080', 'port: 0'))).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/);
  });
});
