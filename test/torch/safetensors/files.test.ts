import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModelFileError } from '../../../src/index.js';
import { loadFile, nn, saveFile, tensor, zeros } from '../../../src/torch/index.js';
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
    await expect(loadFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'IO' });
    const text = join(folder, 'text');
    writeFileSync(text, 'hello, this is no such file');
    await expect(loadFile(text)).rejects.toBeInstanceOf(ModelFileError);
    writeFileSync(text, Buffer.from([0x80, 0x02, 0x8a, 0x0a]));
    await expect(loadFile(text)).rejects.toThrow(
      /expected a safetensors file; this is a file written by torch\.save or pickle/,
    );
    await expect(saveFile({ a: 1 } as never, path)).rejects.toThrow(
      'Expected a Tensor for tensors["a"] but received number 1',
    );
  });
});
