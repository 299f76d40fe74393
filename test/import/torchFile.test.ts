import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/core/turns.js';
import { readTorchFile } from '../../src/import/torchFile.js';
import { ModelFileError } from '../../src/index.js';
import { ZipFile } from '../../src/libtorch/zip.mjs';
import { readPickle } from '../../src/pickle/pickle.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();
const fixture = join(import.meta.dirname, '../fixtures/imported/lstm.pt');
const bytes = readFileSync(fixture);
const file = join(folder, 'state.pt');
const read = (content: Uint8Array) => {
  writeFileSync(file, content);
  return readTorchFile(file, new Turns());
};
const zip = new ZipFile(fixture);
const pickle = (await zip.bytes('lstm/data.pkl')) as Buffer;
zip.close();

/** An archive as torch.save makes it, with another pickle. */
const archive = (data: Uint8Array, storages: Record<string, Uint8Array> = {}) => {
  const entries = { 'a/data.pkl': data, 'a/byteorder': Buffer.from('little') };
  const all = Object.entries(storages).map(([key, value]) => [`a/data/${key}`, value] as const);
  return zipSync({ ...entries, ...Object.fromEntries(all) }, { level: 0 });
};
/** A pickle of protocol 2. */
const p = (text: string) => Buffer.from(`\x80\x02${text}.`, 'latin1');
const name = (text: string) => `X${String.fromCharCode(text.length)}\0\0\0${text}`;
const global = (module: string, of: string) => `c${module}\n${of}\n`;
/** A tensor with some shape, strides and offset, of the storage `0`. */
const tensor = (shape: string, strides: string, offset = 'K\0', type = 'FloatStorage') =>
  `${global('torch._utils', '_rebuild_tensor_v2')}((${name('storage')}${global('torch', type)}${name('0')}${name('cpu')}K\x04tQ${offset}${shape}${strides}\x89${global('collections', 'OrderedDict')})RtR`;
const dictionary = (value: string) => p(`}(${name('w')}${value}u`);
const floats = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

describe('a file of torch.save', () => {
  it('gives names, shapes and numbers', async () => {
    const [first] = await read(archive(dictionary(tensor('K\x02K\x02\x86', 'K\x02K\x01\x86')), { 0: floats }));
    expect(first).toEqual({ name: 'w', shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) });
    const [turned] = await read(archive(dictionary(tensor('K\x02K\x02\x86', 'K\x01K\x02\x86')), { 0: floats }));
    expect(turned!.values).toEqual(Float32Array.of(1, 3, 2, 4));
    const [part] = await read(archive(dictionary(tensor('K\x02\x85', 'K\x01\x85', 'K\x02')), { 0: floats }));
    expect(part!.values).toEqual(Float32Array.of(3, 4));
  });

  it('reads float16 and bfloat16 exactly', async () => {
    const sixteen = (...numbers: number[]) => new Uint8Array(Uint16Array.from(numbers).buffer);
    const of = async (type: string, ...numbers: number[]) => {
      const shape = `K${String.fromCharCode(numbers.length)}\x85`;
      const content = archive(dictionary(tensor(shape, 'K\x01\x85', 'K\0', type)), { 0: sixteen(...numbers) });
      return [...(await read(content))[0]!.values];
    };
    const half = await of('HalfStorage', 0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000);
    expect(half).toEqual([1, -2, 2 ** -24, 65_504, Number.POSITIVE_INFINITY, -0]);
    expect(await of('BFloat16Storage', 0x3f80, 0xc000, 0x3eab)).toEqual([1, -2, 0.333984375]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['a function that is called', p(`${global('os', 'system')}(${name('ls')}tR`), /contains an object of os\.system/],
    ['a function by its stack', p(`\x8c\x02os\x8c\x06system\x93`), /contains an object of os\.system/],
    ['a class that is made', p(`${global('__main__', 'Network')})\x81`), /contains an object of __main__\.Network/],
    ['a name of JavaScript', p(`${global('', '__proto__')})R`), /contains an object of \.__proto__/],
    ['a call with another argument', p(`${global('collections', 'OrderedDict')}K\x01\x85R`), /in an unknown way/],
    ['a storage that is called', p(`${global('torch', 'FloatStorage')})R`), /torch\.FloatStorage in an unknown way/],
    ['another operation', p('I1\n'), /the operation 0x49/],
    ['what is not on the stack', p('a'), /uses a value that is missing/],
    ['a mark that is not there', p('t'), /uses a value that is missing/],
    ['a memo that is not there', p('h\x05'), /uses a value that is missing/],
    ['a list that is none', p('}K\x01a'), /other than a list/],
    ['a dictionary that is none', p(']K\x01K\x02s'), /other than a dictionary/],
    ['a text without end', p('X\xff\xff\xff\xff'), /ends early/],
    ['no dictionary', p('K\x01'), /contains no dictionary/],
    ['no tensors', p('}'), /has no tensors/],
    ['itself', p(`}q\0${name('model')}h\0s`), /has no tensors/],
    ['a shape that is none', dictionary(tensor(name('x'), 'K\x01\x85')), /in an unknown way/],
    ['a size below 0', dictionary(tensor('J\xff\xff\xff\xff\x85', 'K\x01\x85')), /in an unknown way/],
    ['strides of another number', dictionary(tensor('K\x02\x85', 'K\x01K\x01\x86')), /in an unknown way/],
    ['more numbers than there are', dictionary(tensor('K\x05\x85', 'K\x01\x85')), /the shape \[5\], but its storage 4/],
    ['an offset behind the end', dictionary(tensor('K\x02\x85', 'K\x01\x85', 'K\x03')), /its storage 4 numbers/],
    ['a stride behind the end', dictionary(tensor('K\x02\x85', 'K\x04\x85')), /its storage 4 numbers/],
    ['one number many times', dictionary(tensor('J\0\0\0\x40\x85', 'K\0\x85')), /\[1073741824\], but its storage 4/],
    [
      'sizes that overflow',
      dictionary(tensor('(J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7ft', '(K\0K\0K\0t')),
      /but its storage 4 numbers/,
    ],
  ])('is refused with %s', async (_, data, message) => {
    const error = await read(archive(data, { 0: floats })).then(
      () => expect.fail('no error'),
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      name: 'ModelFileError',
      code: 'INVALID_FILE',
      message: expect.stringMatching(message),
    });
  });

  it('is refused where it is no archive of torch.save', async () => {
    await expect(read(zipSync({ 'x.txt': Buffer.from('x') }))).rejects.toThrow(/it has no data\.pkl/);
    const packed = zipSync({ 'a/data.pkl': dictionary(tensor('K\x04\x85', 'K\x01\x85')), 'a/data/0': floats });
    await expect(read(packed)).rejects.toThrow(/is compressed/);
    await expect(read(archive(dictionary(tensor('K\x04\x85', 'K\x01\x85'))))).rejects.toThrow(/no "a\/data\/0"/);
    const big = zipSync({ 'a/data.pkl': p('}'), 'a/byteorder': Buffer.from('big') }, { level: 0 });
    await expect(read(big)).rejects.toThrow(/another byte order/);
  });

  it('is refused where many tensors are views of the same numbers', async () => {
    const whole = tensor('K\xc8K\x14\x86', 'K\x14K\x01\x86');
    const views = (count: number) => {
      const all = Array.from({ length: count }, (_, i) => `${name(`w${i}`)}${whole}`);
      return archive(p(`}(${all.join('')}u`), { 0: new Uint8Array(16_000) });
    };
    expect(await read(views(2))).toHaveLength(2);
    await expect(read(views(9))).rejects.toThrow(/views of the same numbers more than 4 times/);
  });

  it('is refused wherever it ends', async () => {
    writeFileSync(file, bytes);
    for (let length = bytes.length - 1; length > 0; length -= 61) {
      truncateSync(file, length);
      await expect(readTorchFile(file, new Turns()), `${length}`).rejects.toMatchObject({ code: 'INVALID_FILE' });
    }
    for (let length = 0; length < pickle.length; length++)
      expect(() => readPickle(pickle.subarray(0, length), 'x'), `${length}`).toThrow(ModelFileError);
  });

  it('gives numbers or a typed error whatever its pickle is', async () => {
    const piece = fc.oneof(
      fc.nat(255).map((byte) => Buffer.of(byte)),
      fc.tuple(fc.nat(pickle.length), fc.nat(40)).map(([from, count]) => pickle.subarray(from, from + count)),
      fc.constantFrom(
        ...['(', 't', '}', ']', 'u', 's', 'R', 'Q', 'q\0', 'h\0', '\x86', '.'].map((code) =>
          Buffer.from(code, 'latin1'),
        ),
      ),
    );
    const rounds = Number(process.env.RECURRA_ROUNDS ?? 1);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(pickle.length),
        fc.array(piece, { maxLength: 12 }),
        fc.nat(40),
        async (from, pieces, skip) => {
          const changed = Buffer.concat([pickle.subarray(0, from), ...pieces, pickle.subarray(from + skip)]);
          try {
            readPickle(changed, 'x');
          } catch (error) {
            expect(error).toBeInstanceOf(ModelFileError);
          }
        },
      ),
      { numRuns: 2_000 * rounds },
    );
  });

  it('gives numbers or a typed error whatever its bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const changed = Buffer.from(bytes);
          for (const [at, value] of changes) changed[at] = value;
          try {
            await read(changed);
          } catch (error) {
            expect(error).toBeInstanceOf(ModelFileError);
          }
        },
      ),
      { numRuns: 200 * Number(process.env.RECURRA_ROUNDS ?? 1) },
    );
  });
});
