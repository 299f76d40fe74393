import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { topicTexts } from '../support/texts.js';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(checkout, 'docs', 'serving.md'), 'utf8');
const [own, options, server, ...others] = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);
// Within the checkout, so that the code finds the package by its own name.
mkdirSync(join(checkout, 'target'), { recursive: true });
const folder = mkdtempSync(join(checkout, 'target', 'guide-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  await using model = await TextClassifier.train(topicTexts(60), { embeddingDim: 8, hiddenSize: 8, epochs: 1 });
  await model.save(join(folder, 'tickets.safetensors'));
});

function run(code: string): string {
  const file = join(folder, 'example.ts');
  writeFileSync(file, code);
  const args = ['--import', import.meta.resolve('tsx'), file];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
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
