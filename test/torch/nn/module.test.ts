import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadFile, nn, ones, optim, type Tensor, tensor, tidy, zeros } from '../../../src/torch/index.js';
import { codeOf } from '../../support/close.js';

class Net extends nn.Module {
  scale = new nn.Parameter(ones([2]));
  layers = new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2, { bias: false })]);
  head = new nn.Sequential(new nn.Dropout(0.5), new nn.Linear(2, 3));
  notAParameter = zeros([1]);
  constructor() {
    super();
    this.registerBuffer('mean', zeros([2]));
  }
  forward(x: Tensor): Tensor {
    for (const layer of this.layers) x = layer.forward(x);
    return this.head.forward(x.mul(this.scale));
  }
}

describe('Module', () => {
  it('finds parameters, buffers and layers by the properties they are assigned to', () => {
    const net = new Net();
    const names = ['scale', 'layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'head.1.weight', 'head.1.bias'];
    expect(net.namedParameters().map(([name]) => name)).toEqual(names);
    expect(net.namedBuffers().map(([name]) => name)).toEqual(['mean']);
    expect(Object.keys(net.stateDict()).sort()).toEqual([...names, 'mean'].sort());
    expect(net.namedModules().map(([name]) => name)).toEqual([
      '',
      'layers',
      'layers.0',
      'layers.1',
      'head',
      'head.0',
      'head.1',
    ]);
    expect(net.getParameter('layers.1.weight')).toBe(net.layers.at(-1).weight);
    expect(() => net.getParameter('layer')).toThrow(/layers\.0\.weight/);
    expect(String(net)).toContain('(0): Dropout(p=0.5)');
  });

  it('counts a shared parameter once, but saves it under each name', () => {
    class Tied extends nn.Module {
      a = new nn.Linear(2, 2, { bias: false });
      b = new nn.Linear(2, 2, { bias: false });
      constructor() {
        super();
        this.b.weight = this.a.weight;
      }
      forward(): void {}
    }
    const tied = new Tied();
    expect(tied.parameters().length).toBe(1);
    expect(Object.keys(tied.stateDict())).toEqual(['a.weight', 'b.weight']);
    tied.to({ dtype: 'float64' });
    expect(tied.b.weight.dtype).toBe('float64');
  });

  it('calls forward, and trains and evaluates everything within', () => {
    const net = new Net();
    expect(net.call(ones([4, 2])).shape).toEqual([4, 3]);
    expect(
      net
        .eval()
        .head.children()
        .map((child) => child.training),
    ).toEqual([false, false]);
    expect(
      net
        .train()
        .modules()
        .every((module) => module.training),
    ).toBe(true);
    expect(codeOf(() => new nn.ModuleList().forward())).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new nn.Sequential(1 as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => net.layers.at(2))).toBe('OUT_OF_RANGE');
  });

  it('takes a state dict of another of its kind', () => {
    const [a, b] = [new Net(), new Net()];
    b.loadStateDict(a.stateDict());
    const x = ones([1, 2]);
    expect(b.eval().forward(x).toArray()).toEqual(a.eval().forward(x).toArray());
    expect(b.scale.requiresGrad).toBe(true);
  });

  it.each(['float16', 'float64', 'bfloat16'])('takes weights in %s as PyTorch does', async (dtype) => {
    const golden = (name: string) =>
      fileURLToPath(new URL(`../../fixtures/golden/precision_${name}.safetensors`, import.meta.url));
    const layer = new nn.Linear(4, 3);
    layer.loadStateDict((await loadFile(golden(dtype))).tensors);
    const { tensors: loaded } = await loadFile(golden('loaded'));
    for (const [name, value] of Object.entries(layer.stateDict())) {
      expect([value.dtype, value.toArray()]).toEqual(['float32', loaded[`${dtype}.${name}`]!.toArray()]);
    }
  });

  it('lists everything that does not fit in one error, and changes nothing', () => {
    const net = new Net();
    const before = net.head.stateDict()['1.weight']!.mul(1).toArray();
    const state = Object.fromEntries(Object.entries(new Net().stateDict()).filter(([name]) => name !== 'scale'));
    state['head.1.bias'] = zeros([4]);
    state.extra = zeros([1]);
    state.mean = 3 as never;
    let message = '';
    try {
      net.loadStateDict(state);
    } catch (error) {
      message = (error as Error).message;
      expect((error as { code: string }).code).toBe('STATE_MISMATCH');
    }
    for (const part of [
      'Missing key(s) in stateDict: "scale".',
      'size mismatch for head.1.bias: copying a param with shape [4] from checkpoint, the shape in current model is [3].',
      'Unexpected key(s) in stateDict: "extra".',
      'expected a Tensor for mean but received number 3',
      'Nothing was changed.',
    ]) {
      expect(message).toContain(part);
    }
    expect(net.head.stateDict()['1.weight']!.toArray()).toEqual(before);
  });

  it('moves to another dtype in place, gradients included', () => {
    const net = new Net();
    net
      .forward(ones([1, 2]))
      .sum()
      .backward();
    const { scale } = net;
    net.to({ dtype: 'float64' });
    expect(net.scale).toBe(scale);
    expect([scale.dtype, scale.grad!.dtype, scale.requiresGrad, scale.isLeaf]).toEqual([
      'float64',
      'float64',
      true,
      true,
    ]);
    expect(net.namedBuffers()[0]![1].dtype).toBe('float64');
    net
      .forward(ones([1, 2], { dtype: 'float64' }))
      .sum()
      .backward();
    expect(codeOf(() => net.to({ dtype: 'int64' }))).toBe('INVALID_DTYPE');
    net.zeroGrad();
    expect(net.parameters().every((parameter) => parameter.grad === null)).toBe(true);
  });

  it('is kept whole by tidy, and disposed whole by dispose', () => {
    const net = tidy(() => new Net());
    expect(Object.values(net.stateDict()).length).toBe(7);
    net.dispose();
    expect(codeOf(() => net.forward(ones([1, 2])))).toBe('DISPOSED');
  });

  it('refuses a module within itself', () => {
    const net = new Net() as Net & { self?: nn.Module };
    net.self = net;
    expect(codeOf(() => net.parameters())).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new nn.Parameter(tensor([1])))).toBe('INVALID_DTYPE');
    expect(new nn.Parameter(tensor([1]), { requiresGrad: false }).dtype).toBe('int64');
  });
});

describe('the padding row of an embedding', () => {
  it.each([
    ['Adam', (params: nn.Parameter[]) => new optim.Adam(params, { lr: 0.1, weightDecay: 0.1 })],
    ['AdamW', (params: nn.Parameter[]) => new optim.AdamW(params, { lr: 0.1 })],
    ['SGD', (params: nn.Parameter[]) => new optim.SGD(params, { lr: 0.1, momentum: 0.9, weightDecay: 0.1 })],
  ])('stays exactly zero under %s', (_, make) => {
    const embedding = new nn.Embedding(5, 4, { paddingIdx: -4 });
    expect(embedding.paddingIdx).toBe(1);
    const optimizer = make(embedding.parameters());
    for (let i = 0; i < 10; i++) {
      optimizer.zeroGrad();
      embedding
        .forward(
          tensor([
            [0, 1, 1],
            [2, 3, 1],
          ]),
        )
        .add(0.3)
        .square()
        .sum()
        .backward();
      optimizer.step();
    }
    expect(embedding.weight.at(1).toArray()).toEqual([0, 0, 0, 0]);
    expect(embedding.weight.at(0).toArray()).not.toEqual([0, 0, 0, 0]);
    expect(codeOf(() => new nn.Embedding(5, 4, { paddingIdx: 5 }))).toBe('OUT_OF_RANGE');
  });
});
