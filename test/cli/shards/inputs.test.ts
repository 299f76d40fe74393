import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inputFiles } from '../../../src/cli/shards/inputs.js';
import { temporaryFolder } from '../../support/folder.js';

const folder = temporaryFolder();
for (const name of ['b/2.csv', 'b/10.csv', 'a/2.csv', 'a/.hidden.csv', 'c.jsonl', '{d}.csv']) {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), 'x');
}
const out = join(folder, 'out');
const outputs = async (...args: string[]) => {
  const files = await inputFiles(
    args.map((name) => join(folder, name)),
    out,
  );
  return files.map(({ path, output, bytes }) => [path.slice(folder.length + 1), output, bytes]);
};

describe('files of arguments', () => {
  it('keep the folders behind the fixed beginning of a pattern, in an order that depends on names alone', async () => {
    expect(await outputs('**/*.csv')).toEqual([
      ['a/2.csv', 'a/2.csv.jsonl', 1],
      ['b/10.csv', 'b/10.csv.jsonl', 1],
      ['b/2.csv', 'b/2.csv.jsonl', 1],
      ['{d}.csv', '{d}.csv.jsonl', 1],
    ]);
    expect(await outputs('c.jsonl', 'b/?.csv', '{d}.csv', 'b/*')).toEqual([
      ['b/10.csv', '10.csv.jsonl', 1],
      ['b/2.csv', '2.csv.jsonl', 1],
      ['c.jsonl', 'c.jsonl.jsonl', 1],
      ['{d}.csv', '{d}.csv.jsonl', 1],
    ]);
  });

  it.each([
    [['a/2.csv', 'b/2.csv'], /a\/2\.csv and .*b\/2\.csv would both be written to 2\.csv\.jsonl; give a quoted pattern/],
    [['a'], /a is a folder; give a pattern for its files, such as '.*a\/\*'/],
    [['q*'], /q\*: no file matches this pattern/],
    [['a/2.csv/x'], /no such file/],
  ])('are refused where they do not fit: %j', async (args, message) => {
    await expect(outputs(...args)).rejects.toThrow(message);
  });

  it('are never those of the folder of outputs', async () => {
    await expect(inputFiles([join(folder, '*.jsonl')], folder)).rejects.toThrow(/c\.jsonl is in the output folder/);
    await expect(inputFiles(['-'], out)).rejects.toThrow(/standard input has no name for its output/);
  });
});
