import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { light } from '../../src/native/light.js';
import { COLUMNS, recurra, trainedModel } from '../support/cli.js';
import { torchHalf } from '../support/halves.mjs';

const { folder, csv, model } = trainedModel();

describe('recurra doctor', () => {
  it.runIf(torchHalf)('finds everything that is needed here', () => {
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
    [['train', csv, ...COLUMNS, '--task', 'seq2seq'], 2, /--text does not apply to --task seq2seq/],
    [['train', csv, ...COLUMNS, '--task', 'tag'], 2, /--label does not apply to/],
    [['train', 'a.conll', '--task', 'tag', '--no-linear'], 2, /--linear does not apply to --task tag/],
    [['train', csv, ...COLUMNS, '--decoder', 'crf'], 2, /--decoder does not apply to --task classify/],
    [['train', csv, ...COLUMNS, '--task', 'sort'], 2, /Allowed choices are classify, tag, language, seq2seq/],
    [['train', 'corpus.conll'], 2, /corpus\.conll contains tokens with tags, .*give --task tag/],
    [['train', 'de.conllu.gz', ...COLUMNS], 2, /give --task tag/],
    [
      ['train', csv, '--label', 'topic'],
      1,
      /no column "text"; there are .*name that of the file with the option text \(--text\)/,
    ],
    [['train', csv, '--text', 'body'], 1, /no column "label"; there are .*\(--label\).*\[MISSING_COLUMN\]/],
    [['train', csv, ...COLUMNS, '--format', 'xml'], 2, /Allowed choices are csv, tsv, jsonl, fasttext, parquet/],
    [
      ['train', csv, ...COLUMNS, '--epochs', 'many'],
      2,
      /'--epochs <n>' argument 'many' is invalid. Expected a whole number/,
    ],
    [
      ['train', csv, ...COLUMNS, '--seed', '99999999999999999999'],
      2,
      /Expected a whole number of at least 0 and at most 9007199254740991\./,
    ],
    [['predict', model, 'a', '--top-k', '99999999999999999999'], 2, /of at least 0 and at most 9007199254740991\./],
    [['train', csv, ...COLUMNS, '--max-linear-bytes', '0.5KB'], 2, /from 1000 to 2147483647 .*number 500 /],
    [['train', csv, ...COLUMNS, '--max-linear-bytes', '5x'], 2, /Expected a size such as 1\.6MB, 800kB or 2MiB/],
    [['serve', model, '--body-limit', '2GiB'], 2, /from 1 to 1073741824 .*number 2147483648 /],
    [['train', csv, ...COLUMNS, '--max-row-bytes', '4B'], 1, /longer than maxRowBytes/],
    [['train', csv, ...COLUMNS, '--cell', 'qrnn'], 2, /Allowed choices are rnn, lstm, gru/],
    [['train', csv, ...COLUMNS, '--tokenizer', 'spacy'], 2, /Expected one of basic_english, .* for --tokenizer/],
    [['train', csv, ...COLUMNS, '--tokenizer', 'none.json'], 1, /none\.json: no such file \[FILE_NOT_FOUND\]/],
    [['train', csv, ...COLUMNS, '--ngrams', '4'], 2, /from 1 to 3 for --ngrams/],
    [['train', csv, ...COLUMNS, '--truncate', 'middle'], 2, /Allowed choices are head, tail, both/],
    [['train', csv, ...COLUMNS, '--device', 'tpu'], 2, /'cpu', 'cuda', .* for --device .*"tpu" \[INVALID_DEVICE\]/],
    [['predict', model, 'a cat', '--device', 'tpu'], 2, /\[INVALID_DEVICE\]/],
    [['train', csv, ...COLUMNS, '--epochs', '0'], 2, /Expected an integer from 1 .*\[OUT_OF_RANGE\]/],
    [['train', join(folder, 'none.csv'), ...COLUMNS], 1, /none\.csv.*\[FILE_NOT_FOUND\]/],
    [['train', csv, '--text', 'subject', '--label', 'topic'], 1, /"?subject"?.*topic.*body.*\[MISSING_COLUMN\]/],
    [['train', csv, ...COLUMNS, '--out', join(folder, 'no', 'where')], 1, /cannot be written to .*\[IO\]/],
    [['explain', model, 'a cat', '--label', 'cats'], 2, /has no label "cats"; it has .*\[UNKNOWN_LABEL\]/],
    [['predict', model, '--file', csv, '--source', 'body'], 2, /--source applies to models of pairs alone/],
    [['explain', model, 'a cat', '--method', 'lime'], 2, /Allowed choices are occlusion, gradientInput/],
    [['predict', csv, 'a'], 1, /\[INVALID_FILE\]/],
    [['predict', join(folder, 'none'), 'a'], 1, /no such file.*\[FILE_NOT_FOUND\]/],
    [['predict', model, '--file', join(folder, 'none')], 1, /\[FILE_NOT_FOUND\]/],
  ])('%j', (args, status, message) => {
    const run = recurra(args);
    expect(run.err).toMatch(message);
    expect(run.status).toBe(status);
    expect(run.out).toBe('');
  });

  it.each([
    ['predict', '"classifier", "tagger" and "seq2seq"', 'a cat'],
    ['explain', '"classifier"', 'a cat'],
    ['evaluate', '"classifier", "tagger", "language" and "seq2seq"', csv, ...COLUMNS],
    ['serve', '"classifier", "tagger", "language" and "seq2seq"', '--port', '0'],
  ])('a model of another kind, naming those that the command works with: %s', async (command, able, ...args) => {
    const { tensors, metadata } = await light().readSafetensors(model, 1 << 30);
    const { sha256: _, ...rest } = metadata;
    const other = join(folder, 'other.safetensors');
    const described = { ...(JSON.parse(metadata.model!) as object), kind: 'speller' };
    await light().writeSafetensors(other, tensors, { ...rest, model: JSON.stringify(described) });
    const run = recurra([command, other, ...args]);
    const kinds = `works with models of kind ${able}`;
    expect(run.err).toContain(`recurra ${command} ${kinds}; ${other} is a model of kind "speller"`);
    expect(run.status).toBe(2);
  });

  it('with --json it says so on standard output too, as JSON', () => {
    const { status, json } = recurra(['evaluate', join(folder, 'none'), csv, ...COLUMNS, '--json']);
    expect(status).toBe(1);
    expect(json()).toMatchObject([{ event: 'error', code: 'FILE_NOT_FOUND' }]);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});
