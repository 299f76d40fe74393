import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { load, ModelFileError, type ModuleSource, RecurraError } from '../../src/web/index.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';
import { builtModule } from './module.js';

const path = builtModule();
const folder = temporaryFolder();

/** Exports of the module that take memory, and nothing else. */
interface Allocating {
  recurra_alloc(bytes: number): number;
}

/** Takes all memory that an instance can have but for pieces of less than `least` bytes; nobody touches its pages. */
function exhaust({ recurra_alloc: take }: Allocating, least: number): void {
  for (let bytes = 2 ** 30; bytes >= least; bytes /= 4) while (take(bytes) !== 0);
}

describe.skipIf(!path)('files and memory that do not serve', () => {
  let module: ModuleSource;
  let file: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    module = new Uint8Array(readFileSync(path!));
    const model = await TextClassifier.train(topicTexts(90), {
      embeddingDim: 4,
      hiddenSize: 3,
      epochs: 1,
      maxLinearBytes: 2_000,
    });
    await model.save(join(folder, 'm.safetensors'));
    await model.close();
    file = new Uint8Array(readFileSync(join(folder, 'm.safetensors')));
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  const refusal = async (bytes: Uint8Array<ArrayBuffer>): Promise<unknown> => {
    try {
      const model = await load(bytes, { module });
      if (model.kind !== 'language') model.predict('a dog with a tail');
      return undefined;
    } catch (error) {
      return error;
    }
  };

  const headerEnd = () => 8 + Number(new DataView(file.buffer).getBigUint64(0, true));

  /** The file with another text in its header, padded to the same length where it is shorter. */
  function edited(from: string | RegExp, to: string): Uint8Array<ArrayBuffer> {
    const header = new TextDecoder().decode(file.subarray(8, headerEnd()));
    // The record of the training names settings too, and has no say in how a file is read.
    const card = /"card":"(?:\\.|[^"\\])*"/.exec(header)?.[0] ?? '';
    const text = header.replace(card, () => '"card":""').replace(from, to);
    expect(text).not.toBe(header.replace(card, () => '"card":""'));
    const changed = new TextEncoder().encode(text);
    const bytes = new Uint8Array(8 + changed.length + file.length - headerEnd());
    new DataView(bytes.buffer).setBigUint64(0, BigInt(changed.length), true);
    bytes.set(changed, 8);
    bytes.set(file.subarray(headerEnd()), 8 + changed.length);
    return bytes;
  }

  it('refuses a file that was cut off, at any place', async () => {
    for (const length of [0, 1, 7, 8, 9, 200, headerEnd() - 1, headerEnd(), file.length - 1]) {
      const error = await refusal(file.slice(0, length));
      expect(error).toBeInstanceOf(ModelFileError);
      expect(error).toMatchObject({ code: 'INVALID_FILE' });
    }
  });

  it('refuses a flipped bit by the checksum', async () => {
    const bytes = file.slice();
    bytes[bytes.length - 5]! ^= 4;
    expect(await refusal(bytes)).toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining('checksum') });
  });

  it.each([
    ['"formatVersion":3', '"formatVersion":9', 'reads up to 5; install a newer'],
    [
      '"tokenizer":"basic_english"',
      '"tokenizer":null',
      'a tokenizer function of its own; recurra-web reads texts with one of basic_english',
    ],
    ['"tokenizer":"basic_english"', '"tokenizer":"hugging_face"', 'a HuggingFace tokenizer'],
    ['"kind":"classifier"', '"kind":"tagger"', 'reads up to 2'],
    ['"kind":"classifier"', '"kind":"oracle"', 'the kind "oracle"; recurra-web has classifier, tagger, language'],
    ['"hiddenSize":3', '"hiddenSize":4', 'weight_ih_l0'],
    ['"cell":"lstm"', '"cell":"gru"', 'weight_ih_l0'],
    ['"embeddingDim":4', '"embeddingDim":60000', 'settings describe a model with at least'],
    [/"linear":\{[^}]*\}/, '"linear":{"network":2,"sharpness":1}', 'two numbers in range'],
    [/,"linear":\{[^}]*\}/, '', 'not its mix'],
    ['"pooling":"max"', '"pooling":"min"', 'pooling'],
    ['"bread"', '"salt"', 'salt'],
  ])('names what does not fit: %s', async (from, to, message) => {
    // Where there is no checksum, what a file says is looked at all the same.
    vi.stubGlobal('crypto', undefined);
    const quoted = (text: string) => text.replaceAll('"', '\\"');
    const error = await refusal(
      edited(
        typeof from === 'string' ? quoted(from) : new RegExp(quoted(from.source).replaceAll('\\"', '\\\\"')),
        quoted(to),
      ),
    );
    expect(error).toBeInstanceOf(ModelFileError);
    expect(error).toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining(message) });
  });

  it('answers or refuses whatever the bytes are', async () => {
    vi.stubGlobal('crypto', undefined);
    const change = fc.record({ at: fc.nat({ max: file.length - 1 }), value: fc.nat({ max: 255 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = file.slice();
        for (const { at, value } of changes) bytes[at] = value;
        const error = await refusal(bytes);
        if (error === undefined) return;
        expect(error).toBeInstanceOf(RecurraError);
        expect((error as RecurraError).code).toBe('INVALID_FILE');
      }),
      { numRuns: 300 },
    );
  });

  it('says what does not serve as a source, an option or a text', async () => {
    await expect(load(5 as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', option: 'source' });
    await expect(load(file, { modul: 1 } as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(load('m.safetensors', { module })).rejects.toMatchObject({ code: 'IO' });
    const absent = new URL(`file://${folder}/none.safetensors`);
    await expect(load(absent, { module })).rejects.toMatchObject({ name: 'ModelFileError', code: 'FILE_NOT_FOUND' });
    await expect(load(file, { module: absent })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(load(new Response('', { status: 404 }), { module })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(load(new Response('', { status: 500 }), { module })).rejects.toMatchObject({ code: 'IO' });
    await expect(load(file, { module: new Uint8Array(9) })).rejects.toMatchObject({ code: 'IO' });
    const model = await load(new Blob([file]), { module, kind: 'classifier' });
    expect(() => model.predict(5 as never)).toThrow('Expected a string for text but received number 5');
    expect(() => model.predict('', { topK: 0 })).toThrow('topK');
    expect(() => model.predictMany(['', null as never])).toThrow('texts[1]');
    expect(() => model.explain('a dog')).toThrow(
      'labels are explained by TextClassifier of recurra, and by recurra serve',
    );
    model.close();
    model.close();
    expect(() => model.predict('')).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
  });

  it('gives a typed error where there is no memory', async () => {
    const instantiate = WebAssembly.instantiate;
    const instances: Allocating[] = [];
    let full = true;
    vi.spyOn(WebAssembly, 'instantiate').mockImplementation(async (code, imports) => {
      const instance = await instantiate(code, imports);
      instances.push(instance.exports as unknown as Allocating);
      if (full) exhaust(instances.at(-1)!, 16);
      return instance;
    });
    expect(await refusal(file)).toMatchObject({ code: 'OUT_OF_MEMORY' });
    full = false;
    const model = await load(file, { module, kind: 'classifier' });
    const before = model.predict('a dog');
    exhaust(instances.at(-1)!, 2 ** 16);
    expect(() => model.predict('dog '.repeat(100_000))).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
    // That was noticed before the module began.
    expect(model.predict('a dog')).toEqual(before);
  });
});
