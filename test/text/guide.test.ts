import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkout, exampleFolder, examplesOf, runExample, writeExamples } from '../support/guide.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const page = 'docs/text.md';
const folder = exampleFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  copyFileSync(join(checkout, 'test/fixtures/tokenizers/word_piece.json'), join(folder, 'tokenizer.json'));
  writeFileSync(join(folder, 'texts.csv'), topicCsv(topicTexts(40)));
});

const examples = examplesOf(page);

/** Makes a program of an example that prints, of each line with `// value` or `// [..., value]`, both sides as JSON. */
function checked(code: string): string {
  return code.replace(/^(?!console)(.+); \/\/ (\[.*\])$/gm, (_, expression: string, value: string) => {
    const more = value.includes('...,');
    return `console.log(JSON.stringify([(${expression})${more ? '.slice(4)' : ''}, ${value.replace('..., ', '')}]));`;
  });
}

describe('docs/text.md', () => {
  it('has its examples', () => expect(examples).toHaveLength(5));

  it.each(examples)('$name runs, and gives what it says', (example) => {
    const { code } = example;
    writeExamples(folder, [{ ...example, code: checked(code) }]);
    const run = runExample(folder, example);
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
