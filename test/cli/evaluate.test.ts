import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COLUMNS, recurra, trainedModel } from '../support/cli.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const { folder, csv, model } = trainedModel();

describe('recurra evaluate', () => {
  it('prints a confusion matrix, or with --json the numbers', () => {
    const plain = recurra(['evaluate', model, csv, ...COLUMNS]);
    expect(plain.status).toBe(0);
    expect(plain.out).toMatch(/truth down, prediction across\n.*animal.*food.*tool/s);
    expect(plain.out).toMatch(/\n400 rows, accuracy [\d.]+ %\n$/);
    const last = recurra(['evaluate', model, csv, ...COLUMNS, '--json'])
      .json()
      .at(-1);
    expect(last).toMatchObject({ event: 'end', rows: 400, labels: ['animal', 'food', 'tool'] });
    expect(last.accuracy).toBeGreaterThan(0.95);
    expect(last.perLabel).toHaveLength(3);
    expect(last).toMatchObject({
      macroAverage: { f1: expect.any(Number) },
      calibration: { error: expect.any(Number) },
    });
    expect(plain.out).toMatch(
      /^labels by F1, the lowest first\n +precision +recall +f1 +support\n.*macro average.*weighted average/s,
    );
    expect(plain.out).toMatch(/\nloss [\d.]+ \(cross entropy, in nats\), calibration error [\d.]+ %, top 2 [\d.]+ %\n/);
  });

  it('measures what is left with a threshold', () => {
    const file = join(folder, 'sure.jsonl');
    const flags = ['--min-probability', '0.9', '--predictions', file];
    const [plain, data] = [[], ['--json']].map((more) =>
      recurra(['evaluate', model, csv, ...COLUMNS, ...flags, ...more]),
    );
    const { sure, accuracy, rows } = data!.json().at(-1);
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const kept = lines.map((line) => JSON.parse(line)).filter((row) => row.probability >= 0.9);
    const right = kept.filter(({ label, predicted }) => label === predicted).length;
    expect(sure).toEqual({
      minProbability: 0.9,
      rows: kept.length,
      right,
      coverage: kept.length / rows,
      precision: right / kept.length,
    });
    expect(kept.every((row) => row.sure)).toBe(true);
    expect(lines.filter((line) => JSON.parse(line).sure)).toHaveLength(kept.length);
    const shares = [sure.coverage, sure.precision].map((share) => (100 * share).toFixed(2));
    expect(plain!.out).toContain(
      `from a probability of 0.9000 on: ${kept.length} of 400 rows (${shares[0]} %) keep their label, of which ${right} (${shares[1]} %) are right\n`,
    );
    expect(
      recurra(['evaluate', model, csv, ...COLUMNS, '--json'])
        .json()
        .at(-1),
    ).toMatchObject({ accuracy, rows });
    const unmeasured = recurra(['evaluate', model, csv, ...COLUMNS, '--precision', '0.9']);
    expect([unmeasured.status, unmeasured.err]).toEqual([2, expect.stringMatching(/not measured on validation rows/)]);
  });

  it('says which labels are taken for which, and what has no rows', () => {
    const other = join(folder, 'other.csv');
    writeFileSync(other, 'topic,body\ntool,a cat\ntool,a hammer\n');
    const { out, status } = recurra(['evaluate', model, other, ...COLUMNS]);
    expect(status).toBe(0);
    expect(out).toContain('most often taken for another\n1  tool taken for animal (50.0 % of tool)');
    expect(out).toContain('no rows of: animal, food\nnever predicted: food\n(undefined measures count as 0');
  });

  it('writes the predictions as JSON lines, whole or not at all', () => {
    const file = join(folder, 'predictions.jsonl');
    writeFileSync(file, 'before');
    expect(recurra(['evaluate', model, csv, ...COLUMNS, '--predictions', file]).status).toBe(0);
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    expect(lines).toHaveLength(400);
    const { label, text } = topicTexts(400)[399]!;
    expect(JSON.parse(lines[399]!)).toEqual({
      text,
      label,
      predicted: label,
      probability: expect.any(Number),
      line: 401,
    });

    const bad = join(folder, 'bad.csv');
    writeFileSync(bad, `${topicCsv(topicTexts(5_000))}drink,"milk"\n`);
    const { status, err } = recurra(['evaluate', model, bad, ...COLUMNS, '--predictions', file]);
    expect([status, err]).toEqual([
      1,
      expect.stringMatching(/bad\.csv:5002: 1 of 5,001 rows has an unknown label: "drink" .*\[UNKNOWN_LABEL\]/),
    ]);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(401);
    expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([]);
    const nowhere = recurra(['evaluate', model, csv, ...COLUMNS, '--predictions', join(folder, 'no', 'file')]);
    expect([nowhere.status, nowhere.err]).toEqual([1, expect.stringMatching(/cannot be written.*\[IO\]/)]);
  });

  it('with --json writes warnings before the end, or before the error', () => {
    const file = join(folder, 'swallowed.csv');
    const rows = topicTexts(60).map(({ text, label }) => `${label},${text}\n`);
    const swallowed = `topic,body\n${rows.slice(0, 20).join('')}animal,"${rows.slice(20).join('')}tool,a saw"\n`;
    const events = (content: string) => {
      writeFileSync(file, content);
      const { json } = recurra(['evaluate', model, file, ...COLUMNS, '--json']);
      return json().map(({ event }) => event);
    };
    expect(events(swallowed)).toEqual(['warning', 'end']);
    expect(events(`${swallowed}drink,milk\n`)).toEqual(['warning', 'error']);
  });

  it('says that a file of tags is for taggers', () => {
    const { status, err } = recurra(['evaluate', model, 'rows.conll']);
    expect([status, err]).toEqual([2, expect.stringMatching(/rows\.conll contains tokens with tags, .* a classifier/)]);
  });

  it('says that a model is no file of rows', () => {
    const { status, err } = recurra(['evaluate', model, model, ...COLUMNS]);
    expect([status, err]).toEqual([1, expect.stringMatching(/: this is a safetensors file, .* \[INVALID_FILE\]\n$/)]);
  });
});
