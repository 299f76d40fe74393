import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleFolder, examplesOf, runExample, saidBy, writeExamples } from '../support/guide.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const folder = exampleFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  writeFileSync(join(folder, 'tickets.csv'), topicCsv(topicTexts(200)));
  writeFileSync(join(folder, 'vectors.txt'), 'cat 1 2 3\ndog 4 5 6\n');
  writeFileSync(join(folder, 'all-tickets.txt'), 'a refund for the cat\n'.repeat(20));
});

const examples = examplesOf('docs/training.md');

describe('docs/training.md', () => {
  it('has its examples', () => expect(examples).toHaveLength(5));

  it.each(examples)('$name runs, and prints what it says', (example) => {
    writeExamples(folder, [example]);
    const run = runExample(folder, example);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    const said = saidBy(example)[0]!;
    if (said.startsWith('epochs')) expect(Number(run.stdout)).toBeGreaterThan(3);
    else expect(run.stdout.trim()).toBe(said);
  });
});
