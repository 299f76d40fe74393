import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { COLUMNS, COMMAND, recurra, SMALL } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const FEW = ['--dim', '16', '--epochs', '2', '--threads', '1'];

describe('recurra vectors', () => {
  it('learns from lines and from columns, compressed or not, and train begins with the file', () => {
    const csv = topicCsv(topicTexts(200));
    writeFileSync(path('a.csv'), csv);
    writeFileSync(path('b.csv.gz'), gzipSync(csv));
    const out = path('own.vec');
    const run = recurra(['vectors', path('a.csv'), path('b.csv.gz'), '--text', 'body', '--out', out, ...FEW, '--json']);
    expect(run.err).toBe('');
    expect(run.status).toBe(0);
    const events = run.json();
    expect(events.find(({ event }) => event === 'progress')).toMatchObject({ phase: 'reading' });
    expect(events.at(-1)).toMatchObject({ event: 'end', out, texts: 400, dim: 16 });
    const { words } = events.at(-1);
    expect(readFileSync(out, 'utf8').split('\n')).toHaveLength(words + 2);

    const model = path('model.safetensors');
    const train = ['train', path('a.csv'), ...COLUMNS, ...SMALL, '--epochs', '1', '--embeddings', out, '--out', model];
    expect(recurra(train).status).toBe(0);

    writeFileSync(path('lines.txt'), 'a b c d\n\na b c d\na b c d\n');
    const lines = recurra(['vectors', path('lines.txt'), '--out', path('lines.vec'), ...FEW]);
    expect(lines.out).toMatch(/lines\.vec: 4 words of 4 texts, \d+ s\n$/);
  });

  it('finds out first what cannot be done, and leaves no file behind', () => {
    writeFileSync(path('few.txt'), 'a b\n');
    const before = readdirSync(folder);
    const failed = (args: string[], status: number, message: RegExp) => {
      const run = recurra(['vectors', ...args]);
      expect(run.err).toMatch(message);
      expect(run.status).toBe(status);
    };
    failed([path('few.txt')], 2, /required option '--out <file>'/);
    failed([path('few.txt'), '--out', path('few.txt')], 2, /the vectors would overwrite a file of texts/);
    failed([path('few.txt'), '--out', path('none/own.vec')], 1, /the vectors cannot be written to .*none/);
    failed([path('none.txt'), '--out', path('x.vec')], 1, /no such file \[FILE_NOT_FOUND\]/);
    failed([path('few.txt'), '--out', path('x.vec')], 2, /at least two different words .*\[INVALID_ARGUMENT\]/);
    failed([path('few.txt'), '--out', path('x.vec'), '--dim', '0'], 2, /dim/);
    expect(readdirSync(folder)).toEqual(before);
    expect(readFileSync(path('few.txt'), 'utf8')).toBe('a b\n');
  });

  it.each([
    ['vectors', ['--epochs', '10000', '--out', 'stopped.vec'], 'progress'],
    // Vectors are learned before the first step: there is no model to save.
    ['train', [...COLUMNS, '--out', 'stopped.model', '--unlabelled', 'many.txt'], 'prepare'],
  ])('%s ends with 130 at Ctrl-C and leaves no file where nothing was learned', async (command, args, event) => {
    writeFileSync(path('rows.csv'), topicCsv(topicTexts(60)));
    writeFileSync(
      path('many.txt'),
      `${topicTexts(200)
        .map(({ text }) => text)
        .join('\n')}\n`.repeat(400),
    );
    const before = readdirSync(folder);
    const input = command === 'train' ? 'rows.csv' : 'many.txt';
    const main = resolve(COMMAND[0]!);
    const child = spawn(process.execPath, [main, command, input, ...args, '--json'], { cwd: folder });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (data: string) => {
      if (out === '' && data.includes(`"event":"${event}"`)) child.kill('SIGINT');
      out += data;
    });
    const status = await new Promise((resolved) => child.once('close', resolved));
    expect(status).toBe(130);
    expect(JSON.parse(out.trim().split('\n').at(-1)!)).toMatchObject({ event: 'error', code: 'ABORTED' });
    expect(readdirSync(folder)).toEqual(before);
  });
});
