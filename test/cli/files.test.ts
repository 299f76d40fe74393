import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readingDisplay } from '../../src/cli/reading.js';
import { COLUMNS, recurra, trainedModel } from '../support/cli.js';

const { folder, csv, model } = trainedModel();

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const ALONE = ['--no-recurrent', '--out', join(folder, 'alone.safetensors')];

describe('the flags of files', () => {
  it('say how a file is written', () => {
    const lines = 'ham\t"hi, it is the cat\nspam\tfree caf\xe9 "now\n'.repeat(4);
    const messages = write('messages.txt', Buffer.from(lines, 'latin1'));
    const flags = ['--text', '2', '--label', '1', '--delimiter', '\\t', '--quote', 'none', '--encoding', 'latin1'];
    const run = recurra(['train', messages, ...flags, ...ALONE, '--json']);
    expect([run.err, run.status]).toEqual([expect.not.stringContaining('warning: '), 0]);
    expect(run.json().at(-1)).toMatchObject({ event: 'end', rows: 8, labels: 2 });
    const cut = recurra(['train', messages, ...flags, ...ALONE, '--max-row-bytes', '5']);
    expect([cut.status, cut.err]).toEqual([1, expect.stringMatching(/maxRowBytes.*--max-row-bytes/)]);
  });

  it('take columns that are named by digits', () => {
    const years = write('years.csv', '2023,2024,1\na cat,animal,x\nan apple,food,y\n');
    for (const columns of [
      ['--text', '2023', '--label', '2024'],
      ['--text', '"2023"', '--label', '2'],
    ]) {
      const run = recurra(['train', years, ...columns, ...ALONE, '--json']);
      expect(run.json().at(-1)).toMatchObject({ rows: 2, labels: 2 });
    }
  });

  it('say in evaluate and predict what may be read otherwise than meant', () => {
    const swallowing = `animal,"a cat\n${'food,an apple\n'.repeat(20)}animal,a dog"\n`;
    const file = write('swallowing.csv', `topic,body\n${swallowing}`);
    for (const args of [
      ['evaluate', model, file, ...COLUMNS],
      ['predict', model, '--file', file, '--text', 'body', '--json'],
    ]) {
      const run = recurra(args);
      expect([run.status, run.err]).toEqual([0, expect.stringMatching(/warning: .*:2: 22 lines were read as one row/)]);
    }
  });

  it('say nothing of prose with line ends and commas, nor of a file of single words', () => {
    const poem = 'O my love, it is the spring\nand the lark, she sings of it\n'.repeat(8);
    const poems = write('poems.csv', `topic,body\nanimal,"${poem}"\nfood,"${poem}"\n`);
    const words = write('words.csv', 'city,Aachen\nanimal,cat\nfood,bread\nfood,apple\nanimal,dog\n');
    for (const [file, columns] of [
      [poems, COLUMNS],
      [words, ['--text', '2', '--label', '1']],
    ] as const) {
      const run = recurra(['evaluate', model, file, ...columns, '--unknown-labels', 'wrong']);
      expect([run.status, run.err]).toEqual([0, expect.not.stringContaining('warning')]);
    }
  });

  it('say why rows were left out', () => {
    const file = write('left.jsonl', '{"body":"a cat"}\n{"topic":"animal","body":"a dog"}\n');
    const run = recurra(['evaluate', model, file, ...COLUMNS, '--skip-bad-rows']);
    expect([run.status, run.err]).toEqual([
      0,
      expect.stringMatching(/1 row of .* the first: .*left\.jsonl:1: .*"topic" is miss/),
    ]);
  });
});

describe('flags that contradict each other', () => {
  it.each([
    [['train', csv, ...COLUMNS, '--seed', '1', '--seed', '2'], /option '--seed' was given twice/],
    [['train', csv, ...COLUMNS, '--label', 'body'], /option '--label' was given twice/],
    [
      ['evaluate', model, csv, ...COLUMNS, '--header', '--no-header'],
      /'--header' and '--no-header' exclude each other/,
    ],
    [['predict', model, 'a cat', '--file', csv], /Texts as arguments and --file exclude each other/],
    [['predict', model, 'a cat', '--max-row-bytes', '5'], /Texts as arguments and --max-row-bytes exclude each other/],
    [['serve', model, '--port', '0', '--port', '0'], /option '--port' was given twice/],
    [['libtorch', 'where', '--json', '--json'], /option '--json' was given twice/],
  ])('%j are a usage error', (args, message) => {
    const { status, err } = recurra(args);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('the display of reading', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('begins after a second and tells share, rows and the time left', () => {
    const out: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => out.push(String(text)) > 0);
    const now = vi.spyOn(performance, 'now');
    const report = (bytes: number) => ({ file: 'a.csv', bytes, totalBytes: 60e6, rows: bytes / 100 });
    for (const json of [false, true]) {
      const { update, stop } = readingDisplay(json);
      for (const seconds of [0, 0.9, 3, 3.5, 9]) {
        now.mockReturnValue(1000 * seconds);
        update(report(seconds * 5e6));
      }
      stop();
    }
    expect(out).toEqual([
      'reading a.csv: 25 % of 60.0 MB, 150,000 rows, 9 s left\n',
      'reading a.csv: 75 % of 60.0 MB, 450,000 rows, 3 s left\n',
      ...[3, 9].map((seconds) => `${JSON.stringify({ event: 'reading', ...report(seconds * 5e6) })}\n`),
    ]);
  });
});
