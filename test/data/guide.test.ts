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
  // A tenth of them is enough to validate on.
  const table = topicTexts(600)
    .map(({ text, label }, i) => `${label},Ticket ${i},"${text}"\n`)
    .join('');
  writeFileSync(join(folder, 'tickets.csv.gz'), gzipSync(`queue,subject,body\n${table}`));
  writeFileSync(join(folder, 'tickets.csv'), `queue,subject,body\n${table}`);
  writeFileSync(join(folder, 'more.csv'), 'body,queue\nan invoice,x\n');
  writeFileSync(join(folder, 'names.conll'), 'Peter B-PER\nslept O\n\nthe O\nAnna I-PER\n');
  writeFileSync(
    join(folder, 'places.jsonl'),
    '{"text":"🙂 Paris","label":[[2,7,"LOC"]]}\n{"text":"To Rome","spans":[{"start":3,"end":7,"label":"LOC"}]}\n',
  );
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
  it('has its examples', () => expect(examples).toHaveLength(5));

  it.each(examples)('$name runs', (example) => {
    writeExamples(folder, [example]);
    const run = runExample(folder, example);
    expect([run.stderr, run.status]).toEqual(['', 0]);
    if (example.code.includes('sentences.scheme')) {
      const hint = 'names.conll:5: I-PER cannot follow O in IOB2; it is read as B-PER';
      expect(run.stdout).toBe(`2 B-PER O\n2 O B-PER\nIOB2 ${hint}\nLOC Paris\nLOC Rome\n`);
    }
    if (example.code.includes('rows left out'))
      expect(run.stdout).toMatch(/^1 rows left out; the first: tickets\.jsonl:41: /);
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
