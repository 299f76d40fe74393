import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { torch } from '../../../src/native/torch.js';
import {
  amp,
  enableGrad,
  loadFile,
  manualSeed,
  nn,
  noGrad,
  optim,
  randn,
  saveFile,
  tensor,
  trainEpoch,
} from '../../../src/torch/index.js';
import { codeOf } from '../../support/close.js';
import { temporaryFolder } from '../../support/folder.js';

const folder = temporaryFolder();
const onCpu = { deviceType: 'cpu' } as const;

/** The dtype that a linear layer gives now. */
function given(): string {
  return new nn.Linear(2, 2).forward(randn([1, 2])).dtype;
}

describe('a scope of autocast', () => {
  it('returns what its function returns, and says whether it is on', () => {
    expect(amp.isAutocastEnabled('cpu')).toBe(false);
    expect(amp.autocast(onCpu, () => [amp.isAutocastEnabled('cpu'), amp.isAutocastEnabled('cuda'), given()])).toEqual([
      true,
      false,
      'bfloat16',
    ]);
    expect(amp.isAutocastEnabled('cpu')).toBe(false);
    expect(given()).toBe('float32');
  });

  it('may hold scopes that switch it off and on again', () => {
    const seen = amp.autocast(onCpu, () => [
      given(),
      ...amp.autocast({ deviceType: 'cpu', enabled: false }, () => [
        given(),
        amp.autocast({ ...onCpu, dtype: 'bfloat16', cacheEnabled: false }, given),
        given(),
      ]),
      given(),
    ]);
    expect(seen).toEqual(['bfloat16', 'float32', 'bfloat16', 'float32', 'bfloat16']);
    expect(given()).toBe('float32');
  });

  it('is left when its function throws, as it was entered', () => {
    const fail = () => {
      throw new RangeError('mine');
    };
    amp.autocast(onCpu, () => {
      expect(() => amp.autocast({ deviceType: 'cpu', enabled: false }, fail)).toThrow('mine');
      expect(given()).toBe('bfloat16');
    });
    expect(() => amp.autocast(onCpu, fail)).toThrow(RangeError);
    expect(given()).toBe('float32');
  });

  it('refuses an async function, and is left all the same', async () => {
    let after = '';
    const work = async () => {
      await null;
      after = given();
      throw new Error('seen by nobody');
    };
    expect(codeOf(() => amp.autocast(onCpu, work))).toBe('INVALID_ARGUMENT');
    expect(() => amp.autocast(onCpu, async () => 1)).toThrow(/^autocast got a function that returns a promise; /);
    expect(given()).toBe('float32');
    await new Promise(setImmediate);
    expect(after).toBe('float32');
  });

  it.each([
    ['INVALID_DEVICE', { deviceType: 'gpu' }],
    ['INVALID_DTYPE', { ...onCpu, dtype: 'float16' }],
    ['INVALID_ARGUMENT', { ...onCpu, enabled: 1 }],
    ['INVALID_ARGUMENT', { ...onCpu, cacheEnabled: 'yes' }],
    ['INVALID_ARGUMENT', { ...onCpu, cache: true }],
    ['INVALID_ARGUMENT', undefined],
  ])('refuses with %s %o', (code, options) => {
    expect(codeOf(() => amp.autocast(options as never, () => 1))).toBe(code);
    expect(given()).toBe('float32');
  });

  it('refuses what is no function', () => {
    expect(codeOf(() => amp.autocast(onCpu, 1 as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => amp.isAutocastEnabled('gpu' as never))).toBe('INVALID_DEVICE');
  });
});

describe('under autocast', () => {
  it('layers take bfloat16 beside their float32 weights, and only there', () => {
    const [first, second, rnn, lstm] = [new nn.Linear(4, 3), new nn.Linear(3, 2), new nn.RNN(3, 2), new nn.LSTM(2, 2)];
    const x = randn([5, 1, 4]);
    const y = amp.autocast(onCpu, () => {
      const y = first.forward(x);
      expect(second.forward(y).dtype).toBe('bfloat16');
      const [output, h] = rnn.forward(y);
      expect([output.dtype, h.dtype]).toEqual(['bfloat16', 'bfloat16']);
      expect(lstm.forward(output)[0].shape).toEqual([5, 1, 2]);
      expect(new nn.GRUCell(3, 2).forward(y.at(0)).shape).toEqual([1, 2]);
      return y;
    });
    expect(codeOf(() => second.forward(y))).toBe('INVALID_DTYPE');
    expect(codeOf(() => rnn.forward(y))).toBe('INVALID_DTYPE');
    expect(codeOf(() => amp.autocast(onCpu, () => second.forward(randn([1, 3], { dtype: 'float64' }))))).toBe(
      'INVALID_DTYPE',
    );
  });

  it('float64 is left alone, as in PyTorch', () => {
    const layer = new nn.Linear(2, 2, { dtype: 'float64' });
    expect(amp.autocast(onCpu, () => layer.forward(randn([1, 2], { dtype: 'float64' }))).dtype).toBe('float64');
  });

  it('losses are float32, with class weights and probabilities too', () => {
    const logits = amp.autocast(onCpu, () => new nn.Linear(2, 3).forward(randn([4, 2])));
    const { crossEntropy } = nn.functional;
    const weight = tensor([1, 2, 0.5]);
    amp.autocast(onCpu, () => {
      expect(crossEntropy(logits, tensor([0, 1, 2, 0])).dtype).toBe('float32');
      expect(crossEntropy(logits, tensor([0, 1, 2, 0]), { weight }).dtype).toBe('float32');
      const even = tensor(new Float32Array(12).fill(1 / 3), { shape: [4, 3] });
      expect(crossEntropy(logits, even).dtype).toBe('float32');
    });
    expect(crossEntropy(logits, tensor([0, 1, 2, 0])).dtype).toBe('bfloat16');
    expect(codeOf(() => crossEntropy(logits, tensor([0, 1, 2, 0]), { weight }))).toBe('INVALID_DTYPE');
  });

  it('a weight that was used without gradients first has them afterwards', () => {
    const layer = new nn.Linear(2, 1);
    const x = randn([3, 2]);
    const loss = amp.autocast(onCpu, () => {
      noGrad(() => layer.forward(x));
      const inside = noGrad(() => enableGrad(() => layer.forward(x)));
      expect(inside.requiresGrad).toBe(true);
      return layer.forward(x).sum();
    });
    loss.backward();
    expect(layer.weight.grad?.dtype).toBe('float32');
  });

  it('the optimizer moves weights between scopes, and the next scope sees that', () => {
    const layer = new nn.Linear(2, 1, { bias: false });
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.5 });
    const x = tensor([[1, 2]], { dtype: 'float32' });
    const forward = () => amp.autocast(onCpu, () => layer.forward(x).sum());
    const before = forward();
    before.backward();
    optimizer.step();
    // The gradient is x, so the output falls by half its square.
    expect(forward().item() - before.item()).toBeCloseTo(-2.5, 1);
  });

  it('a weight that is moved inside a scope is cast anew', () => {
    const layer = new nn.Linear(2, 1, { bias: false });
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.5 });
    const x = tensor([[1, 2]], { dtype: 'float32' });
    const [before, after, zero] = amp.autocast(onCpu, () => {
      const loss = layer.forward(x).sum();
      loss.backward();
      optimizer.step();
      const moved = layer.forward(x).item();
      noGrad(() => layer.weight.zero_());
      return [loss.item(), moved, layer.forward(x).item()] as const;
    });
    expect(after - before).toBeCloseTo(-2.5, 1);
    expect(zero).toBe(0);
  });
});

describe('a tensor of bfloat16', () => {
  const exact = [1, -2.5, 0.15625, 3e38];
  const x = tensor(exact, { dtype: 'bfloat16' });
  const near3e38 = 2 ** 127 * 1.765625;

  it('has its numbers, rounded to 8 bits', () => {
    expect(x.dtype).toBe('bfloat16');
    expect(x.toTypedArray()).toEqual(new Float32Array([1, -2.5, 0.15625, near3e38]));
    expect(tensor([1.005], { dtype: 'bfloat16' }).item()).toBe(1.0078125);
    expect(tensor([[1.5]], { dtype: 'bfloat16' }).toArray()).toEqual([[1.5]]);
    expect(String(tensor([1.5, -2], { dtype: 'bfloat16' }))).toBe('tensor([ 1.5000, -2.0000], dtype=bfloat16)');
  });

  it('converts from and to other dtypes', () => {
    expect(x.to({ dtype: 'float32' }).dtype).toBe('float32');
    expect(tensor([1.005, 2]).to({ dtype: 'bfloat16' }).toArray()).toEqual([1.0078125, 2]);
    expect(tensor([1, 300], { dtype: 'int64' }).to({ dtype: 'bfloat16' }).to({ dtype: 'int64' }).toArray()).toEqual([
      1, 300,
    ]);
    expect(x.add(tensor([1, 1, 1, 1], { dtype: 'float32' })).dtype).toBe('float32');
    expect(x.mul(2).dtype).toBe('bfloat16');
    expect(x.slice({ end: 2 }).mean().item()).toBe(-0.75);
    expect(x.slice({ end: 2 }).softmax(0).dtype).toBe('bfloat16');
  });

  it('has a gradient of its dtype', () => {
    const leaf = tensor([1, 2], { dtype: 'bfloat16', requiresGrad: true });
    leaf.square().sum().backward();
    expect(leaf.grad!.dtype).toBe('bfloat16');
    expect(leaf.grad!.toArray()).toEqual([2, 4]);
    expect(leaf.mul(3).toArray()).toEqual([3, 6]);
  });

  it('goes into a safetensors file and comes out of it', async () => {
    const path = join(folder, 'half.safetensors');
    await saveFile({ x, y: tensor([1, 2]) }, path);
    const { tensors } = await loadFile(path);
    expect(tensors.x!.dtype).toBe('bfloat16');
    expect(tensors.x!.toTypedArray()).toEqual(x.toTypedArray());
    expect(tensors.y!.toArray()).toEqual([1, 2]);
  });

  it('is no weight: that is said where one would be made of it', () => {
    expect(codeOf(() => new nn.Parameter(x))).toBe('INVALID_DTYPE');
    expect(codeOf(() => new nn.Linear(2, 2, { dtype: 'bfloat16' as never }))).toBe('INVALID_DTYPE');
    expect(() => new nn.Linear(2, 2).to({ dtype: 'bfloat16' })).toThrow(/amp\.autocast/);
  });
});

describe('trainEpoch with precision', () => {
  class Net extends nn.Module {
    embedding = new nn.Embedding(30, 8);
    rnn = new nn.GRU(8, 6, { batchFirst: true });
    fc = new nn.Linear(6, 2);
    readonly dtypes = new Set<string>();
    forward(x: ReturnType<typeof tensor>) {
      const logits = this.fc.forward(this.rnn.forward(this.embedding.forward(x))[1].at(-1));
      this.dtypes.add(logits.dtype);
      return logits;
    }
  }
  const batches = Array.from({ length: 40 }, (_, i) => {
    const label = i % 2;
    const word = (k: number) => label * 15 + ((i * 7 + k * 3) % 15);
    return [
      tensor([label, 1 - label]),
      tensor([
        [word(0), word(1)],
        [(word(2) + 15) % 30, (word(3) + 15) % 30],
      ]),
    ] as const;
  });

  it('bfloat16 trains under autocast, steps in float32 outside, and learns', async () => {
    const train = async (precision?: 'bfloat16' | 'float32') => {
      manualSeed(3);
      const net = new Net();
      const inBackward = new Set<boolean>();
      class Watched extends optim.Adam {
        override step() {
          inBackward.add(amp.isAutocastEnabled('cpu'));
          super.step();
        }
      }
      const optimizer = new Watched(net.parameters(), { lr: 0.02 });
      let result = { loss: 0, accuracy: 0 };
      for (let epoch = 0; epoch < 4; epoch++)
        result = await trainEpoch(net, batches, { optimizer, ...(precision ? { precision } : {}) });
      expect([...inBackward]).toEqual([false]);
      return { net, ...result };
    };
    const [mixed, plain] = [await train('bfloat16'), await train()];
    expect([...mixed.net.dtypes]).toEqual(['bfloat16']);
    expect([...plain.net.dtypes]).toEqual(['float32']);
    expect(mixed.accuracy).toBeGreaterThan(0.9);
    expect(mixed.loss).toBeCloseTo(plain.loss, 1);
    expect(mixed.loss).not.toBe(plain.loss);
    expect(mixed.net.rnn.weight_hh_l0!.dtype).toBe('float32');
    expect(torch().isAutocastEnabled(false)).toBe(false);
  });

  it('an error of forward leaves no scope behind, and other names are refused', async () => {
    class Broken extends Net {
      override forward(): never {
        throw new RangeError('broken');
      }
    }
    await expect(trainEpoch(new Broken(), batches, { precision: 'bfloat16' })).rejects.toThrow('broken');
    expect(amp.isAutocastEnabled('cpu')).toBe(false);
    await expect(trainEpoch(new Net(), batches, { precision: 'float16' as never })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
