import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { recurra } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();
const [text, model] = ['lines.txt', 'model'].map((name) => join(folder, name)) as [string, string];
const SMALL = ['--embedding-dim', '16', '--hidden-size', '32', '--num-layers', '1', '--dropout', '0', '--lr', '0.03'];

beforeAll(() => {
  writeFileSync(text, 'the cat sat.\n'.repeat(150));
  const rest = ['--window', '16', '--batch-size', '8', '--epochs', '10', '--validation', '0.1', '--out', model];
  const { status, err, out } = recurra(['train', text, '--task', 'language', ...SMALL, ...rest]);
  expect(err).toMatch(/epoch 10\/10: loss .*validation loss [\d.]+ perplexity 1\.\d+/);
  expect(status).toBe(0);
  expect(out).toMatch(/: 17\d\d characters, 11 different ones, epoch \d+ of 10 kept, .*perplexity/);
});

describe('the command line for language models', () => {
  it('writes a text behind a prompt', () => {
    const args = ['generate', model, '--prompt', 'the c', '--temperature', '0'];
    expect(recurra([...args, '--max-new-tokens', '20'])).toMatchObject({
      status: 0,
      err: '',
      out: 'the cat sat.\nthe cat sat.\n',
    });
    expect(recurra([...args, '--stop', 'sat', '--json']).json()).toEqual([
      { event: 'text', prompt: 'the c', text: 'at ' },
    ]);
  });

  it('refuses what does not fit', () => {
    const refused = (args: string[], message: RegExp) => {
      const { status, err } = recurra(args);
      expect(status).toBe(2);
      expect(err).toMatch(message);
    };
    refused(['generate', model, '--temperature', '-1'], /temperature/);
    refused(['predict', model, 'a text'], /works with models of the kind "classifier" and "tagger"/);
    refused(['train', text, '--task', 'language', '--pooling', 'max'], /--pooling does not apply to --task language/);
    refused(['train', text, '--task', 'seq2seq'], /not seq2seq/);
  });
});
