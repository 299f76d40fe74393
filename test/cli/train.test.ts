import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { COLUMNS, COMMAND, recurra, SMALL, trainedModel } from '../support/cli.js';
import { fixture } from '../support/fixtureRows.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const { folder, csv, model } = trainedModel();

describe('recurra train', () => {
  it('with --json writes JSON lines alone, the last with rows, loss and accuracy', () => {
    const { status, json } = recurra([
      'train',
      csv,
      ...COLUMNS,
      ...SMALL,
      '--validation',
      '0.2',
      '--json',
      '--out',
      join(folder, 'j'),
    ]);
    expect(status).toBe(0);
    const lines = json();
    expect(lines.filter(({ event }) => event === 'epoch')).toHaveLength(4);
    const last = lines.at(-1);
    expect(last).toMatchObject({ event: 'end', rows: 319, labels: 3, interrupted: false });
    expect(last.accuracy).toBeGreaterThan(0.9);
    expect(last.loss).toBeLessThan(0.5);
    expect(last.validation.rows).toBe(81);
  });

  it('trains a linear model beside the network, and alone', () => {
    const out = join(folder, 'linear');
    const train = (...flags: string[]) =>
      recurra(['train', csv, ...COLUMNS, ...SMALL, '--json', '--out', out, ...flags]);
    const evaluated = () =>
      recurra(['evaluate', out, csv, ...COLUMNS, '--json'])
        .json()
        .at(-1);
    expect(train().json().at(-1)).toMatchObject({ event: 'end', rows: 400, labels: 3 });
    expect(evaluated().accuracy).toBeGreaterThan(0.95);
    const { status, json } = train('--no-recurrent');
    expect(status).toBe(0);
    const lines: { event: string }[] = json();
    expect(lines.filter(({ event }) => event === 'prepare').length).toBeGreaterThan(1);
    expect(lines.filter(({ event }) => event !== 'prepare')).toMatchObject([
      {
        event: 'warning',
        about: 'options',
        message: expect.stringMatching(/^embeddingDim, hiddenSize, batchSize, lr are options of the network/),
      },
      { event: 'start', rows: 400, chosen: [] },
      { event: 'end', rows: 400, loss: null },
    ]);
    expect(evaluated().accuracy).toBeGreaterThan(0.95);
    const { out: shown } = recurra(['explain', out, 'cheese soup']);
    expect(shown).toContain('food');
    expect(shown).toContain('the score of the linear model');
  });

  it('says what it chose and why', () => {
    const out = join(folder, 'chosen');
    const { err } = recurra(['train', csv, ...COLUMNS, '--no-linear', '--hidden-size', '4', '--out', out]);
    expect(err).toContain(
      'tokenizer: basic_english (words are separated by spaces)\nepochs: 4 (3 labels)\nbatchSize: 8 (400 rows)\n',
    );
    const { json } = recurra(['train', csv, ...COLUMNS, ...SMALL, '--no-linear', '--json', '--out', out]);
    const [start] = json();
    expect(start).toMatchObject({ event: 'start', rows: 400, validationRows: 0, resumed: false });
    expect(start.chosen[0]).toEqual({
      option: 'tokenizer',
      value: 'basic_english',
      why: 'words are separated by spaces',
    });
  });

  it('learns word vectors from a file of texts, each a line or a row with the same fields', () => {
    const texts = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 'cat dog quoll fur' : 'soup bread tea salt'));
    const lines = join(folder, 'unlabelled.txt');
    writeFileSync(lines, texts.join('\n'));
    const table = join(folder, 'unlabelled.csv');
    writeFileSync(table, `number,body\n${texts.map((text, i) => `${i},${text}\n`).join('')}`);
    const vocabularies = [lines, table].map((file) => {
      const out = join(folder, 'unlabelled');
      const flags = ['--no-linear', '--json', '--out', out, '--unlabelled', file];
      const { status, json } = recurra(['train', csv, ...COLUMNS, ...SMALL, ...flags]);
      expect(status).toBe(0);
      expect(json()).toContainEqual({ event: 'prepare', about: 'vectors', share: 1 });
      return json().at(-1).vocabulary as number;
    });
    const without = recurra([
      'train',
      csv,
      ...COLUMNS,
      ...SMALL,
      '--no-linear',
      '--json',
      '--out',
      join(folder, 'without'),
    ]);
    // quoll and tea
    expect(vocabularies).toEqual(Array(2).fill(without.json().at(-1).vocabulary + 2));
    const { status, err } = recurra(['train', csv, ...COLUMNS, '--unlabelled', join(folder, 'none.txt')]);
    expect([status, err]).toEqual([1, expect.stringContaining('none.txt: no such file')]);
  });

  it('takes the options of the training as flags', () => {
    const { status, json } = recurra([
      ...['train', csv, ...COLUMNS, ...SMALL, '--epochs', '2', '--json', '--out', join(folder, 'flags')],
      ...['--pooling', 'attention', '--word-dropout', '0.1', '--freeze-embeddings', '--tokens-per-batch', '120'],
      ...['--no-bucketing', '--optimizer', 'adamw', '--weight-decay', '0.1', '--warmup', '0.2', '--patience', '3'],
      ...[
        '--class-weights',
        'food=2',
        '--class-weights',
        'tool=0.5',
        '--label-smoothing',
        '0.1',
        '--validation',
        '0.2',
      ],
    ]);
    expect(json().at(-1)).toMatchObject({ event: 'end', rows: 319 });
    expect(status).toBe(0);
    const refused = (...flags: string[]) => recurra(['train', csv, ...COLUMNS, '--out', join(folder, 'no'), ...flags]);
    const wrong = refused('--class-weights', 'even');
    expect(wrong.err).toContain("Expected 'balanced' or label=weight.");
    expect(wrong.status).toBe(2);
    expect(refused('--class-weights', 'balanced', '--class-weights', 'food=2').status).toBe(2);
    expect(refused('--class-weights', 'food=2', '--class-weights', 'food=3').err).toContain(
      'food already has a weight',
    );
    expect(refused('--class-weights', 'planet=2').err).toContain('which no training row has');
    expect(refused('--momentum', '0.9').err).toContain("momentum applies to optimizer 'sgd' only");
    expect(existsSync(join(folder, 'no'))).toBe(false);
  });

  it('reads columns by number, without a header', () => {
    const bare = join(folder, 'bare.tsv');
    writeFileSync(
      bare,
      topicTexts(60)
        .map(({ label, text }) => `${label}\t${text}\n`)
        .join(''),
    );
    const { status, json } = recurra([
      'train',
      bare,
      '--text',
      '2',
      '--label',
      '1',
      '--epochs',
      '1',
      '--json',
      '--out',
      join(folder, 'b'),
    ]);
    expect([status, json().at(-1).rows]).toEqual([0, 60]);
  });

  it('splits texts as it is told, and the model remembers', () => {
    const split = (...args: string[]) => {
      const out = join(folder, 'split');
      const trained = recurra(['train', csv, ...COLUMNS, ...SMALL, '--epochs', '1', ...args, '--json', '--out', out]);
      expect(trained.err).not.toMatch(/recurra:/);
      return recurra(['predict', out, 'the cat and the dog', '--json']).json()[0].tokens;
    };
    expect(split('--ngrams', '2')).toBe(9);
    expect(split('--tokenizer', 'characters', '--max-length', '7', '--truncate', 'both')).toBe(7);
    expect(split('--tokenizer', 'test/fixtures/tokenizers/byte_bpe.json')).toBe(8);
  });

  it('reads JSON lines, fastText and Parquet, compressed, and standard input', () => {
    const texts = topicTexts(60);
    const json = texts.map(({ label, text }) => `${JSON.stringify({ topic: label, body: text })}\n`).join('');
    const fast = texts.map(({ label, text }) => `__label__${label} ${text}\n`).join('');
    const jsonFile = join(folder, 'texts.jsonl.gz');
    writeFileSync(jsonFile, gzipSync(json));
    const quick = ['--epochs', '1', '--json', '--out', join(folder, 'f')];
    for (const [args, input, rows] of [
      [[jsonFile, ...COLUMNS], undefined, 60],
      [['-', ...COLUMNS], json, 60],
      [['-', ...COLUMNS], gzipSync(topicCsv(texts)), 60],
      [['-', '--format', 'fasttext'], fast, 60],
      [['-', '--format', 'tsv', '--text', '2', '--label', '1', '--validation', jsonFile], 'a\tb\n', 0],
      [[fixture('pyarrow-zstd.parquet'), ...COLUMNS], undefined, 300],
    ] as const) {
      const run = recurra(['train', ...args, ...quick], input);
      if (rows > 0) expect([run.status, run.json().at(-1).rows, run.json().at(-1).skipped]).toEqual([0, rows, 0]);
      else expect(run.err).toMatch(/a classifier needs at least two.*SINGLE_CLASS/);
    }
  });

  it('takes several labels a row, and leaves rows out that do not fit', () => {
    const file = join(folder, 'tags.csv');
    const rows = topicTexts(60).map(({ label, text }, i) => `${label}${i % 2 ? '|odd' : ''},${text}`);
    writeFileSync(file, `tags,text\n${rows.join('\n')}\none field\n`);
    const args = ['train', file, '--text', 'text', '--label', 'tags', '--label-separator', '|', '--epochs', '1'];
    const out = join(folder, 'multi');
    const run = recurra([...args, '--skip-bad-rows', '--multi-label', '--json', '--out', out]);
    expect(run.err).toMatch(/1 row of .*tags.csv is invalid and was skipped/);
    expect(run.json().at(-1)).toMatchObject({ rows: 60, labels: 4, skipped: 1 });
    expect(recurra(['predict', out, 'a cat', '--json']).json()[0].labels).toEqual(expect.any(Array));
    expect(recurra([...args, '--skip-bad-rows', '--out', out]).err).toMatch(/2 labels.*multiLabel: true.*INVALID_ROW/);
    expect(recurra([...args, '--multi-label', '--out', out]).err).toMatch(/tags.csv:62: expected 2 fields/);

    const measured = ['evaluate', out, file, '--text', 'text', '--label', 'tags', '--label-separator', '|'];
    const predictions = join(folder, 'tags.jsonl');
    const json = recurra([...measured, '--skip-bad-rows', '--json', '--predictions', predictions]);
    expect(json.err).toMatch(/1 row of .*tags.csv is invalid and was skipped/);
    expect(json.json().at(-1)).toMatchObject({ multiLabel: true, rows: 60, skipped: 1, predictions });
    const support = Object.entries({ animal: 20, food: 20, odd: 30, tool: 20 });
    expect(json.json().at(-1).perLabel).toMatchObject(support.map(([label, rows]) => ({ label, support: rows })));
    const lines = readFileSync(predictions, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(60);
    expect(JSON.parse(lines[1]!).label).toContain('odd');
    expect(recurra([...measured, '--skip-bad-rows']).out).toMatch(/micro average.*60 rows, loss .*, Hamming loss /s);
    expect(recurra(measured)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/tags.csv:62: expected 2 fields/),
    });
  });

  it('puts a star before the labels that a text of several is given', () => {
    const out = join(folder, 'stars');
    expect(recurra(['train', csv, ...COLUMNS, ...SMALL, '--multi-label', '--out', out]).status).toBe(0);
    const { out: lines } = recurra(['predict', out, 'cat dog fur', 'cat paw with soup bread', '--top-k', '1']);
    expect(lines).toMatch(/^\*animal \d+\.\d %\tcat dog fur\n/);
    expect(lines).toMatch(/^\*\w+ \d+\.\d %( {2}\*\w+ \d+\.\d %)*\tcat paw/m);
    const plain = recurra(['predict', model, 'cat dog fur', '--top-k', '1']).out;
    expect(plain).toMatch(/^animal \d+\.\d %\tcat dog fur\n$/);
  });

  it('saves what was learned at the first Ctrl-C and exits with 130', async () => {
    const out = join(folder, 'interrupted');
    const child = spawn(process.execPath, [
      ...COMMAND,
      'train',
      csv,
      ...COLUMNS,
      ...SMALL,
      '--epochs',
      '100000',
      '--json',
      '--out',
      out,
    ]);
    let text = '';
    child.stdout.on('data', (data: Buffer) => {
      const trained = text.includes('"event":"step"');
      text += data.toString();
      // Before the first step there is nothing to save yet.
      if (!trained && text.includes('"event":"step"')) child.kill('SIGINT');
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect(status).toBe(130);
    expect(JSON.parse(text.trim().split('\n').at(-1)!)).toMatchObject({ event: 'end', interrupted: true, rows: 400 });
    expect(recurra(['predict', out, 'a cat', '--json']).json()[0].classes).toHaveLength(3);
  });
});

describe('recurra train with checkpoints', () => {
  const checkpoint = join(folder, 'run.checkpoint');
  const TRAIN = ['train', csv, ...COLUMNS, ...SMALL, '--out', join(folder, 'c'), '--checkpoint', checkpoint];

  it('goes on where it was interrupted, and says so', async () => {
    const args = [...TRAIN, '--epochs', '400', '--checkpoint-every', '20', '--resume', '--json'];
    const child = spawn(process.execPath, [...COMMAND, ...args]);
    let text = '';
    for await (const part of child.stdout.setEncoding('utf8')) {
      text += part as string;
      if (text.includes('"checkpoint"')) child.kill('SIGKILL');
    }
    const [last] = text.match(/"event":"checkpoint".*/g)!.slice(-1);
    const { step } = JSON.parse(`{${last}`) as { step: number };
    const resumed = spawn(process.execPath, [...COMMAND, ...args]);
    let more = '';
    let interrupted = false;
    for await (const part of resumed.stdout.setEncoding('utf8')) {
      more += part as string;
      // Once: the second one ends the process.
      if (more.includes('"checkpoint"') && !interrupted) interrupted = resumed.kill('SIGINT');
    }
    const lines = more
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    // One more may have been written before the process was gone.
    expect(lines.find(({ event }) => event === 'resumed')!.step).toBeGreaterThanOrEqual(step);
    expect(lines.at(-1)).toMatchObject({ event: 'end', interrupted: true });
    const faster = TRAIN.map((word, i) => (TRAIN[i - 1] === '--lr' ? '0.5' : word));
    const other = recurra([...faster, '--epochs', '400', '--resume']);
    expect(other.status).toBe(2);
    expect(other.err).toMatch(/lr was 0.01 and is now 0.5/);
  });

  it('refuses flags that do not fit', () => {
    expect(recurra(['train', csv, ...COLUMNS, '--resume'])).toMatchObject({
      status: 2,
      err: expect.stringMatching(/--resume needs --checkpoint/),
    });
    expect(recurra([...TRAIN, '--checkpoint-every', '5x'])).toMatchObject({
      status: 2,
      err: expect.stringMatching(/500s, 10m or 2h/),
    });
    expect(recurra([...TRAIN, '--subwords', 'many'])).toMatchObject({
      status: 2,
      err: expect.stringMatching(/Expected a whole number of vectors, or 0 for none\./),
    });
  });
});
