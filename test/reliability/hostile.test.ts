import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError, ModelFileError, RecurraError, TextClassifier, Vectors, Vocab } from '../../src/index.js';
import { loadFile } from '../../src/torch/index.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';
import { type Claim, file, parts, sealed } from './hostile.js';

const folder = temporaryFolder();
const path = join(folder, 'model.safetensors');
let whole: Buffer;
beforeAll(async () => {
  using model = await TextClassifier.train(topicTexts(60), { embeddingDim: 4, hiddenSize: 4, epochs: 1, threads: 1 });
  await model.save(path);
  whole = readFileSync(path);
});

const memory = () => process.memoryUsage.rss() / 2 ** 20;
let before: number;
beforeAll(() => {
  before = memory();
});
afterAll(() => {
  expect(memory() - before, 'megabytes that refused files left behind').toBeLessThan(300);
});

/** Writes a file, expects its refusal as a model and, where asked, as a file of tensors, and gives the message. */
async function refused(bytes: Uint8Array, asTensors = true): Promise<string> {
  const place = join(folder, 'hostile.safetensors');
  writeFileSync(place, bytes);
  const readers = asTensors ? [TextClassifier.load, loadFile] : [TextClassifier.load];
  let message = '';
  for (const read of readers.reverse()) {
    const error = await read(place).then(
      () => expect.fail(`${read.name} took a hostile file`),
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(ModelFileError);
    expect((error as ModelFileError).code).toMatch(/^(INVALID_FILE|STATE_MISMATCH)$/);
    message = (error as ModelFileError).message;
  }
  return message;
}

const tensors = (change: Record<string, Partial<Claim>>): Record<string, Claim> => {
  const list: Record<string, Claim> = {
    a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    b: { dtype: 'F32', shape: [2], data_offsets: [8, 16] },
  };
  for (const [name, claim] of Object.entries(change)) list[name] = { ...list[name]!, ...claim };
  return list;
};

describe('headers that lie', () => {
  const sixteen = new Uint8Array(16);
  const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const cases: [name: string, make: () => Buffer][] = [
    ['nothing at all', () => Buffer.alloc(0)],
    ['a length alone', () => file('', new Uint8Array(0), 100n)],
    ['a length of 2^63', () => file('{}', sixteen, 2n ** 63n)],
    ['a length of all ones', () => file('{}', sixteen, 2n ** 64n - 1n)],
    ['a length that ends within the JSON', () => file(tensors({}), sixteen, 20n)],
    ['a header that is not JSON', () => file('not JSON', sixteen)],
    [
      'a header that is not UTF-8',
      () => Buffer.concat([file('', new Uint8Array(0), 4n), Buffer.from('fffefdfc', 'hex')]),
    ],
    ['a header that is a list', () => file([], sixteen)],
    ['a header that is null', () => file('null', sixteen)],
    ['nesting as deep as a stack', () => file(nested(100_000), sixteen)],
    ['overlapping tensors', () => file(tensors({ b: { data_offsets: [4, 12] } }), sixteen)],
    ['the same bytes twice', () => file(tensors({ b: { data_offsets: [0, 8] } }), sixteen)],
    ['a hole between tensors', () => file(tensors({ b: { data_offsets: [12, 20] } }), new Uint8Array(20))],
    ['bytes after the last tensor', () => file(tensors({}), new Uint8Array(17))],
    ['a tensor beyond the end', () => file(tensors({}), new Uint8Array(15))],
    ['offsets that fall', () => file(tensors({ b: { data_offsets: [16, 8] } }), sixteen)],
    ['negative offsets', () => file(tensors({ a: { data_offsets: [-8, 0] } }), sixteen)],
    ['offsets that are fractions', () => file(tensors({ a: { data_offsets: [0, 7.5] } }), sixteen)],
    [
      'offsets beyond 64 bits',
      () => file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}', sixteen),
    ],
    ['one offset', () => file(tensors({ a: { data_offsets: [0] } }), sixteen)],
    ['a shape of other size', () => file(tensors({ a: { shape: [3] } }), sixteen)],
    ['a shape whose product overflows', () => file(tensors({ a: { shape: [2 ** 33, 2 ** 33, 2 ** 33] } }), sixteen)],
    [
      'a product that overflows to the right size',
      () => file('{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}', new Uint8Array(0)),
    ],
    ['a negative size', () => file(tensors({ a: { shape: [-2, -1] } }), sixteen)],
    ['a size that is a text', () => file(tensors({ a: { shape: ['2'] } }), sixteen)],
    ['an unknown dtype', () => file(tensors({ a: { dtype: 'F31' } }), sixteen)],
    ['a dtype that is not read here', () => file(tensors({ a: { dtype: 'C64', shape: [1] } }), sixteen)],
    ['metadata that is no text', () => file({ __metadata__: { a: 1 }, ...tensors({}) }, sixteen)],
    ['metadata that is a list', () => file({ __metadata__: [], ...tensors({}) }, sixteen)],
    ['a tensor without a dtype', () => file({ a: { shape: [2], data_offsets: [0, 8] } }, new Uint8Array(8))],
  ];
  it.each(cases)('%s', async (_, make) => {
    await refused(make());
  });

  it('a tensor that stands twice is refused, or read once', async () => {
    const claim = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
    await refused(file(`{"a":${claim},"a":${claim}}`, new Uint8Array(8)), false);
  });
});

it('a model cut off at every byte of its header, and at some of its body, is refused', async () => {
  const end = 8 + Number(whole.readBigUInt64LE(0));
  for (let size = 0; size <= end; size++) await refused(whole.subarray(0, size), false);
  for (let size = end; size < whole.length; size += 97) await refused(whole.subarray(0, size), false);
}, 60_000);

describe('models whose description is not true', () => {
  function described(change: (description: Record<string, unknown>, header: Record<string, Claim>) => unknown): Buffer {
    const { header, metadata, bytes } = parts(whole);
    const description = JSON.parse(metadata.model!);
    const given = change(description, header);
    const model = given === undefined ? JSON.stringify(description) : String(given);
    return sealed(header, { ...metadata, model }, bytes);
  }
  const settings = (change: object) =>
    described((description) => {
      description.settings = { ...(description.settings as object), ...change };
    });

  it('as they are, they are taken', async () => {
    writeFileSync(
      join(folder, 'same'),
      described(() => undefined),
    );
    using model = await TextClassifier.load(join(folder, 'same'));
    expect((await model.predict('cat')).probability).toBeGreaterThan(0);
  });

  it.each(['', 'null', '3', '"text"', '[]', 'not JSON', '{', '{}', `${'['.repeat(200_000)}${']'.repeat(200_000)}`])(
    'with the description %.20s',
    async (text) => {
      await refused(
        described(() => text),
        false,
      );
    },
  );

  const properties = ['formatVersion', 'settings', 'maxLength', 'labels', 'vocab'];
  const values = [null, -1, 1.5, 1e300, '', 'x', [], {}, [null], [[]], { length: 3 }, true];
  it.each(properties)('with another %s', async (name) => {
    for (const value of values) {
      // An empty object of settings is all defaults, which the weights do not fit.
      const bytes = described((description) => {
        description[name] = value;
      });
      await refused(bytes, false);
    }
  });

  it('with settings that ask for terabytes, before any memory is taken', async () => {
    for (const change of [
      { hiddenSize: 65_536, numLayers: 64 },
      { hiddenSize: 65_536 },
      { embeddingDim: 65_536, hiddenSize: 30_000 },
    ]) {
      expect(await refused(settings(change), false)).toMatch(/settings describe a model with at least [\d,]+ weights/);
    }
    await refused(settings({ hiddenSize: 2 ** 40 }), false);
    await refused(settings({ numLayers: 2 ** 31 }), false);
  });

  it('with weights of another shape, dtype or name', async () => {
    const changes: ((header: Record<string, Claim>) => void)[] = [
      (header) => {
        header['fc.bias']!.shape = [1, 3];
      },
      (header) => {
        const { shape } = header['embedding.weight']!;
        header['embedding.weight']!.shape = [...shape].reverse();
      },
      (header) => {
        header['fc.bias']!.dtype = 'I32';
      },
      (header) => {
        header['embedding.weight']!.dtype = 'I32';
      },
      (header) => {
        header.other = header['fc.bias']!;
        delete header['fc.bias'];
      },
      (header) => {
        header['__proto__ '] = header['fc.bias']!;
        delete header['fc.bias'];
      },
    ];
    for (const change of changes) {
      await refused(
        described((_, header) => change(header)),
        false,
      );
    }
  });

  it('with a vocabulary or labels that do not agree with the weights', async () => {
    const vocab = (change: (vocab: { tokens: string[]; specials: string[]; unkToken: unknown }) => void) =>
      described((description) =>
        change(description.vocab as { tokens: string[]; specials: string[]; unkToken: unknown }),
      );
    for (const bytes of [
      vocab(({ tokens }) => tokens.push('more')),
      vocab(({ tokens }) => tokens.pop()),
      vocab(({ tokens }) => {
        tokens[3] = tokens[4]!;
      }),
      vocab(({ tokens }) => {
        tokens[3] = 3 as unknown as string;
      }),
      vocab(({ specials }) => specials.push('not there')),
      vocab((all) => {
        all.unkToken = null;
      }),
      described((description) => (description.labels as string[]).push('more') && undefined),
      described((description) => void (description.labels as string[]).pop()),
      described((description) => void (description.labels as unknown[]).fill(7, 0, 1)),
      described((description) => void (description.labels as string[]).fill('tool')),
    ]) {
      await refused(bytes, false);
    }
  });

  it('a description is data: names of prototypes change nothing', async () => {
    const bytes = described((description) => JSON.stringify(description).replace('{', '{"__proto__":{"polluted":1},'));
    writeFileSync(join(folder, 'proto'), bytes);
    using model = await TextClassifier.load(join(folder, 'proto'));
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(model.labels).toHaveLength(3);
  });
});

it('bytes changed anywhere in a model: refused with a typed error, whatever they are', async () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      const bytes = Buffer.from(whole);
      for (const [place, value] of changes) bytes[place % bytes.length] = value;
      fc.pre(!bytes.equals(whole));
      await refused(bytes, false);
    }),
    { numRuns: 150 },
  );
});

it('a pipe, a device and a folder are no model files, and do not keep anybody waiting', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const place of [pipe, '/dev/zero', '/dev/null', folder]) {
    for (const read of [TextClassifier.load, loadFile]) {
      await expect(read(place), place).rejects.toMatchObject({ name: 'ModelFileError', code: 'INVALID_FILE' });
    }
  }
});

describe('files of word vectors', () => {
  const vocab = Vocab.fromTokens(['<unk>', '<pad>', 'one', 'two', ...Array.from({ length: 3_000 }, (_, i) => `w${i}`)]);
  const place = join(folder, 'vectors');
  const load = (bytes: Uint8Array | string) => {
    writeFileSync(place, bytes);
    return Vectors.load(place, { vocab });
  };

  it('with more numbers than memory has are refused', async () => {
    const width = 500_000;
    const huge = Vocab.fromTokens(['<unk>', '<pad>', 'one', ...Array.from({ length: 200_000 }, (_, i) => `w${i}`)]);
    writeFileSync(place, `one${' 1'.repeat(width)}\n`);
    await expect(Vectors.load(place, { vocab: huge })).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
  });

  it('with numbers that float32 does not hold are refused, with their place', async () => {
    for (const number of ['1e39', '-1e300', 'nan', 'inf', 'Infinity', '1e', '--1']) {
      await expect(load(`one 0.5 ${number}\n`)).rejects.toMatchObject({ code: 'INVALID_ROW', line: 1 });
    }
    expect((await load('one 1e-60 3e38\n')).row(2)).toEqual(Float32Array.of(0, 3e38));
  });

  it('any bytes: vectors that are finite, or a typed error', async () => {
    const text = '3 2\none 0.5 1\ntwo 1 2\nw7 3 4\n';
    const binary = Buffer.concat([
      Buffer.from('3 2\n'),
      ...['one', 'two', 'w7'].flatMap((word, i) => [
        Buffer.from(`${word} `),
        Buffer.from(Float32Array.of(i + 0.5, i).buffer),
      ]),
    ]);
    const seeds = [text, text.slice(4), binary].map((seed) => Buffer.from(seed));
    const mutated = fc
      .tuple(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(10, 32, 48, 57, 101)))),
        fc.nat(),
      )
      .map(([seed, changes, cut]) => {
        const bytes = Buffer.from(seed);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
        try {
          const { matrix, dim } = await load(bytes);
          expect(matrix).toHaveLength(dim * vocab.size);
          expect(matrix.every(Number.isFinite)).toBe(true);
          expect(matrix.subarray(dim, 2 * dim).every((value) => value === 0)).toBe(true);
        } catch (error) {
          if (!(error instanceof RecurraError)) throw error;
          if (error.code !== 'OUT_OF_MEMORY') expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 400 },
    );
  });
});
