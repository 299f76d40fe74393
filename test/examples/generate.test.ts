import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { INVENTED, readEntries } from '../../examples/generate/entries.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();

it('holds out entries of the dictionary that are not learned from', async () => {
  const { train, test, words } = await readEntries();
  expect([train.length, test.length]).toEqual([79_580, 2_611]);
  const learned = new Set(train);
  expect(test.filter((entry) => learned.has(entry))).toEqual([]);
  expect(learned).toContain(
    'abstraction: a general concept formed by extracting common features from specific examples',
  );
  expect(words).toContain('otter');
  expect(INVENTED.filter((word) => words.has(word.toLowerCase()))).toEqual([]);
});

it('learns from a few entries, writes others, and says how well it knows those held out', () => {
  const args = ['--import', import.meta.resolve('tsx'), resolve('examples/main.ts'), 'generate', '--entries', '1000'];
  args.push('--epochs', '4');
  // The model is saved where it runs.
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: folder });
  expect(status).toBe(0);
  expect(existsSync(join(folder, 'models', 'dictionary.safetensors'))).toBe(true);
  const lines = stdout.split('\n');
  expect(lines[0]).toBe('1000 entries of a dictionary to learn from, 33 held out');
  for (const word of INVENTED) expect(stdout).toContain(`\n  ${word}:`);
  const [, loss, perplexity, bits] = /held-out loss ([\d.]+) nats .*perplexity ([\d.]+), ([\d.]+) bits/.exec(stdout)!;
  // The frequencies of the characters alone give 3.08 nats.
  expect(Number(loss)).toBeLessThan(2.8);
  expect(Number(perplexity)).toBeCloseTo(Math.exp(Number(loss)), 1);
  expect(Number(bits)).toBeGreaterThan(Number(loss) / Math.LN2);
}, 120_000);
