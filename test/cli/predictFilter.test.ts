import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { COMMAND, recurra, trainedModel } from '../support/cli.js';
import { topicTexts } from '../support/texts.js';

const { model } = trainedModel();

const rows = topicTexts(3000, 7).map(({ text }, id) => JSON.stringify({ id, text }));
const ids = (output: string) =>
  output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).id);

describe('recurra predict --filter', () => {
  it('adds a field to each line, in order, and keeps the rest as it is written', () => {
    const odd = '  {"id": 12345678901234567890, "text": "a cat", "price": 1.10}  ';
    const { status, out, err } = recurra(['predict', model, '--filter', '--top-k', '1'], [odd, '', ...rows].join('\n'));
    expect([status, err]).toEqual([0, '']);
    const lines = out.split('\n');
    expect(lines[0]).toMatch(
      /^\{"id": 12345678901234567890, "text": "a cat", "price": 1\.10,"prediction":\{"label":"animal",.*\}\}$/,
    );
    expect(ids(lines.slice(1).join('\n'))).toEqual(rows.map((_, id) => id));
    const other = recurra(
      ['predict', model, '--filter', '--text', 'a', '--text', 'b', '--into', 'x y'],
      '{"a":"a","b":"cat"}',
    );
    expect(JSON.parse(other.out)).toMatchObject({ a: 'a', 'x y': { label: 'animal', tokens: 2 } });
  });

  it('answers a line before the next one comes', async () => {
    const child = spawn(process.execPath, [...COMMAND, 'predict', model, '--filter']);
    const lines = createInterface({ input: child.stdout });
    for (let id = 0; id < 5; id++) {
      const answered = once(lines, 'line');
      child.stdin.write(`${rows[id]}\n`);
      const [line] = (await answered) as [string];
      expect(JSON.parse(line)).toMatchObject({ id, prediction: { label: expect.any(String) } });
    }
    const ended = once(child, 'exit');
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
  });

  it('ends when its reader has gone, although its input stays open', async () => {
    const child = spawn(process.execPath, [...COMMAND, 'predict', model, '--filter']);
    const ended = once(child, 'exit');
    child.stdin.write(`${rows[0]}\n`);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.on('error', () => {});
    const more = setInterval(() => child.stdin.write(`${rows[1]}\n`), 20);
    expect(await ended).toEqual([141, null]);
    clearInterval(more);
  });

  it.each([
    ['{"text": null}', /the field "text" is null/],
    ['{"text": "a"', /the line is not JSON/],
    ['{"texts": "a"}', /the field "text" is missing/],
    ['{"text": "a", "prediction": 0}', /already has a field "prediction"; give another name \(--into\)/],
  ])('answers the lines before a bad one, names it and fails: %s', (bad, message) => {
    const { status, out, err } = recurra(['predict', model, '--filter'], [rows[0], rows[1], bad, rows[2]].join('\n'));
    expect([status, ids(out)]).toEqual([1, [0, 1]]);
    expect(err).toMatch(/^recurra: stdin:3: .*\[INVALID_ROW\]\n$/);
    expect(err).toMatch(message);
  });

  it.each([
    [['a cat'], /--filter reads standard input/],
    [['--json'], /--filter always writes JSON lines/],
    [['--format', 'csv'], /--filter reads JSON lines, not csv/],
    [['--skip-bad-rows'], /one line for each input line, so --skip-bad-rows does not apply/],
  ])('refuses %j', (args, message) => {
    const { status, err } = recurra(['predict', model, '--filter', ...args], '');
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });
});

/** Whether GNU's program of this name is here, and not the one of moreutils. */
const parallel = /GNU parallel/.test(spawnSync('parallel', ['--version'], { encoding: 'utf8' }).stdout ?? '');
if (!parallel) console.warn('GNU parallel is not installed: its test is skipped');

it.runIf(parallel)('works in blocks of GNU parallel', () => {
  const command = `${process.execPath} ${COMMAND[0]} predict ${model} --filter --top-k 1`;
  const args = ['--will-cite', '--pipe', '--keep-order', '--jobs', '2', '--block', '60k', command];
  const run = spawnSync('parallel', args, { encoding: 'utf8', input: `${rows.join('\n')}\n`, maxBuffer: 1e8 });
  expect([run.status, ids(run.stdout)]).toEqual([0, rows.map((_, id) => id)]);
});

// It takes half a minute: RECURRA_PYSPARK=/path/of/python with pyspark, and Java 17, for it.
const spark = process.env.RECURRA_PYSPARK;
if (!spark) console.warn('RECURRA_PYSPARK names no Python with pyspark: the test of Spark is skipped');

it.runIf(spark)(
  "works in Spark's pipe",
  () => {
    const run = spawnSync(spark!, ['test/cli/spark/pipe.py', process.execPath, COMMAND[0]!, model], {
      encoding: 'utf8',
    });
    expect(run.stdout.trim().split('\n')).toEqual(['ids True', "labels [(0, 'animal'), (1, 'tool')]", 'failed True']);
  },
  300_000,
);
