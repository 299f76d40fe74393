import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../support/fixtureRows.js';
import { temporaryFolder } from '../support/folder.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const csv = join(folder, 'texts.csv');
const model = join(folder, 'model.safetensors');
const COMMAND = ['dist/cli/main.js'];
const SMALL = ['--embedding-dim', '16', '--hidden-size', '16', '--batch-size', '16', '--lr', '0.01', '--seed', '2'];
const COLUMNS = ['--text', 'body', '--label', 'topic'];

function recurra(args: string[], input?: string | Uint8Array) {
  const run = spawnSync(process.execPath, [...COMMAND, ...args], {
    encoding: 'utf8',
    ...(input === undefined ? {} : { input }),
  });
  return {
    status: run.status,
    out: run.stdout,
    err: run.stderr,
    json: () =>
      run.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
  };
}

beforeAll(() => {
  writeFileSync(csv, topicCsv(topicTexts(400)));
  const trained = recurra(['train', csv, ...COLUMNS, ...SMALL, '--out', model]);
  expect(trained.err).toMatch(/epoch 4\/4: loss/);
  expect(trained.status).toBe(0);
});

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
      'food has a weight already',
    );
    expect(refused('--class-weights', 'planet=2').err).toContain('which no training row has');
    expect(refused('--momentum', '0.9').err).toContain('for momentum');
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
    expect(run.err).toMatch(/1 rows of .*tags.csv do not fit and were left out/);
    expect(run.json().at(-1)).toMatchObject({ rows: 60, labels: 4, skipped: 1 });
    expect(recurra(['predict', out, 'a cat', '--json']).json()[0].labels).toEqual(expect.any(Array));
    expect(recurra([...args, '--skip-bad-rows', '--out', out]).err).toMatch(/2 labels.*multiLabel: true.*INVALID_ROW/);
    expect(recurra([...args, '--multi-label', '--out', out]).err).toMatch(/tags.csv:62: expected 2 fields/);

    const measured = ['evaluate', out, file, '--text', 'text', '--label', 'tags', '--label-separator', '|'];
    const predictions = join(folder, 'tags.jsonl');
    const json = recurra([...measured, '--skip-bad-rows', '--json', '--predictions', predictions]);
    expect(json.err).toMatch(/1 rows of .*tags.csv do not fit and were left out/);
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
      if (!text) child.kill('SIGINT');
      text += data.toString();
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
    const other = recurra([...TRAIN, '--epochs', '400', '--lr', '0.5', '--resume']);
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
  });
});

describe('recurra evaluate', () => {
  it('prints a confusion matrix, or with --json the numbers', () => {
    const plain = recurra(['evaluate', model, csv, ...COLUMNS]);
    expect(plain.status).toBe(0);
    expect(plain.out).toMatch(/truth down, prediction across\n.*animal.*food.*tool/s);
    expect(plain.out).toMatch(/400 rows, loss [\d.]+, accuracy [\d.]+ %\n$/);
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
    expect(plain.out).toMatch(/precision +recall +f1 +support\n.*macro average.*weighted average/s);
    expect(plain.out).toMatch(/log loss [\d.]+, calibration error [\d.]+ %, top 2 [\d.]+ %\n/);
  });

  it('says which labels are taken for which, and what has no rows', () => {
    const other = join(folder, 'other.csv');
    writeFileSync(other, 'topic,body\ntool,a cat\ntool,a hammer\n');
    const { out, status } = recurra(['evaluate', model, other, ...COLUMNS]);
    expect(status).toBe(0);
    expect(out).toContain('most often taken for another\n1  tool taken for animal (50.0 % of tool)');
    expect(out).toContain('no rows of: animal, food\nnever predicted: food\n(what cannot be divided counts as 0');
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
      expect.stringMatching(/bad\.csv:5002: unknown label "drink".*\[UNKNOWN_LABEL\]/),
    ]);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(401);
    expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([]);
    const nowhere = recurra(['evaluate', model, csv, ...COLUMNS, '--predictions', join(folder, 'no', 'file')]);
    expect([nowhere.status, nowhere.err]).toEqual([1, expect.stringMatching(/cannot be written.*\[IO\]/)]);
  });
});

describe('recurra explain', () => {
  const text = 'The Cat with fur and a zyx tail';
  it('lists what each token contributes, legible without colours', () => {
    for (const method of ['gradientInput', 'occlusion']) {
      const { status, out } = recurra(['explain', model, text, '--method', method]);
      expect(status).toBe(0);
      expect(out).toMatch(/^animal {2}[\d.]+ % {2}logit -?[\d.]+\n/);
      expect(out).toMatch(/^ +[+-][\d.]+ {2}[+ -]{20} {2}Cat$/m);
      expect(out).toMatch(/^.* {2}zyx {2}\(unknown word\)$/m);
      expect(out).not.toContain('\u001b');
    }
  });

  it('colours the text where colours are asked for, unless they are unwanted', () => {
    const coloured = (env: NodeJS.ProcessEnv) =>
      spawnSync(process.execPath, [...COMMAND, 'explain', model, text], {
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined, ...env },
      }).stdout;
    const [, , , shown] = coloured({ FORCE_COLOR: '1' }).split('\n');
    // Blue, or on blue, for a word that speaks for the label; underlined where it is unknown.
    expect(shown).toMatch(/\[(34|44)m.*Cat/);
    expect(shown).toContain('\u001b[4mzyx\u001b[24m');
    expect(stripVTControlCharacters(shown!)).toBe(text);
    expect(coloured({ NO_COLOR: '1' })).not.toContain('\u001b');
    expect(coloured({})).not.toContain('\u001b');
    // In the log of a CI job as in any other file.
    expect(coloured({ CI: 'true', GITHUB_ACTIONS: 'true' })).not.toContain('\u001b');
    expect(coloured({ FORCE_COLOR: '0', CI: 'true' })).not.toContain('\u001b');
  });

  it('with --json gives everything, for the label asked for', () => {
    const [line] = recurra(['explain', model, text, '--label', 'food', '--json']).json();
    expect(line).toMatchObject({
      event: 'explanation',
      text,
      label: 'food',
      predicted: 'animal',
      method: 'gradientInput',
    });
    expect(line.tokens.map(({ token, source, known }: Record<string, unknown>) => [token, source, known])).toEqual([
      ['the', 'The', true],
      ['cat', 'Cat', true],
      ['with', 'with', true],
      ['fur', 'fur', true],
      ['and', 'and', true],
      ['a', 'a', true],
      ['zyx', 'zyx', false],
      ['tail', 'tail', true],
    ]);
  });
});

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
    const piped = recurra(['predict', model], 'cheese and bread\nzyx\n');
    expect(piped.out).toMatch(/^food \d+\.\d % .*\tcheese and bread\n.*\tzyx {3}\(no known word/);
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
      expect([status, err]).toEqual([0, expect.stringMatching(/1 rows of .*gaps\.\w+ do not fit and were left out/)]);
      expect(json().map(({ line, label }) => [line, label])).toEqual([
        [2, 'animal'],
        [4, 'tool'],
      ]);
    }
    const clean = recurra(['predict', model, '--skip-bad-rows'], 'a cat\n');
    expect([clean.status, clean.err]).toEqual([0, '']);
    // Only the content tells that columns are needed.
    const sniffed = recurra(['train', '-', '--label', 'topic'], topicCsv(topicTexts(3)));
    expect([sniffed.status, sniffed.err]).toEqual([2, expect.stringContaining('give --text <column>')]);
  });
});

describe('recurra doctor', () => {
  it('finds everything that is needed here', () => {
    const { status, out } = recurra(['doctor']);
    expect(out).toMatch(
      /recurra {3}\d+\.\d+\.\d+ on Node .*\nprocessor .*\naddon .*\nlibtorch {2}2\.11\.0 from .*\nCUDA /,
    );
    expect(status).toBe(0);
    expect(recurra(['doctor', '--json']).json()[0]).toMatchObject({
      ok: true,
      libtorch: { version: '2.11.0' },
      cuda: { available: false, reason: expect.any(String) },
    });
  });
});

describe('what the command line refuses', () => {
  it.each([
    [[], 2, /Usage: recurra/],
    [['trian'], 2, /unknown command 'trian'.*Did you mean train/s],
    [['train', csv, '--label', 'topic'], 2, /Expected text, the column of the text.*give --text <column>/],
    [['train', csv, '--text', 'body'], 2, /give --label <column>/],
    [['train', csv, ...COLUMNS, '--format', 'xml'], 2, /Allowed choices are csv, tsv, jsonl, fasttext, parquet/],
    [['predict', model, '--file', csv], 2, /give --text <column>/],
    [
      ['train', csv, ...COLUMNS, '--epochs', 'many'],
      2,
      /'--epochs <n>' argument 'many' is invalid. Expected a whole number/,
    ],
    [['train', csv, ...COLUMNS, '--cell', 'qrnn'], 2, /Allowed choices are rnn, lstm, gru/],
    [['train', csv, ...COLUMNS, '--tokenizer', 'spacy'], 2, /Expected one of basic_english, .* for --tokenizer/],
    [['train', csv, ...COLUMNS, '--tokenizer', 'none.json'], 1, /none\.json: no such file \[FILE_NOT_FOUND\]/],
    [['train', csv, ...COLUMNS, '--ngrams', '4'], 2, /from 1 to 3 for ngrams/],
    [['train', csv, ...COLUMNS, '--truncate', 'middle'], 2, /Allowed choices are head, tail, both/],
    [['train', csv, ...COLUMNS, '--epochs', '0'], 2, /Expected an integer from 1 .*\[INVALID_ARGUMENT\]/],
    [['train', join(folder, 'none.csv'), ...COLUMNS], 1, /none\.csv.*\[FILE_NOT_FOUND\]/],
    [['train', csv, '--text', 'subject', '--label', 'topic'], 1, /"?subject"?.*topic.*body.*\[MISSING_COLUMN\]/],
    [['train', csv, ...COLUMNS, '--out', join(folder, 'no', 'where')], 1, /cannot be written to .*\[IO\]/],
    [['explain', model, 'a cat', '--label', 'cats'], 1, /has no label "cats"; it has .*\[UNKNOWN_LABEL\]/],
    [['explain', model, 'a cat', '--method', 'lime'], 2, /Allowed choices are gradientInput, occlusion/],
    [['predict', csv, 'a'], 1, /\[INVALID_FILE\]/],
    [['predict', join(folder, 'none'), 'a'], 1, /no such file.*\[FILE_NOT_FOUND\]/],
    [['predict', model, '--file', join(folder, 'none')], 1, /\[FILE_NOT_FOUND\]/],
  ])('%j', (args, status, message) => {
    const run = recurra(args);
    expect(run.err).toMatch(message);
    expect(run.status).toBe(status);
    expect(run.out).toBe('');
  });

  it('with --json it says so on standard output too, as JSON', () => {
    const { status, json } = recurra(['evaluate', join(folder, 'none'), csv, ...COLUMNS, '--json']);
    expect(status).toBe(1);
    expect(json()).toMatchObject([{ event: 'error', code: 'FILE_NOT_FOUND' }]);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});
