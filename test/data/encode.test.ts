import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, EncodedDataset, encodeDataset, type LabelledText, type Row, readCsv } from '../../src/data/index.js';
import { basicEnglish, buildVocabFromIterator } from '../../src/text/index.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();

const ROWS: LabelledText[] = [
  { text: 'The cat sat.', label: 'animal' },
  { text: '', label: 'zero' },
  { text: 'the Market fell', label: 'money' },
  { text: 'The cat', label: 'animal' },
];

async function* slowly(rows: readonly LabelledText[]): AsyncGenerator<LabelledText> {
  for (const row of rows) {
    await Promise.resolve();
    yield row;
  }
}

describe('collect', () => {
  it('builds the vocabulary and encodes in one pass', async () => {
    const { dataset, vocab, emptyTexts } = await collect(ROWS);
    expect(vocab.itos).toEqual(['<unk>', '<pad>', 'the', 'cat', '.', 'fell', 'market', 'sat']);
    expect(dataset.classes).toEqual(['animal', 'money', 'zero']);
    expect(dataset.labels).toEqual(Int32Array.of(0, 2, 1, 0));
    expect(dataset.offsets).toEqual(Uint32Array.of(0, 4, 5, 8, 10));
    expect(dataset.tokens).toEqual(Int32Array.of(2, 3, 7, 4, 0, 2, 6, 5, 2, 3));
    expect(emptyTexts).toBe(1);
  });

  it('makes rare tokens unknown', async () => {
    const { dataset, vocab } = await collect(ROWS, { minFreq: 2 });
    expect(vocab.itos).toEqual(['<unk>', '<pad>', 'the', 'cat']);
    expect([...dataset.row(0).tokens]).toEqual([2, 3, 0, 0]);
  });

  it('equals building a vocabulary first and encoding then', async () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', '<pad>', '<unk>', '__proto__', '🙂', '.', 'A'), {
      maxLength: 8,
    });
    const row = fc.record({ text: text.map((words) => words.join(' ')), label: fc.constantFrom('x', 'y', 'Z', ' ') });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 20 }),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        async (rows, minFreq, specialFirst) => {
          const options = { minFreq, specialFirst };
          const vocab = buildVocabFromIterator(
            rows.map((each) => basicEnglish(each.text)),
            options,
          );
          const collected = await collect(slowly(rows), options);
          expect(collected.vocab.itos).toEqual(vocab.itos);
          expect(collected.dataset).toEqual(await encodeDataset(rows, { vocab }));
          for (const [i, { label, tokens }] of [...collected.dataset].entries()) {
            const expected = basicEnglish(rows[i]!.text).map((token) => (vocab.has(token) ? token : '<unk>'));
            expect(vocab.decode(tokens)).toEqual(expected.length > 0 ? expected : ['<unk>']);
            expect(collected.dataset.classes[label]).toBe(rows[i]!.label);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('takes another tokenizer and fixed classes', async () => {
    const { dataset, vocab } = await collect(ROWS, {
      tokenizer: (text) => [...text.slice(0, 3)],
      classes: ['zero', 'money', 'animal'],
    });
    expect([...dataset.labels]).toEqual([2, 0, 1, 2]);
    expect(vocab.has('T')).toBe(true);
  });

  it('gives an empty data set for no rows', async () => {
    const { dataset, vocab } = await collect([]);
    expect([dataset.length, dataset.tokens.length, dataset.classes.length, vocab.size]).toEqual([0, 0, 0, 2]);
  });

  it('says when tokens would be lost for want of an unknown token', async () => {
    await expect(collect(ROWS.slice(0, 1), { specials: [], minFreq: 2 })).rejects.toThrow(/no token for unknown ones/);
    await expect(collect(ROWS, { specials: [] })).rejects.toThrow(/row 2: the text has no tokens/);
    expect((await collect(ROWS.slice(0, 1), { specials: [] })).vocab.size).toBe(4);
  });
});

describe('multiLabel', () => {
  const MULTI: Row[] = [
    { text: 'cat', label: ['pet', 'animal', 'pet'] },
    { text: 'stone', label: [] },
    { text: 'dog', label: 'animal' },
  ];

  it('keeps the classes of each row, rising and each once', async () => {
    const { dataset } = await collect(MULTI, { multiLabel: true });
    expect(dataset.classes).toEqual(['animal', 'pet']);
    expect(dataset.multiLabel).toBe(true);
    expect(dataset.length).toBe(3);
    expect(dataset.labels).toEqual(Int32Array.of(0, 1, 0));
    expect(dataset.labelOffsets).toEqual(Uint32Array.of(0, 2, 2, 3));
    expect(dataset.classCounts()).toEqual(Int32Array.of(2, 1));
    const vocab = buildVocabFromIterator(MULTI.map(({ text }) => basicEnglish(text)));
    expect(await encodeDataset(MULTI, { vocab, multiLabel: true })).toEqual(dataset);
    await expect(encodeDataset(MULTI, { vocab, multiLabel: true, classes: ['animal'] })).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      message: expect.stringContaining('row 1: unknown label "pet"'),
    });
  });

  it('keeps any labels', async () => {
    const name = fc.string({ minLength: 1, maxLength: 2 });
    const label = fc.oneof(name, fc.array(name, { maxLength: 5 }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ text: fc.string(), label }), { maxLength: 30 }), async (rows) => {
        const { dataset } = await collect(rows, { multiLabel: true });
        const names = (i: number) => Array.from(dataset.labelsOf(i), (id) => dataset.classes[id]);
        for (const [i, row] of rows.entries()) {
          expect(new Set(names(i))).toEqual(new Set([row.label].flat()));
          expect([...dataset.labelsOf(i)]).toEqual([...new Set(dataset.labelsOf(i))].sort((a, b) => a - b));
        }
      }),
    );
  });

  it('without it takes one label in an array, and explains that several are too many', async () => {
    expect((await collect([{ text: 'a', label: ['x'] }])).dataset).toMatchObject({ classes: ['x'], multiLabel: false });
    const rows = MULTI.slice(0, 1);
    await expect(collect(rows)).rejects.toMatchObject({
      name: 'DataError',
      code: 'INVALID_ROW',
      message: expect.stringMatching(/^row 1: the row has 3 labels \("pet", "animal", "pet"\), .* multiLabel: true$/),
    });
    await expect(collect(MULTI.slice(1))).rejects.toThrow(/row 1: the row has no label, .* multiLabel: true/);
    await expect(collect(MULTI, { multiLabel: 1 as never })).rejects.toThrow(/true or false for multiLabel/);
    await expect(collect([{ text: 'a', label: [{}] as never }], { multiLabel: true })).rejects.toThrow(
      /expected \{ text, label \} with a string and a label .* or an array of labels/,
    );
  });
});

describe('encodeDataset', () => {
  const vocab = buildVocabFromIterator(ROWS.map(({ text }) => basicEnglish(text)));

  it('names a label that is not known, with file and line', async () => {
    await expect(encodeDataset(ROWS, { vocab, classes: ['animal', 'zero'] })).rejects.toMatchObject({
      name: 'DataError',
      code: 'UNKNOWN_LABEL',
      message: expect.stringMatching(/row 3: unknown label "money"; the known ones are "animal", "zero"/),
    });
    const file = join(folder, 'labels.csv');
    writeFileSync(file, 'text,label\na,x\nb,"y\nz"\n');
    await expect(
      encodeDataset(readCsv(file, { text: 'text', label: 'label' }), { vocab, classes: ['x'] }),
    ).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      file,
      line: 3,
    });
  });

  it.each([null, 'text', { text: 1, label: 'a' }, { text: 'a', label: null }, { text: 'a' }])(
    'refuses the row %j',
    async (row) => {
      const rows = [ROWS[0]!, row as LabelledText];
      await expect(encodeDataset(rows, { vocab })).rejects.toMatchObject({
        code: 'INVALID_ROW',
        message: expect.stringMatching(/^row 2: expected \{ text, label \}/),
      });
    },
  );

  it('refuses options that do not fit', async () => {
    await expect(encodeDataset(ROWS, {} as never)).rejects.toThrow(/a Vocab for vocab/);
    await expect(encodeDataset('text' as never, { vocab })).rejects.toThrow(/iterable of \{ text, label \} for rows/);
    await expect(encodeDataset(5 as never, { vocab })).rejects.toThrow(/for rows/);
    await expect(encodeDataset(ROWS, { vocab, classes: [] })).rejects.toThrow(/non-empty array of names for classes/);
    await expect(encodeDataset(ROWS, { vocab, classes: ['a', 'a'] })).rejects.toThrow(/different names for classes/);
    await expect(encodeDataset(ROWS, { vocab, tokenizer: () => 'a' as never })).rejects.toThrow(
      /the tokenizer's result/,
    );
    await expect(encodeDataset(ROWS, { vocab, tokens: 5 } as never)).rejects.toThrow(/Unknown option "tokens"/);
    await expect(collect(ROWS, { tokenizer: () => [1 as never] })).rejects.toThrow(/a string for token/);
  });

  it('stops when aborted', async () => {
    const signal = AbortSignal.timeout(20);
    const endless = (function* () {
      for (;;) yield ROWS[0]!;
    })();
    await expect(encodeDataset(endless, { vocab, signal })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(encodeDataset(ROWS, { vocab, signal: AbortSignal.abort('no') })).rejects.toMatchObject({
      code: 'ABORTED',
      cause: 'no',
    });
  });

  it('reports progress, at last all of it', async () => {
    const reports: { rows: number; tokens: number }[] = [];
    await collect(ROWS, { onProgress: (progress) => reports.push(progress) });
    expect(reports.at(-1)).toEqual({ rows: 4, tokens: 10 });
  });
});

describe('memory', () => {
  it('keeps 120,000 texts of 44 tokens in under 60 MB', async () => {
    const words = Array.from({ length: 90_000 }, (_, i) => `word${(i * 48_271) % 90_001}`);
    function* texts(): Generator<LabelledText> {
      for (let i = 0; i < 120_000; i++) {
        const text = Array.from(
          { length: 44 },
          (_, j) => words[(i * 17 + j * j * 101) % (j % 2 ? 2000 : words.length)],
        ).join(' ');
        yield { text, label: String(i % 4) };
      }
    }
    const { dataset, vocab } = await collect(texts());
    expect(dataset.length).toBe(120_000);
    expect(dataset.tokens.length).toBe(5_280_000);
    expect(vocab.size).toBeGreaterThan(80_000);
    const bytes = dataset.tokens.byteLength + dataset.offsets.byteLength + dataset.labels.byteLength;
    expect(bytes).toBeLessThan(24e6);
  });
});

describe('EncodedDataset', () => {
  const dataset = new EncodedDataset({
    tokens: Int32Array.of(5, 6, 7, 8, 9, 10),
    offsets: Uint32Array.of(0, 1, 3, 6),
    labels: Int32Array.of(1, 0, 1),
    classes: ['a', 'b'],
  });

  it('gives rows, lengths, counts', () => {
    expect(dataset.row(1)).toEqual({ label: 0, tokens: Int32Array.of(6, 7) });
    expect(dataset.row(1).tokens.buffer).toBe(dataset.tokens.buffer);
    expect([...dataset].map(({ tokens }) => tokens.length)).toEqual([1, 2, 3]);
    expect(dataset.lengths()).toEqual(Int32Array.of(1, 2, 3));
    expect(dataset.classCounts()).toEqual(Int32Array.of(1, 2));
  });

  it('gathers rows in the order asked for', () => {
    expect(dataset.gather([2, 0, 2])).toEqual({
      tokens: Int32Array.of(8, 9, 10, 5, 8, 9, 10),
      lengths: Int32Array.of(3, 1, 3),
      labels: Int32Array.of(1, 1, 1),
    });
    const part = dataset.subset(Int32Array.of(1));
    expect([part.length, part.classes, [...part.row(0).tokens]]).toEqual([1, ['a', 'b'], [6, 7]]);
  });

  it('gives and gathers rows of a multi-label set', () => {
    const { tokens, offsets, classes } = dataset;
    const labels = Int32Array.of(0, 1, 1);
    const several = new EncodedDataset({ tokens, offsets, classes, labels, labelOffsets: Uint32Array.of(0, 2, 2, 3) });
    expect([...several].map(({ label, labels }) => [label, ...labels!])).toEqual([[-1, 0, 1], [-1], [-1, 1]]);
    expect(several.lengths()).toEqual(dataset.lengths());
    expect(several.gather([2, 1, 0])).toEqual({
      tokens: Int32Array.of(8, 9, 10, 6, 7, 5),
      lengths: Int32Array.of(3, 2, 1),
      labels: Int32Array.of(1, 0, 1),
      labelOffsets: Uint32Array.of(0, 1, 1, 3),
    });
    expect([...several.subset([1, 0]).labelsOf(1)]).toEqual([0, 1]);
    expect([...dataset.labelsOf(0)]).toEqual([1]);
    expect(() => several.labelsOf(3)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
    for (const [labelOffsets, message] of [
      [Uint32Array.of(0, 2, 3), /a Uint32Array of 3, as there are labelOffsets/],
      [Uint32Array.of(0, 2, 1, 3), /labelOffsets\[2\]/],
      [Uint32Array.of(0, 2, 2, 2), /offsets from 0 to 3 for labelOffsets/],
      [[0, 2, 2, 3] as never, /Uint32Array .* for labelOffsets/],
    ] as const) {
      expect(() => new EncodedDataset({ tokens, offsets, classes, labels, labelOffsets })).toThrow(message);
    }
  });

  it.each([-1, 3, 0.5])('has no row %d', (index) => {
    expect(() => dataset.row(index)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
    expect(() => dataset.gather([0, index])).toThrow(/indices\[1\]/);
  });

  it.each([
    [{ offsets: Uint32Array.of(0, 1, 6) }, /Uint32Array of 4/],
    [{ offsets: Uint32Array.of(0, 1, 1, 6) }, /offsets\[2\]/],
    [{ offsets: Uint32Array.of(0, 1, 3, 5) }, /offsets from 0 to 6/],
    [{ labels: Int32Array.of(1, 0, 2) }, /labels\[2\]/],
    [{ labels: Int32Array.of(-1, 0, 1) }, /labels\[0\]/],
    [{ tokens: [1] as never }, /Int32Array for tokens/],
    [{ classes: 'ab' as never }, /classes/],
  ])('refuses parts that disagree: %o', (change, message) => {
    const { tokens, offsets, labels, classes } = dataset;
    expect(() => new EncodedDataset({ tokens, offsets, labels, classes, ...change })).toThrow(message);
  });
});
