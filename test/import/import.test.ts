import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ImportOptions, importModel, TextClassifier } from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();
const fixtures = join(import.meta.dirname, '../fixtures/imported');
const at = (name: string) => join(fixtures, name);
const golden = JSON.parse(readFileSync(at('imported.json'), 'utf8')) as {
  name: string;
  vocab: string;
  options: Partial<ImportOptions>;
  rows: { text: string; probabilities: number[] }[];
}[];
const options = { vocab: at('lstm.json'), labels: ['a', 'b', 'c'] };
let files = 0;

/** A file with this content. */
function write(content: string | Uint8Array, ending = '.txt'): string {
  const path = join(folder, `${files++}${ending}`);
  writeFileSync(path, content);
  return path;
}

/** A safetensors file of arrays of ones, by their shapes. */
async function ones(shapes: Record<string, number[]>, others: Record<string, Float32Array> = {}): Promise<string> {
  const path = join(folder, `${files++}.safetensors`);
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = others[name] ?? new Float32Array(count).fill(1);
    return { name, dtype: 'float32', shape, data: new Uint8Array(values.buffer) };
  });
  await light().writeSafetensors(path, entries, {});
  return path;
}

const PLAIN = {
  'embedding.weight': [12, 5],
  'rnn.weight_ih_l0': [12, 5],
  'rnn.weight_hh_l0': [12, 3],
  'rnn.bias_ih_l0': [12],
  'rnn.bias_hh_l0': [12],
  'fc.weight': [3, 3],
  'fc.bias': [3],
};

async function refusal(
  path: string,
  given: object = options,
): Promise<{ code: string; name: string; message: string }> {
  return importModel(path, given as ImportOptions).then(
    () => expect.fail('no error'),
    (error) => error,
  );
}

describe('importModel', () => {
  it.each(golden)(
    "gives $name's answers of PyTorch, also once it was saved",
    async ({ name, vocab, options, rows }) => {
      const { model } = await importModel(at(`${name}.pt`), { vocab: at(vocab), ...options });
      const path = join(folder, `${name}.safetensors`);
      await model.save(path);
      await model.close();
      await using loaded = await TextClassifier.load(path);
      expect(rows.length).toBeGreaterThan(3);
      for (const { text, probabilities } of rows) {
        const found = new Map([...(await loaded.predict(text))].map(({ label, probability }) => [label, probability]));
        for (const [i, probability] of probabilities.entries())
          expect(Math.abs(found.get(loaded.labels[i]!)! - probability), `${text}, label ${i}`).toBeLessThan(1e-6);
      }
    },
  );

  it('finds layers, words and labels', async () => {
    const { model, notes } = await importModel(at('lstm.pt'), options);
    expect(notes).toEqual([]);
    expect(model.settings).toMatchObject({
      ...{ cell: 'lstm', embeddingDim: 5, hiddenSize: 4, numLayers: 2, bidirectional: true, pooling: 'last' },
    });
    expect(model.labels).toEqual(['a', 'b', 'c']);
    expect(model.vocab.toJSON()).toMatchObject({ unkToken: '<unk>', padToken: '<pad>' });
    await model.close();
    const binary = await importModel(at('binary.pt'), { vocab: at('binary.json') });
    expect(binary.model.vocab.itos).toEqual([
      '<pad>',
      ...'the cat sat on mat dog ran far away today'.split(' '),
      '<unk>',
    ]);
    expect(binary.model.labels).toEqual(['0', '1']);
    expect(binary.notes).toEqual([expect.stringMatching(/no token for unknown words/)]);
    await binary.model.close();
  });

  it('takes files of labels, tokens by their row, and lines that end with CRLF', async () => {
    const path = await ones(PLAIN);
    const vocab = write('a\r\nb\r\nc\r\n');
    const { model, notes } = await importModel(path, { vocab, labels: write('x\ny\nz'), unknown: 11, padding: 'c' });
    expect(model.vocab.itos).toEqual([
      'a',
      'b',
      'c',
      ...[3, 4, 5, 6, 7, 8, 9, 10].map((row) => `<unused-${row}>`),
      '<unk>',
    ]);
    expect(model.vocab.padIndex).toBe(2);
    expect(model.labels).toEqual(['x', 'y', 'z']);
    expect(notes).toEqual(['8 rows of the embedding have no word in the vocabulary']);
    await model.close();
  });

  it('tells an embedding from a linear layer where both have the same width', async () => {
    const same = {
      ...PLAIN,
      'rnn.weight_ih_l0': [12, 3],
      'embedding.weight': [12, 3],
      'fc.weight': [12, 3],
      'fc.bias': [12],
    };
    const { 'fc.weight': weight, 'fc.bias': bias, 'embedding.weight': vectors, ...rnn } = same;
    for (const path of [
      await ones(same),
      await ones({ ...rnn, 'a.weight': weight, 'a.bias': bias, 'b.weight': vectors }),
    ]) {
      const { model } = await importModel(path, { vocab: at('lstm.json') });
      expect([model.vocab.size, model.labels.length]).toEqual([12, 12]);
      await model.close();
    }
  });

  it.each<[string, Record<string, number[] | undefined>, RegExp]>([
    [
      'no recurrent layer',
      { 'rnn.weight_ih_l0': undefined, 'rnn.weight_hh_l0': undefined },
      /its recurrent layers have the arrays/,
    ],
    ['two modules', { 'other.weight_ih_l0': [12, 5] }, /2 recurrent modules: /],
    ['another number of gates', { 'rnn.weight_hh_l0': [6, 3] }, /its recurrent layers have the arrays/],
    ['a layer that is missing', { 'rnn.weight_ih_l2': [12, 3] }, /weight_ih_l1 is missing/],
    ['layers without end', { 'rnn.weight_ih_l99999999': [12, 3] }, /100000000 recurrent layers/],
    ['a projection', { 'rnn.weight_hr_l0': [2, 3] }, /recurrent layers have the arrays .*rnn.weight_hr_l0/],
    ['another width of a layer', { 'rnn.bias_hh_l0': [9] }, /bias_hh_l0 has the shape \[9\], not \[12\]/],
    ['a second linear layer', { 'fc2.weight': [3, 3], 'fc2.bias': [3] }, /no single linear layer on 3 features/],
    ['a convolution', { 'conv.weight': [3, 3, 3] }, /there is more: conv.weight \[3, 3, 3\]/],
    ['no embedding', { 'embedding.weight': [12, 4] }, /no single embedding of vectors of 5/],
    ['too few rows', { 'embedding.weight': [7, 5] }, /embedding.weight has 7, and the vocabulary has 12 words/],
    ['no linear layer', { 'fc.weight': [3, 4] }, /no single linear layer/],
  ])('refuses %s', async (_, change, message) => {
    const shapes = Object.fromEntries(
      Object.entries({ ...PLAIN, ...change }).filter((entry): entry is [string, number[]] => entry[1] !== undefined),
    );
    expect(await refusal(await ones(shapes))).toMatchObject({
      ...{ name: 'ModelFileError', code: 'INVALID_FILE', message: expect.stringMatching(message) },
    });
  });

  it('refuses weights that are not finite, by the name of their array', async () => {
    const bad = new Float32Array(9).fill(1);
    bad[7] = Number.NaN;
    expect(await refusal(await ones(PLAIN, { 'fc.weight': bad }))).toMatchObject({
      ...{
        name: 'ModelFileError',
        code: 'INVALID_FILE',
        message: expect.stringMatching(/fc\.weight has the number NaN/),
      },
    });
  });

  it.each<[string, object, RegExp]>([
    ['no vocabulary', {}, /for vocab/],
    ['other labels', { labels: ['a'] }, /1 labels, but the linear layer has 3 outputs/],
    ['equal labels', { labels: ['a', 'b', 'a'] }, /different/],
    ['labels that are none', { labels: ['a', 2, 'b'] }, /a string for labels\[1\]/],
    ['another pooling', { pooling: 'attention' }, /for pooling/],
    ['an unknown token that is none', { unknown: 'qwertz' }, /"qwertz", which the vocabulary does not have/],
    ['a row that is not there', { padding: 12 }, /padding is 12, but the embedding has the rows 0 to 11/],
    ['one row for both', { unknown: 0, padding: 0 }, /both the row 0/],
    ['another option', { hidden: 3 }, /Unknown option "hidden"/],
  ])('refuses %s', async (_, given, message) => {
    const all = Object.keys(given).length === 0 ? {} : { vocab: options.vocab, ...given };
    expect(await refusal(at('lstm.pt'), all)).toMatchObject({
      ...{ name: 'ArgumentError', message: expect.stringMatching(message) },
    });
    expect(await refusal(at('binary.pt'), { vocab: at('binary.json'), multiLabel: true })).toMatchObject({
      message: expect.stringMatching(/at least two outputs/),
    });
  });

  it.each<[string, string | Uint8Array, string, RegExp]>([
    ['no words', '', '.txt', /no words/],
    ['a word twice', 'a\nb\na\n', '.txt', /"a" appears twice, as item 1 and 3/],
    ['no UTF-8', Buffer.of(0xff, 10), '.txt', /not UTF-8/],
    ['not JSON', '{', '.json', /not JSON/],
    ['another JSON', '3', '.json', /an array of words, or an object/],
    ['a list of others', '["a", 1]', '.json', /item 2 of its list is not a string/],
    ['one number for two words', '{"a": 1, "b": 1}', '.json', /"a" and "b" both have the number 1/],
    ['a number below 0', '{"a": -1}', '.json', /"a" has -1/],
  ])('refuses a vocabulary with %s', async (_, content, ending, message) => {
    expect(await refusal(at('lstm.pt'), { vocab: write(content, ending) })).toMatchObject({
      ...{ name: 'DataError', code: 'INVALID_FILE', message: expect.stringMatching(message) },
    });
  });

  it('refuses a vocabulary with more numbers than rows, and names the word', async () => {
    const vocab = write('{"a": 0, "b": 12}', '.json');
    expect(await refusal(at('lstm.pt'), { vocab })).toMatchObject({
      message: expect.stringMatching(/"b" the number 12, but the embedding has the rows 0 to 11/),
    });
  });

  it('names files that are not there or of another kind, and stops when it is told', async () => {
    mkdirSync(join(folder, 'place'));
    expect(await refusal(join(folder, 'none.pt'))).toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(await refusal(at('lstm.pt'), { vocab: join(folder, 'none.txt') })).toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect((await refusal(join(folder, 'place'))).code).toBe('IO');
    expect((await refusal(write('text'))).message).toMatch(/expected a state dict/);
    expect((await refusal(write(Buffer.from('\x80\x02l.', 'latin1')))).message).toMatch(
      /written by torch\.save or pickle/,
    );
    expect(await refusal(at('lstm.pt'), { ...options, signal: AbortSignal.abort() })).toMatchObject({
      code: 'ABORTED',
    });
  });
});
