import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { load, loadFile, type Tensor } from '../../../src/torch/index.js';
import { temporaryFolder } from '../../support/folder.js';

const path = join(temporaryFolder(), 'file.pt');
/** Writes an archive as torch.save does, with a pickle of protocol 2. */
function write(pickle: string, storages: Record<string, Uint8Array> = {}): void {
  const all = Object.entries(storages).map(([key, value]) => [`a/data/${key}`, value] as const);
  const data = Buffer.from(`\x80\x02${pickle}.`, 'latin1');
  writeFileSync(path, zipSync({ 'a/data.pkl': data, ...Object.fromEntries(all) }, { level: 0 }));
}
const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`;
const global = (module: string, name: string) => `c${module}\n${name}\n`;
const tensor = (type: string, count: number) =>
  `${global('torch._utils', '_rebuild_tensor_v2')}((${text('storage')}${global('torch', type)}${text('0')}${text('cpu')}K${String.fromCharCode(count)}tQK\0K${String.fromCharCode(count)}\x85K\x01\x85\x89${global('collections', 'OrderedDict')})RtR`;
const bytes = (array: ArrayLike<number> & ArrayBufferView) => new Uint8Array(array.buffer, 0, array.byteLength);

describe('load of a file of torch.save', () => {
  it.each<[string, Uint8Array, string, (number | boolean)[]]>([
    ['FloatStorage', bytes(Float32Array.of(1.5, -2)), 'float32', [1.5, -2]],
    ['DoubleStorage', bytes(Float64Array.of(0.1)), 'float64', [0.1]],
    ['HalfStorage', bytes(Uint16Array.of(0x3c00, 0xc000, 1)), 'float32', [1, -2, 2 ** -24]],
    ['BFloat16Storage', bytes(Uint16Array.of(0x3f80, 0xc000)), 'bfloat16', [1, -2]],
    ['LongStorage', new Uint8Array(BigInt64Array.of(-3n).buffer), 'int64', [-3]],
    ['IntStorage', bytes(Int32Array.of(7, -7)), 'int32', [7, -7]],
    ['BoolStorage', Uint8Array.of(1, 0), 'bool', [true, false]],
    ['ShortStorage', bytes(Int16Array.of(300, -300)), 'int32', [300, -300]],
    ['ByteStorage', Uint8Array.of(0, 255), 'int32', [0, 255]],
    ['CharStorage', Uint8Array.of(127, 128), 'int32', [127, -128]],
  ])('gives the numbers of %s', async (type, storage, dtype, expected) => {
    write(`}(${text('w')}${tensor(type, expected.length)}u`, { 0: storage });
    const { w } = await load<{ w: Tensor }>(path);
    expect([w.dtype, w.toArray()]).toEqual([dtype, expected]);
  });

  it('gives lists, tuples, None and dictionaries with any names', async () => {
    const more = `${text('n')}N${text('t')}K\x03K\x04\x86${text('x')}\x88`;
    write(`}(${text('__proto__')}K\x01K\x05]K\x02a${more}u`);
    expect(Object.entries(await load<object>(path))).toEqual([
      ['5', [2]],
      ['__proto__', 1],
      ['n', null],
      ['t', [3, 4]],
      ['x', true],
    ]);
  });

  it('keeps what is saved once and used twice', async () => {
    write(`}(${text('a')}}q\0${text('b')}h\0u`);
    const { a, b } = await load<{ a: object; b: object }>(path);
    expect(a).toBe(b);
    write(`]q\0${'h\0a'}`);
    const itself = await load<unknown[]>(path);
    expect(itself[0]).toBe(itself);
    expect((await loadFile(path)).tensors).toEqual(Object.create(null));
  });

  it('is done without end neither by nesting nor by repetition', async () => {
    write(']'.repeat(300) + 'a'.repeat(299));
    await expect(load(path)).rejects.toThrow(/nested more than 100 deep/);
    const doubled = Array.from(
      { length: 90 },
      (_, i) => `]q${String.fromCharCode(i + 1)}(h${String.fromCharCode(i)}h${String.fromCharCode(i)}e`,
    );
    write(`]q\0${doubled.join('')}`);
    expect(await load(path)).toHaveLength(2);
    expect(Object.keys((await loadFile(path)).tensors)).toEqual([]);
  });

  it.each<[string, string, Record<string, Uint8Array>, RegExp]>([
    [
      'a function',
      `${global('os', 'system')}(${text('ls')}tR`,
      {},
      /contains an object of os\.system; expected only tensors and plain values/,
    ],
    ['a class', global('torch', 'FloatStorage'), {}, /its value is a class of Python/],
    [
      'complex numbers',
      `}(${text('w')}${tensor('ComplexFloatStorage', 1)}u`,
      { 0: new Uint8Array(8) },
      /w are of torch\.ComplexFloatStorage, which tensors here do not have/,
    ],
    ['a key that is a list', '}(]K\x01u', {}, /a key of its dictionary is neither a text nor a number/],
    [
      'missing numbers',
      `}(${text('w')}${tensor('FloatStorage', 2)}u`,
      { 0: new Uint8Array(4) },
      /w has the shape \[2\], but its storage 1 numbers/,
    ],
    ['a missing storage', `}(${text('w')}${tensor('FloatStorage', 2)}u`, {}, /no "a\/data\/0"/],
  ])('refuses %s', async (_, pickle, storages, message) => {
    write(pickle, storages);
    for (const read of [load, loadFile])
      await expect(read(path)).rejects.toMatchObject({
        name: 'ModelFileError',
        code: 'INVALID_FILE',
        message: expect.stringMatching(message),
      });
  });

  it('refuses another archive', async () => {
    writeFileSync(path, zipSync({ 'x.txt': Buffer.from('x') }));
    await expect(load(path)).rejects.toThrow(/ZIP archive that torch\.save did not write/);
  });
});
