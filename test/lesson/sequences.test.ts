import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { exampleFolder, examplesOf, runExample, typeErrors, writeExamples } from '../support/guide.js';
import { golden } from '../support/safetensors.js';

const folder = exampleFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the network of docs/seq2seq-from-pieces.md learns as the one of the tutorial beside it', () => {
  const page = 'docs/seq2seq-from-pieces.md';
  const examples = examplesOf(page);
  expect(examples.length).toBe(7);
  const code = examples.map((each) => each.code).join('\n');
  const program = { page, name: 'pieces.ts', code: `${code}\nconsole.log(JSON.stringify(losses));\n` };
  writeExamples(folder, [program]);
  expect(typeErrors(folder, [program])).toEqual([]);
  const { stdout, stderr, status } = runExample(folder, program);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toContain('\ni am tall\n');
  const ours = JSON.parse(stdout.trim().split('\n').at(-1)!) as number[];
  const theirs = JSON.parse(readFileSync(join(golden, 'sequence_pieces.json'), 'utf8')) as number[];
  expect(ours.length).toBe(60);
  // Two float32 programs: some units in the last place, dropout included.
  for (const [step, loss] of theirs.entries()) expect(Math.abs(ours[step]! - loss), `step ${step}`).toBeLessThan(1e-6);
  expect(theirs[59]).toBeLessThan(theirs[0]! / 10);
}, 60_000);
