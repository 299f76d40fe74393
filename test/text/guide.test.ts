import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { topicCsv, topicTexts } from '../support/texts.js';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(checkout, 'docs', 'text.md'), 'utf8');
// Within the checkout, so that the code finds the package by its own name.
mkdirSync(join(checkout, 'target'), { recursive: true });
const folder = mkdtempSync(join(checkout, 'target', 'guide-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  copyFileSync(join(checkout, 'test/fixtures/tokenizers/word_piece.json'), join(folder, 'tokenizer.json'));
  writeFileSync(join(folder, 'texts.csv'), topicCsv(topicTexts(40)));
});

const examples = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);

/** Makes a program of an example that prints, of each line with `// value` or `// [..., value]`, both sides as JSON. */
function checked(code: string): string {
  return code.replace(/^(?!console)(.+); \/\/ (\[.*\])$/gm, (_, expression: string, value: string) => {
    const more = value.includes('...,');
    return `console.log(JSON.stringify([(${expression})${more ? '.slice(4)' : ''}, ${value.replace('..., ', '')}]));`;
  });
}

describe('docs/text.md', () => {
  it('has its examples', () => expect(examples).toHaveLength(5));

  it.each(examples.map((code, i) => [i + 1, code] as const))('example %i runs, and gives what it says', (i, code) => {
    const file = join(folder, `${i}.ts`);
    writeFileSync(file, checked(code));
    const run = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    const lines = run.stdout.trim().split('\n');
    for (const line of lines.filter((each) => each.startsWith('[['))) {
      const [found, said] = JSON.parse(line) as [unknown, unknown];
      expect(found).toEqual(said);
    }
    if (code.includes('console.log(tokens, knownTokens)')) expect(run.stdout).toBe('3 1\n');
    if (code.includes('basicEnglish(')) expect(lines).toHaveLength(4);
  });
});
