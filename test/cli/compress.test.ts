import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { COLUMNS, COMMAND, recurra, trainedModel } from '../support/cli.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const { folder, csv, model } = trainedModel();
const path = (name: string) => join(folder, name);

/** Files that a process has open. */
function openFiles(pid: number): string[] {
  const place = `/proc/${pid}/fd`;
  return readdirSync(place).flatMap((name) => {
    try {
      return [readlinkSync(join(place, name))];
    } catch {
      return [];
    }
  });
}

describe('recurra compress', () => {
  it('writes a model within its budget, and says what it is worth before and after', () => {
    const size = Math.floor(statSync(model).size / 2);
    const args = ['compress', model, '--max-size', `${size / 1000}kB`, '--eval', csv, ...COLUMNS];
    const [end, ...others] = recurra([...args, '--out', path('half'), '--json']).json();
    expect(others).toEqual([]);
    expect(end).toMatchObject({ event: 'end', model, out: path('half'), bytesBefore: statSync(model).size });
    expect(end.bytes).toBe(statSync(path('half')).size);
    expect(end.bytes).toBeLessThanOrEqual(size);
    const { accuracy } = recurra(['evaluate', path('half'), csv, ...COLUMNS, '--json']).json()[0];
    expect(end.evaluation.after.accuracy).toBe(accuracy);
    expect(end.evaluation.before.accuracy).toBe(
      recurra(['evaluate', model, csv, ...COLUMNS, '--json']).json()[0].accuracy,
    );
    const { out } = recurra([...args, '--out', path('again')]);
    expect(out).toMatch(/again: [\d,]+ bytes, \d\.\d times smaller than [\d,]+ bytes\n.* words, .*\nbefore: accuracy/);
    expect(readFileSync(path('again')).equals(readFileSync(path('half')))).toBe(true);
  });

  it.each<[string[], RegExp]>([
    [[], /: give at least one of --max-size, --bits and --keep-words \[/],
    [
      ['--max-size', '2 elephants'],
      /--max-size: expected a size such as 1\.6MB, 800kB or 2MiB but received "2 elephants"/,
    ],
    [['--max-size', '1constructor'], /expected a size/],
    [
      ['--max-size', '10B'],
      /--max-size: expected at least \d+ bytes, the smallest file that can be made of this model/,
    ],
    [['--bits', '3'], /Expected 8, 4, 2 or 1 for --bits but received number 3/],
    [['--keep-words', '0'], /Expected an integer from 1 to 2147483647 for --keep-words but received number 0/],
    [['--bits', '8', '--out', model], /would overwrite the model/],
    [['--bits', '8', '--eval', '-'], /the rows are read for both models/],
  ])('refuses %j, and writes nothing', (flags, message) => {
    const before = readdirSync(folder);
    const { status, err } = recurra(['compress', model, ...flags]);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
    expect(readdirSync(folder)).toEqual(before);
  });

  it.runIf(process.platform === 'linux')('stops at Ctrl-C while it measures, and writes nothing', async () => {
    const many = path('many.csv');
    writeFileSync(
      many,
      topicCsv(topicTexts(400)) + topicCsv(topicTexts(400)).split('\n').slice(1).join('\n').repeat(1_000),
    );
    const flags = ['--bits', '8', '--eval', many, ...COLUMNS, '--out', path('never')];
    const child = spawn(process.execPath, [...COMMAND, 'compress', model, ...flags]);
    let err = '';
    child.stderr.on('data', (data: Buffer) => {
      err += data;
    });
    const end = once(child, 'close');
    await vi.waitFor(() => expect(openFiles(child.pid!)).toContain(many), { interval: 5, timeout: 20_000 });
    child.kill('SIGINT');
    const [status] = await end;
    expect([status, err]).toEqual([
      130,
      expect.stringMatching(/stopping .*\nrecurra: stopped; nothing was written\n$/),
    ]);
    expect(existsSync(path('never'))).toBe(false);
  });
});
