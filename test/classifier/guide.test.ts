import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { topicCsv, topicTexts } from '../support/texts.js';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(checkout, 'docs', 'training.md'), 'utf8');
// Within the checkout, so that the code finds the package by its own name.
mkdirSync(join(checkout, 'target'), { recursive: true });
const folder = mkdtempSync(join(checkout, 'target', 'guide-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  writeFileSync(join(folder, 'tickets.csv'), topicCsv(topicTexts(200)));
  writeFileSync(join(folder, 'vectors.txt'), 'cat 1 2 3\ndog 4 5 6\n');
});

const examples = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);

describe('docs/training.md', () => {
  it('has its examples', () => expect(examples).toHaveLength(3));

  it.each(examples.map((code, i) => [i + 1, code] as const))('example %i runs, and prints what it says', (i, code) => {
    const file = join(folder, `${i}.ts`);
    writeFileSync(file, code);
    const run = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    const said = /^console\.log\(.*\); \/\/ (.*)$/m.exec(code)![1]!;
    if (said.startsWith('epochs')) expect(Number(run.stdout)).toBeGreaterThan(3);
    else expect(run.stdout.trim()).toBe(said);
  });
});
