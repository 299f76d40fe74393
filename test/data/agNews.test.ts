import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collect } from '../../src/data/index.js';
import { agNews, encode, loadDataset } from '../../src/lesson/index.js';
import { buildVocabFromIterator } from '../../src/text/index.js';
import { realData } from '../support/data.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();

function write(name: string, train: string, test = train): string {
  const root = join(folder, name);
  mkdirSync(root);
  writeFileSync(join(root, 'train.csv'), train);
  writeFileSync(join(root, 'test.csv'), test);
  return root;
}

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const row of rows) list.push(row);
  return list;
}

describe('agNews', () => {
  it('reads both files, title and description joined, labels by name', async () => {
    const root = write('made-up', '"3","Oil, up","It said ""so"""\n"1","","b\nc"\n', '"4","x","y"\n');
    const { train, test, classes } = await agNews({ root });
    expect(classes).toEqual(['World', 'Sports', 'Business', 'Sci/Tech']);
    expect(await all(train)).toEqual([
      { text: 'Oil, up It said "so"', label: 'Business', line: 1 },
      { text: ' b\nc', label: 'World', line: 2 },
    ]);
    expect(await all(train)).toHaveLength(2);
    expect(await all(test)).toEqual([{ text: 'x y', label: 'Sci/Tech', line: 1 }]);
    expect([train.original, test.original]).toEqual([false, false]);
    expect(train.file).toBe(join(root, 'train.csv'));
  });

  it('says where it looked and where to get the files', async () => {
    await expect(agNews({ root: join(folder, 'nowhere') })).rejects.toMatchObject({
      name: 'DataError',
      code: 'FILE_NOT_FOUND',
      message: expect.stringMatching(/nowhere for train.csv and test.csv.*torchtext\.datasets\.AG_NEWS/),
    });
    await expect(loadDataset({ root: 5 } as never)).rejects.toThrow(/path of a folder for root/);
  });

  it('names the line of a label that is none', async () => {
    const { train } = await agNews({ root: write('bad', '1,a,b\n5,c,d\n') });
    await expect(all(train)).rejects.toMatchObject({
      code: 'INVALID_ROW',
      line: 2,
      message: expect.stringMatching(/label from 1 to 4 but found "5"/),
    });
  });

  const root = realData('ag_news');
  it.skipIf(!root)('knows the original test set and builds the vocabulary that Python builds', async () => {
    const { train, test, classes } = await agNews({ root: root! });
    expect(test.original).toBe(true);
    const { dataset, vocab } = await collect(test, { classes });
    expect(dataset.length).toBe(7600);
    expect([...dataset.classCounts()]).toEqual([1900, 1900, 1900, 1900]);
    expect(vocab.itos.slice(0, 7)).toEqual(['<unk>', '<pad>', '.', 'the', ',', 'to', 'a']);
    if (!train.original) {
      const full = await collect(train, { classes });
      // From lesson_reference.json, which PyTorch's side computed from the same 65,073 rows.
      if (full.dataset.length === 65_073) expect(full.vocab.size).toBe(72_002);
    }
  });
});

describe('encode', () => {
  const vocab = buildVocabFromIterator([['hello', ',', 'world']]);

  it('turns a text into indices', () => {
    expect(encode('Hello, nobody', { vocab })).toEqual(vocab.encode(['hello', ',', '<unk>']));
    expect(encode('hello|world', { vocab, tokenizer: (text) => text.split('|') })).toEqual(
      vocab.encode(['hello', 'world']),
    );
  });

  it('gives an empty text one unknown token', () => {
    expect(encode(' "" ', { vocab })).toEqual(Int32Array.of(0));
  });

  it('refuses what does not fit', () => {
    expect(() => encode(5 as never, { vocab })).toThrow(/a string for text/);
    expect(() => encode('', { vocab, max: 3 } as never)).toThrow(/Unknown option "max"/);
    expect(() => encode('', {} as never)).toThrow(/a Vocab for vocab/);
  });
});
