import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.js';
import { torchHalf } from '../support/halves.mjs';
import { freePort } from '../support/ranks.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const file = join(folder, 'rows.jsonl');
writeFileSync(
  file,
  topicTexts(120)
    .map((row) => `${JSON.stringify(row)}\n`)
    .join(''),
);
const flags = [
  '--json',
  '--text',
  'text',
  '--label',
  'label',
  '--epochs',
  '2',
  '--threads',
  '1',
  '--embedding-dim',
  '8',
  '--hidden-size',
  '6',
  '--no-linear',
];

/** What a process wrote, and how it ended. */
interface Ended {
  out: string;
  err: string;
  code: number | null;
}

function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, 'train', file, ...flags, ...args], {
      env: { ...process.env, ...env },
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      err += text;
    });
    child.on('close', (code) => resolve({ out, err, code }));
  });
}

const events = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; ranks?: number });

describe('recurra train --distributed', () => {
  it.runIf(torchHalf)(
    'trains in two processes, of which the first one writes and reports',
    async () => {
      const port = String(await freePort());
      const ends = await Promise.all(
        ['0', '1'].map((rank) =>
          run(['--distributed', '--distributed-timeout', '30', '--out', join(folder, `model ${rank}`)], {
            RANK: rank,
            WORLD_SIZE: '2',
            MASTER_ADDR: '127.0.0.1',
            MASTER_PORT: port,
          }),
        ),
      );
      expect(
        ends.map(({ code }) => code),
        JSON.stringify(ends),
      ).toEqual([0, 0]);
      const told = events(ends[0]!.out);
      expect(told.find(({ event }) => event === 'start')?.ranks).toBe(2);
      expect(told.at(-1)).toMatchObject({ event: 'end', ranks: 2 });
      expect([ends[1]!.out, ends[1]!.err]).toEqual(['', '']);
      expect([0, 1].map((rank) => existsSync(join(folder, `model ${rank}`)))).toEqual([true, false]);
    },
    60_000,
  );

  it('is a usual training in one process, and loads no libtorch', async () => {
    const out = join(folder, 'alone');
    const alone = await run(['--distributed', '--out', out], { RECURRA_LIBTORCH: join(folder, 'nowhere') });
    expect([alone.code, alone.err]).toEqual([0, expect.any(String)]);
    expect(events(alone.out).at(-1)).toMatchObject({ event: 'end', ranks: 1 });
    const without = await run(['--distributed-timeout', '5', '--out', out]);
    expect(without.code).toBe(2);
    expect(without.err).toContain('--distributed-timeout needs --distributed');
  }, 60_000);
});
