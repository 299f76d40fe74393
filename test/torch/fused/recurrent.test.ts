import { afterEach, describe, expect, it } from 'vitest';
import { torch } from '../../../src/native/torch.js';
import { manualSeed, nn, noGrad, randn, type Tensor } from '../../../src/torch/index.js';
import { difference, withKernels } from './support.js';

type Layer = nn.RNN | nn.LSTM | nn.GRU;

interface Case {
  name: string;
  make: () => Layer;
  inputs: number;
}

const both = [false, true];
const cases: Case[] = [
  { name: 'RNN', inputs: 3, make: () => new nn.RNN(3, 5) },
  { name: 'RNN relu, two layers', inputs: 3, make: () => new nn.RNN(3, 5, { nonlinearity: 'relu', numLayers: 2 }) },
  { name: 'LSTM', inputs: 7, make: () => new nn.LSTM(7, 20) },
  { name: 'LSTM without bias', inputs: 7, make: () => new nn.LSTM(7, 6, { bias: false }) },
  {
    name: 'LSTM, three layers, both directions',
    inputs: 4,
    make: () => new nn.LSTM(4, 9, { numLayers: 3, bidirectional: true }),
  },
  {
    name: 'LSTM with projection, both directions',
    inputs: 4,
    make: () => new nn.LSTM(4, 18, { projSize: 5, bidirectional: true, numLayers: 2 }),
  },
  { name: 'GRU', inputs: 64, make: () => new nn.GRU(64, 32) },
  { name: 'GRU, both directions', inputs: 6, make: () => new nn.GRU(6, 17, { bidirectional: true, numLayers: 2 }) },
];
const lengths = [9, 9, 6, 4, 1];

/** Values, final states and all gradients of a layer, computed with the kernels or without. */
function everything(layer: Layer, x: Tensor, h: Tensor[] | undefined, packed: boolean): Tensor[] {
  x.grad = null;
  layer.zeroGrad();
  for (const state of h ?? []) state.grad = null;
  const initial = h && (layer instanceof nn.LSTM ? h : h[0]);
  const input = packed ? nn.utils.rnn.packPaddedSequence(x, lengths, { batchFirst: layer.batchFirst }) : x;
  const forward = layer.forward.bind(layer) as (input: unknown, hx: unknown) => [unknown, Tensor | Tensor[]];
  const [result, final] = forward(input, initial);
  const output = (packed ? (result as nn.utils.rnn.PackedSequence).data : result) as Tensor;
  const finals = Array.isArray(final) ? final : [final];
  const loss = [output, ...finals].map((part) => part.mul(part.add(0.3)).sum()).reduce((a, b) => a.add(b));
  loss.backward();
  const grads = [x, ...(h ?? []), ...layer.parameters()].map((tensor) => tensor.grad!);
  return [output, ...finals, ...grads];
}

describe.each(cases)('$name', ({ make, inputs }) => {
  for (const batchFirst of both)
    for (const packed of both)
      for (const started of both) {
        const name = `${packed ? 'packed' : 'padded'}${batchFirst ? ', batch first' : ''}${started ? ', with states' : ''}`;
        it(`gives the values and gradients of libtorch's operators: ${name}`, () => {
          manualSeed(11);
          const layer = make();
          Object.assign(layer, { batchFirst });
          const [batch, steps] = [lengths.length, lengths[0]!];
          const x = randn(batchFirst ? [batch, steps, inputs] : [steps, batch, inputs]).requiresGrad_();
          const rows = layer.numLayers * (layer.bidirectional ? 2 : 1);
          const state = (size: number) => randn([rows, batch, size]).requiresGrad_();
          const h = started
            ? [
                state(layer.projSize || layer.hiddenSize),
                ...(layer instanceof nn.LSTM ? [state(layer.hiddenSize)] : []),
              ]
            : undefined;
          const ours = everything(layer, x, h, packed);
          const theirs = withKernels(false, () => everything(layer, x, h, packed));
          expect(ours.map((tensor) => tensor.shape)).toEqual(theirs.map((tensor) => tensor.shape));
          expect(ours.map((tensor, i) => difference(tensor, theirs[i]!)).every((d) => d <= 1e-5)).toBe(true);
        });
      }
});

describe('the graph of a fused layer', () => {
  const layer = () => new nn.LSTM(4, 8, { batchFirst: true });

  it('can be run backward once, or more often with retainGraph', () => {
    const lstm = layer();
    const [output] = lstm.forward(randn([2, 5, 4]));
    const loss = output.sum();
    loss.backward({ retainGraph: true });
    const first = lstm.weight_ih_l0!.grad!.clone();
    loss.backward();
    expect(difference(lstm.weight_ih_l0!.grad!, first.mul(2))).toBeLessThan(1e-6);
    expect(() => loss.backward()).toThrow(/called twice through one graph/);
  });

  it('notices that a weight was changed before the backward pass', () => {
    const lstm = layer();
    const [output] = lstm.forward(randn([2, 5, 4]));
    noGrad(() => lstm.weight_hh_l0!.mul_(2));
    expect(() => output.sum().backward()).toThrow(/a method with an underscore has changed it since/);
  });

  it('gives gradients only where they are asked for', () => {
    const lstm = layer();
    lstm.weight_ih_l0!.requiresGrad_(false);
    const [output] = lstm.forward(randn([2, 5, 4]));
    output.sum().backward();
    expect(lstm.weight_ih_l0!.grad).toBeNull();
    expect(lstm.weight_hh_l0!.grad).not.toBeNull();
  });

  it('does not exist under noGrad, with the same values', () => {
    const lstm = layer();
    const x = randn([2, 5, 4]);
    const [recorded] = lstm.forward(x);
    const [silent] = noGrad(() => lstm.forward(x));
    expect(silent.requiresGrad).toBe(false);
    expect(difference(silent, recorded)).toBe(0);
  });

  it('flows through final states alone, and through outputs alone', () => {
    for (const pick of [0, 1, 2]) {
      manualSeed(2);
      const lstm = layer();
      const x = randn([3, 5, 4]);
      const run = () => {
        lstm.zeroGrad();
        const [output, [h, c]] = lstm.forward(x);
        [output, h, c][pick]!.square().sum().backward();
        return lstm.parameters().map((p) => p.grad!);
      };
      const ours = run();
      const theirs = withKernels(false, run);
      for (const [i, grad] of ours.entries()) expect(difference(grad, theirs[i]!)).toBeLessThan(1e-5);
    }
  });
});

describe('dropout between layers', () => {
  const stack = () => new nn.GRU(4, 16, { numLayers: 3, dropout: 0.5, batchFirst: true });

  it('follows manualSeed, and differs from call to call', () => {
    manualSeed(1);
    const gru = stack();
    const x = randn([4, 6, 4]);
    manualSeed(5);
    const first = gru.forward(x)[0];
    const second = gru.forward(x)[0];
    manualSeed(5);
    expect(difference(gru.forward(x)[0], first)).toBe(0);
    expect(difference(second, first)).toBeGreaterThan(1e-3);
  });

  it('is off in evaluation', () => {
    manualSeed(1);
    const gru = stack().eval();
    const x = randn([4, 6, 4]);
    const ours = gru.forward(x)[0];
    expect(difference(ours, gru.forward(x)[0])).toBe(0);
    expect(
      difference(
        ours,
        withKernels(false, () => gru.forward(x)[0]),
      ),
    ).toBeLessThan(1e-5);
  });

  it('has the gradient of the mask that was drawn', () => {
    manualSeed(3);
    const gru = stack();
    const x = randn([2, 3, 4]).requiresGrad_();
    const loss = (input: Tensor) => {
      manualSeed(9);
      return gru.forward(input)[0].sum();
    };
    loss(x).backward();
    const step = randn([2, 3, 4]);
    const along = x.grad!.mul(step).sum().item();
    const [up, down] = noGrad(() => [loss(x.add(step.mul(1e-2))), loss(x.sub(step.mul(1e-2)))]) as [Tensor, Tensor];
    expect((up.item() - down.item()) / 2e-2).toBeCloseTo(along, 2);
  });
});

describe('threads', () => {
  const before = torch().getNumThreads();
  afterEach(() => torch().setNumThreads(before));

  it('do not change the numbers', () => {
    manualSeed(4);
    const lstm = new nn.LSTM(64, 64, { batchFirst: true, bidirectional: true });
    const x = randn([16, 40, 64]);
    const run = (threads: number) => {
      torch().setNumThreads(threads);
      lstm.zeroGrad();
      const [output] = lstm.forward(x);
      output.square().sum().backward();
      return [output, ...lstm.parameters().map((p) => p.grad!)];
    };
    const one = run(1);
    for (const threads of [2, 3, 2])
      for (const [i, tensor] of run(threads).entries()) expect(difference(tensor, one[i]!)).toBeLessThan(1e-4);
  });
});
