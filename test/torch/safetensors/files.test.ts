import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModelFileError, Vocab } from '../../../src/index.js';
import { load, loadFile, nn, save, saveFile, type Tensor, tensor, zeros } from '../../../src/torch/index.js';
import { temporaryFolder } from '../../support/folder.js';

const folder = temporaryFolder();
const path = join(folder, 'tensors.safetensors');

describe('saveFile and loadFile', () => {
  it('give every dtype and shape back', async () => {
    const tensors = {
      floats: tensor([
        [1.5, -2],
        [3, 4],
      ]),
      doubles: tensor([Math.PI], { dtype: 'float64' }),
      longs: tensor([[1], [-(2 ** 40)]]),
      ints: tensor(Int32Array.of(7)),
      flags: tensor([true, false, true]),
      scalar: tensor(5),
      empty: zeros([0, 3]),
    };
    await saveFile(tensors, path, { metadata: { note: 'ünïcode' } });
    const loaded = await loadFile(path);
    expect(loaded.metadata).toMatchObject({ note: 'ünïcode' });
    expect(Object.keys(loaded.tensors).sort()).toEqual(Object.keys(tensors).sort());
    for (const [name, value] of Object.entries(tensors)) {
      const again = loaded.tensors[name]!;
      expect([again.dtype, again.shape, again.toArray()]).toEqual([value.dtype, value.shape, value.toArray()]);
    }
  });

  it('carry a state dict from one module to another', async () => {
    const [one, other] = [new nn.LSTM(3, 2), new nn.LSTM(3, 2)];
    await saveFile(one.stateDict(), path);
    other.loadStateDict((await loadFile(path)).tensors);
    const x = tensor([[[1, 2, 3]]], { dtype: 'float32' });
    expect(other.forward(x)[0].toArray()).toEqual(one.forward(x)[0].toArray());
  });

  it('refuse what is no file of tensors', async () => {
    await expect(loadFile(join(folder, 'none'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: /none: no such file$/,
    });
    await expect(loadFile(folder)).rejects.toMatchObject({ message: /it is not a file|folder/ });
    const text = join(folder, 'text');
    writeFileSync(text, 'hello, this is no such file');
    await expect(loadFile(text)).rejects.toBeInstanceOf(ModelFileError);
    writeFileSync(text, Buffer.from([0x80, 0x02, 0x8a, 0x0a]));
    await expect(loadFile(text)).rejects.toThrow(
      /expected a safetensors file; this is a file written by torch\.save or pickle/,
    );
    await expect(saveFile({ a: 1 } as never, path)).rejects.toThrow(
      'Expected a Tensor (save() writes nested values) for tensors["a"] but received number 1',
    );
  });

  it.each(['net.pt', 'net.pth', 'net.ckpt', 'net.PKL'])('do not write %s, a name of torch.save', async (name) => {
    const [state, file] = [new nn.Linear(2, 2).stateDict(), join(folder, name)];
    for (const write of [saveFile, save]) {
      await expect(write(state, file)).rejects.toThrow(/name that ends in \.safetensors \(files named .* torch\.load/);
    }
    expect(existsSync(file)).toBe(false);
  });
});

describe('save and load', () => {
  it('give nested values back, with tensors under their paths for Python', async () => {
    const value = {
      epoch: 3,
      best: Number.POSITIVE_INFINITY,
      loss: Number.NaN,
      done: false,
      name: 'ünïcode',
      nothing: null,
      list: [1, tensor([1.5]), { deep: tensor(7) }],
      net: new nn.Linear(2, 1).stateDict(),
      vocab: Vocab.fromTokens(['a', 'b']),
      left: undefined,
    };
    await save(value, path);
    const loaded = await load<typeof value>(path);
    const { net, list, vocab, left: _, ...plain } = value;
    expect(loaded).toMatchObject(plain);
    expect(Object.keys(loaded)).toEqual(Object.keys(value).filter((name) => name !== 'left'));
    expect(Vocab.fromJSON(loaded.vocab as never).get('b')).toBe(vocab.get('b'));
    expect((loaded.list[1] as Tensor).toArray()).toEqual([1.5]);
    expect((loaded.list[2] as { deep: Tensor }).deep.dtype).toBe('int64');
    for (const name of ['weight', 'bias']) expect(loaded.net[name]!.toArray()).toEqual(net[name]!.toArray());
    const names = ['list.1', 'list.2.deep', 'net.bias', 'net.weight'];
    expect(Object.keys((await loadFile(path)).tensors).sort()).toEqual(names);
    expect(list).toHaveLength(3);
  });

  it('write a state dict, or one tensor, as other programs do', async () => {
    const net = new nn.Linear(2, 1);
    await save(net.stateDict(), path);
    expect((await loadFile(path)).metadata).toEqual({ format: 'pt', sha256: expect.any(String) });
    const other = new nn.Linear(2, 1);
    other.loadStateDict(await load(path));
    expect(other.weight.toArray()).toEqual(net.weight.toArray());
    await save(tensor([1, 2]), path);
    expect((await load<Tensor>(path)).toArray()).toEqual([1, 2]);
    expect(Object.keys((await loadFile(path)).tensors)).toEqual(['tensor']);
  });

  it.each([
    [
      'a module',
      () => ({ net: new nn.Linear(2, 2) }),
      /net of the value of save, a Linear, as a whole; save what its stateDict\(\)/,
    ],
    ['a module alone', () => new nn.Linear(2, 2), /cannot save this, a Linear, as a whole/],
    ['a map', () => ({ a: [new Map()] }), /for a\.0 of the value of save but received Map/],
    ['a function', () => ({ a: () => 1 }), /for a of the value of save but received function a/],
    ['a typed array', () => new Float32Array(2), /make a tensor of the array.*received Float32Array of 2/],
    ['a bigint', () => [1n], /for 0 of the value of save but received bigint 1/],
    ['two tensors of one name', () => ({ 'a.b': tensor(1), a: { b: tensor(2) } }), /would be named "a\.b"/],
    ['a name that the file needs', () => ({ $tensor: 'x' }), /\$tensor/],
    ['nothing', () => undefined, /for value of save but received undefined/],
    [
      'itself',
      () => {
        const a: Record<string, unknown> = {};
        a.a = a;
        return a;
      },
      /nested more than 100 deep/,
    ],
  ])('refuse %s', async (_, value, message) => {
    await expect(save(value(), join(folder, 'refused'))).rejects.toThrow(message);
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });

  it('refuse a file whose parts do not fit', async () => {
    await saveFile({ a: tensor(1) }, path, { metadata: { 'recurra.structure': '{"x":{"$tensor":"b"}}' } });
    await expect(load(path)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: /the tensor string "b" is missing/,
    });
    await saveFile({ a: tensor(1) }, path, { metadata: { 'recurra.structure': '{' } });
    await expect(load(path)).rejects.toMatchObject({ code: 'INVALID_FILE', message: /is not JSON/ });
  });

  it('are what to use in place of JSON, which would lose the elements', () => {
    expect(() => JSON.stringify(new nn.Linear(2, 2).stateDict())).toThrow(/save\(value, path\)/);
  });
});
