import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCsv, readJsonLines } from '../../src/data/index.js';
import { exampleFolder, examplesOf, pageText, runExample, writeExamples } from '../support/guide.js';
import { errorOf } from '../support/rows.js';
import { topicTexts } from '../support/texts.js';

const page = 'docs/data.md';
const folder = exampleFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  const texts = topicTexts(40);
  const lines = (row: (text: string, label: string) => unknown) =>
    texts.map(({ text, label }) => `${JSON.stringify(row(text, label))}\n`).join('');
  const table = texts.map(({ text, label }, i) => `${label},Ticket ${i},"${text}"\n`).join('');
  writeFileSync(join(folder, 'tickets.csv.gz'), gzipSync(`queue,subject,body\n${table}`));
  writeFileSync(
    join(folder, 'papers.jsonl'),
    lines((abstract, label) => ({ abstract, topics: [label, 'all'] })),
  );
  writeFileSync(
    join(folder, 'tickets.jsonl'),
    `${lines((body, queue) => ({ body, queue }))}{"queue":"a","body":null}\n`,
  );
});

const examples = examplesOf(page);

describe('docs/data.md', () => {
  it('has its examples', () => expect(examples).toHaveLength(3));

  it.each(examples)('$name runs', (example) => {
    writeExamples(folder, [example]);
    const run = runExample(folder, example);
    expect([run.stderr, run.status]).toEqual(['', 0]);
    if (example.code.includes('rows left out')) expect(run.stdout).toBe('1 rows left out\n');
  });

  it('shows the messages as they are', async () => {
    const csv = join(folder, 'bad.csv');
    writeFileSync(csv, `${'a,b,c\n'.repeat(16)}a,b,\n`);
    const json = join(folder, 'bad.jsonl');
    writeFileSync(json, `${'{"body":"a","queue":"b"}\n'.repeat(4)}{"body":null,"queue":"b"}\n`);
    for (const [rows, file, name] of [
      [readCsv(csv, { text: 1, label: 3 }), csv, 'tickets.csv'],
      [readJsonLines(json, { text: 'body', label: 'queue' }), json, 'tickets.jsonl'],
    ] as const) {
      const { message, code } = await errorOf(rows);
      expect(pageText(page)).toContain(`${message.replace(file, name)} [${code}]\n`);
    }
  });
});
