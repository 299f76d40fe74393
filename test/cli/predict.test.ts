import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { COLUMNS, recurra, SMALL, trainedModel } from '../support/cli.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const { folder, csv, model } = trainedModel();

describe('recurra predict', () => {
  it('labels arguments, the lines of a file, and standard input', () => {
    const [first, second] = recurra([
      'predict',
      model,
      'the dog and the horse',
      'salt in the soup',
      '--json',
      '--top-k',
      '1',
    ]).json();
    expect(first).toMatchObject({ text: 'the dog and the horse', label: 'animal', tokens: 5 });
    expect(first.classes).toHaveLength(1);
    expect(second.label).toBe('food');
    const file = join(folder, 'lines.txt');
    writeFileSync(file, 'a steel hammer\n\na cat');
    const fromFile = recurra(['predict', model, '--file', file, '--json']).json();
    expect(fromFile.map(({ label, tokens }) => [label, tokens])).toMatchObject([
      ['tool', 3],
      [expect.any(String), 0],
      ['animal', 2],
    ]);
    const table = gzipSync('id,body\n1,"a steel\n hammer"\n');
    const fromTable = recurra(['predict', model, '--file', '-', '--text', 'body', '--top-k', '1'], table);
    expect(fromTable.out).toMatch(/^tool \d+\.\d %\ta steel hammer\n$/);
    const unsure = recurra(['predict', model, '--min-probability', '1', 'a cat', '--json']).json();
    expect(unsure).toMatchObject([{ label: null, labels: [], classes: [{ label: 'animal' }, {}, {}] }]);
    expect(recurra(['predict', model, '--min-probability', '1', 'a cat']).out).toMatch(/^unsure: animal \d+\.\d %/);
    const { status, err } = recurra(['predict', model, '--precision', '0.9', 'a cat']);
    expect([status, err]).toEqual([2, expect.stringMatching(/not measured on validation rows/)]);
    const scoped = recurra(['predict', model, '--out-of-scope', 'a cat']);
    expect([scoped.status, scoped.err]).toEqual([2, expect.stringMatching(/validation, of at least 20 rows/)]);
    const measured = join(folder, 'measured.safetensors');
    recurra(['train', csv, ...COLUMNS, ...SMALL, '--validation', '0.2', '--out', measured]);
    const flagged = recurra([
      'predict',
      measured,
      '--out-of-scope',
      '--precision',
      '0.5',
      'a cat',
      'zyx uvw',
      '--json',
    ]);
    expect(flagged.json()).toMatchObject([{ label: 'animal', outOfScope: false }, { outOfScope: true }]);
    expect(recurra(['predict', measured, '--out-of-scope', 'zyx uvw']).out).toMatch(/^out of scope: .*\tzyx uvw/);
    const piped = recurra(['predict', model], 'cheese and bread\nzyx\n');
    expect(piped.out).toMatch(/^food \d+\.\d % .*\tcheese and bread\n.*\tzyx {3}\(no known word/);
  });

  it('says that a text is the name of a file', () => {
    const { status, err } = recurra(['predict', model, csv]);
    expect(status).toBe(0);
    expect(err).toContain(
      `recurra: warning: ${JSON.stringify(csv)} is read as a text, and it is also a file: did you mean --file ${csv}?`,
    );
    expect(recurra(['predict', model, 'a cat']).err).toBe('');
  });

  it('ends at a row that does not fit, or leaves it out and says so; JSON has the line of each text', () => {
    for (const [name, content] of Object.entries({
      'gaps.csv': 'id,body\n1,a cat\n2\n3,a steel hammer\n',
      'gaps.jsonl': '\n{"body":"a cat"}\n{"body":null}\n{"body":"a steel hammer"}\n',
    })) {
      const file = join(folder, name);
      writeFileSync(file, content);
      const args = ['predict', model, '--file', file, '--text', 'body', '--json'];
      const strict = recurra(args);
      expect([strict.status, strict.err]).toEqual([
        1,
        expect.stringMatching(/gaps\.(csv:3: expected 2 fields|jsonl:3.*"body" is null).*\[INVALID_ROW\]/),
      ]);
      const { status, err, json } = recurra([...args, '--skip-bad-rows']);
      expect([status, err]).toEqual([0, expect.stringMatching(/1 row of .*gaps\.\w+ is invalid and was skipped/)]);
      expect(json().map(({ line, label }) => [line, label])).toEqual([
        [2, 'animal'],
        [4, 'tool'],
      ]);
    }
    const clean = recurra(['predict', model, '--skip-bad-rows'], 'a cat\n');
    expect([clean.status, clean.err]).toEqual([0, '']);
    // Only the content tells that columns are needed.
    const sniffed = recurra(['train', '-', '--label', 'topic'], topicCsv(topicTexts(3)));
    expect([sniffed.status, sniffed.err]).toEqual([1, expect.stringContaining('the option text (--text)')]);
  });
});
