import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMAND, recurra, trainedModel } from '../support/cli.js';
import { topicTexts } from '../support/texts.js';

const { folder, model } = trainedModel();

/** Writes files of JSON lines into a new folder; the rows of file `i` are `rows[i]`. */
function inputs(name: string, files: Record<string, readonly string[]>): string {
  const at = join(folder, name);
  for (const [file, texts] of Object.entries(files)) {
    mkdirSync(join(at, file, '..'), { recursive: true });
    writeFileSync(join(at, file), texts.map((text) => `${JSON.stringify({ body: text })}\n`).join(''));
  }
  return at;
}

const lines = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

const texts = topicTexts(70, 5).map(({ text }) => text);

describe('recurra predict --out', () => {
  it('answers each file of each share once, with the rows in order, and nothing again', () => {
    const files = Object.fromEntries(
      Array.from({ length: 7 }, (_, i) => [`day=${i % 2}/part-${i}.jsonl`, texts.slice(10 * i, 10 * i + 10)] as const),
    );
    const at = inputs('many', files);
    const out = join(folder, 'many-out');
    const args = ['predict', model, `${at}/**/*.jsonl`, '--text', 'body', '--top-k', '1', '--out', out, '--json'];
    const counts = [1, 2, 3].map((shard) => {
      const { status, err, json } = recurra([...args, '--shard', `${shard}/3`]);
      expect([status, err]).toEqual([0, expect.stringMatching(/^(.*: 10 rows.*\n)*$/)]);
      return json().at(-1);
    });
    expect(counts.map(({ files: done, rows }) => [done, rows])).toEqual([
      [3, 30],
      [2, 20],
      [2, 20],
    ]);
    const whole = recurra(['predict', model, '--top-k', '1', '--json'], `${texts.join('\n')}\n`).json();
    for (const [i, name] of Object.keys(files).entries()) {
      const expected = whole
        .slice(10 * i, 10 * i + 10)
        .map(({ event, line, ...rest }, row) => ({ ...rest, line: row + 1 }));
      const found = lines(join(out, `${name}.jsonl`));
      expect(found.map(({ text, line, label }) => [text, line, label])).toEqual(
        expected.map(({ text, line, label }) => [text, line, label]),
      );
      // Another batch adds in another order.
      for (const [row, { classes }] of found.entries())
        expect(classes[0].probability).toBeCloseTo(expected[row].classes[0].probability, 5);
    }
    const again = recurra(args);
    expect(again.json()).toMatchObject([
      { event: 'start', shard: 1, shards: 1, files: 7, finished: 7 },
      { event: 'end', files: 0, finished: 7, rows: 0 },
    ]);
    // An input that has changed is done again, as is an output that was cut.
    utimesSync(join(at, 'day=0/part-0.jsonl'), 1e9, 1e9);
    writeFileSync(join(out, 'day=1/part-1.jsonl.jsonl'), '');
    expect(recurra(args).json().at(-1)).toMatchObject({ files: 2, finished: 5, rows: 20 });
    expect(lines(join(out, 'day=1/part-1.jsonl.jsonl'))).toHaveLength(10);
  });

  it('refuses to mix answers of other options, unless they are to be overwritten', () => {
    const at = inputs('mixed', { 'a.jsonl': texts.slice(0, 3) });
    const out = join(folder, 'mixed-out');
    const args = ['predict', model, join(at, 'a.jsonl'), '--text', 'body', '--out', out];
    expect(recurra([...args, '--top-k', '1']).status).toBe(0);
    const other = recurra([...args, '--top-k', '2']);
    expect([other.status, other.err]).toEqual([
      2,
      expect.stringMatching(
        /a\.jsonl\.jsonl was made with other options: .*"topK":1.*"topK":2.*--overwrite \[INVALID_ARGUMENT\]/,
      ),
    ]);
    expect(recurra([...args, '--top-k', '2', '--overwrite']).out).toMatch(/1 file, 3 rows/);
    expect(lines(join(out, 'a.jsonl.jsonl'))[0].classes).toHaveLength(2);
    expect(recurra([...args, '--top-k', '2', '--overwrite']).out).toMatch(/0 files, 0 rows/);
  });

  it('goes on behind a file with a fault, leaves nothing of it, and fails in the end', () => {
    const at = inputs('faulty', { 'a.jsonl': texts.slice(0, 3), 'c.jsonl': texts.slice(3, 6) });
    writeFileSync(join(at, 'b.jsonl'), '{"body":"a cat"}\n{"body":null}\n');
    const out = join(folder, 'faulty-out');
    const { status, err, json } = recurra(['predict', model, `${at}/*`, '--text', 'body', '--out', out, '--json']);
    expect([status, err]).toEqual([1, expect.stringMatching(/b\.jsonl:2: the field "body" is null.*\[INVALID_ROW\]/)]);
    expect(json().map(({ event }) => event)).toEqual(['start', 'file', 'failed', 'file', 'end']);
    expect(json().at(-1)).toMatchObject({ files: 2, failed: 1, rows: 6 });
    expect(readdirSync(out).sort()).toEqual(['_recurra', 'a.jsonl.jsonl', 'c.jsonl.jsonl']);
  });

  it('takes a name that looks like a pattern as it is, and says when a share has no file', () => {
    const at = inputs('named', { '[b].jsonl': ['a cat'] });
    const out = join(folder, 'named-out');
    const args = ['predict', model, join(at, '[b].jsonl'), '--text', 'body', '--out', out];
    expect(recurra(args).err).toMatch(/\[b\]\.jsonl\.jsonl: 1 row,/);
    const none = recurra([...args, '--shard', '2/2']);
    expect([none.status, none.err]).toEqual([0, expect.stringMatching(/warning: share 2\/2 has no file/)]);
  });

  it.each([
    [['--out', 'out', '--shard', '0/3', 'a.csv'], /Expected a share/],
    [['--shard', '1/2', 'a cat'], /--shard needs --out DIR/],
    [['--out', 'out'], /--out needs files or patterns/],
    [['--out', 'out', '--filter'], /--filter reads standard input, --out reads files/],
  ])('refuses %j', (args, message) => {
    const { status, err } = recurra(['predict', model, ...args]);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });

  it('leaves no half file when it is stopped, and resumes', async () => {
    const at = inputs('long', {});
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, 'a.txt'), 'a cat\n');
    writeFileSync(join(at, 'b.txt'), `${texts.join('\n')}\n`.repeat(20_000));
    const out = join(folder, 'long-out');
    const args = ['predict', model, `${at}/*.txt`, '--out', out];
    const child = spawn(process.execPath, [...COMMAND, ...args]);
    const ended = once(child, 'exit');
    await once(child.stderr, 'data');
    child.kill('SIGTERM');
    expect(await ended).toEqual([130, null]);
    expect(readdirSync(out).sort()).toEqual(['_recurra', 'a.txt.jsonl']);
    rmSync(join(at, 'b.txt'));
    writeFileSync(join(at, 'b.txt'), 'a steel hammer\n');
    expect(recurra(args).out).toMatch(/1 file, 1 row,/);
  });
});
