import { afterEach, describe, expect, it, vi } from 'vitest';
import { nn, randn, type Tensor, tensor, zeros } from '../../../src/torch/index.js';
import { codeOf, expectClose } from '../../support/close.js';

const { packPaddedSequence, PackedSequence } = nn.utils.rnn;
const pack = (x: Tensor) => packPaddedSequence(x, [3, 7, 1, 5], { batchFirst: true, enforceSorted: false });

afterEach(() => {
  vi.restoreAllMocks();
});

describe('recurrent layers', () => {
  it('take input time first or batch first, and one sequence without a batch', () => {
    const layer = new nn.LSTM(3, 4, { numLayers: 2, bidirectional: true });
    const batchFirst = new nn.LSTM(3, 4, { numLayers: 2, bidirectional: true, batchFirst: true });
    batchFirst.loadStateDict(layer.stateDict());
    const x = randn([5, 2, 3]);
    const [output, [h, c]] = layer.forward(x);
    expect([output.shape, h.shape, c.shape]).toEqual([
      [5, 2, 8],
      [4, 2, 4],
      [4, 2, 4],
    ]);
    const [other, [h2]] = batchFirst.forward(x.transpose(0, 1));
    expectClose(other.transpose(0, 1), output);
    expectClose(h2, h);
    const [one, [h3, c3]] = layer.forward(x.select(1, 1), [zeros([4, 4]), zeros([4, 4])]);
    expectClose(one, output.select(1, 1));
    expectClose(h3, h.select(1, 1));
    expectClose(c3, c.select(1, 1));
  });

  it('go on from the state they ended in', () => {
    const layer = new nn.GRU(3, 4);
    const x = randn([6, 2, 3]);
    const [whole, end] = layer.forward(x);
    const [, middle] = layer.forward(x.slice({ end: 2 }));
    const [rest, same] = layer.forward(x.slice({ start: 2 }), middle);
    expectClose(rest, whole.slice({ start: 2 }));
    expectClose(same, end);
  });

  it('drop out between layers in training only', () => {
    const layer = new nn.LSTM(3, 16, { numLayers: 2, dropout: 0.5, batchFirst: true });
    const x = pack(randn([4, 7, 3]));
    const run = () => layer.forward(x)[1][0].at(-1).toArray();
    expect(run()).not.toEqual(run());
    layer.eval();
    expect(run()).toEqual(run());
    layer.train();
    expect(run()).not.toEqual(run());
  });

  it('explain that dropout with one layer does nothing', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    new nn.LSTM(3, 4, { dropout: 0.5 });
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]![0]).toMatch(/every layer but the last.*use nn.Dropout/);
    new nn.LSTM(3, 4, { dropout: 0.5, numLayers: 2 });
    expect(warn).toHaveBeenCalledOnce();
  });

  it('return packed output for packed input, in the same order', () => {
    const layer = new nn.RNN(3, 4, { batchFirst: true });
    const input = pack(randn([4, 7, 3]));
    const [output] = layer.forward(input);
    expect(output).toBeInstanceOf(PackedSequence);
    expect(output.sortedIndices).toEqual(input.sortedIndices);
    expect(output.batchSizes).toEqual(input.batchSizes);
  });

  it('leave the caller’s tensors alone', () => {
    const layer = new nn.LSTM(3, 4, { batchFirst: true });
    const state: nn.LSTMState = [zeros([1, 4, 4]), zeros([1, 4, 4])];
    const input = pack(zeros([4, 7, 3]));
    layer.forward(input, state);
    expect([input.data, ...state].map((t) => t.isDisposed)).toEqual([false, false, false]);
  });
});

describe('bad input of recurrent layers', () => {
  const lstm = new nn.LSTM(3, 4, { numLayers: 2, batchFirst: true });
  const projected = new nn.LSTM(3, 4, { projSize: 2, batchFirst: true });
  const x = zeros([4, 7, 3]);
  const state = (...shape: number[]) => zeros(shape);

  it.each<[string, () => unknown, string]>([
    ['no tensor', () => lstm.forward([1] as never), 'INVALID_ARGUMENT'],
    ['rank', () => lstm.forward(zeros([3])), 'INVALID_SHAPE'],
    ['features', () => lstm.forward(zeros([4, 7, 2])), 'INVALID_SHAPE'],
    ['features, packed', () => lstm.forward(pack(zeros([4, 7, 2]))), 'INVALID_SHAPE'],
    ['rank, packed', () => lstm.forward(pack(zeros([4, 7]))), 'INVALID_SHAPE'],
    ['no steps', () => lstm.forward(zeros([4, 0, 3])), 'INVALID_SHAPE'],
    ['dtype', () => lstm.forward(zeros([4, 7, 3], { dtype: 'float64' })), 'INVALID_DTYPE'],
    ['integers', () => lstm.forward(zeros([4, 7, 3], { dtype: 'int64' })), 'INVALID_DTYPE'],
    ['dtype, packed', () => lstm.forward(pack(zeros([4, 7, 3], { dtype: 'float64' }))), 'INVALID_DTYPE'],
  ])('%s', (_, run, code) => {
    expect(codeOf(run)).toBe(code);
  });

  describe.each([
    ['padded', x],
    ['packed', pack(x)],
  ])('initial states with %s input', (_, input) => {
    const run = (layer: nn.LSTM, hx: unknown) => () => layer.forward(input as Tensor, hx as nn.LSTMState);
    it.each<[string, () => unknown, string]>([
      ['one instead of two', run(lstm, state(2, 4, 4)), 'INVALID_ARGUMENT'],
      ['layers', run(lstm, [state(1, 4, 4), state(1, 4, 4)]), 'INVALID_SHAPE'],
      ['batch', run(lstm, [state(2, 3, 4), state(2, 3, 4)]), 'INVALID_SHAPE'],
      ['size of c only', run(lstm, [state(2, 4, 4), state(2, 4, 5)]), 'INVALID_SHAPE'],
      ['rank', run(lstm, [state(4, 4), state(4, 4)]), 'INVALID_SHAPE'],
      ['projected size', run(projected, [state(1, 4, 4), state(1, 4, 4)]), 'INVALID_SHAPE'],
      ['dtype', run(lstm, [zeros([2, 4, 4], { dtype: 'float64' }), state(2, 4, 4)]), 'INVALID_DTYPE'],
      ['no tensors', run(lstm, [1, 2]), 'INVALID_ARGUMENT'],
    ])('%s', (_, attempt, code) => {
      expect(codeOf(attempt)).toBe(code);
    });
    it('right ones pass', () => {
      expect(run(projected, [state(1, 4, 2), state(1, 4, 4)])).not.toThrow();
    });
  });

  it('says what was expected and given', () => {
    expect(() => lstm.forward(pack(x), [state(2, 3, 4), state(2, 4, 4)])).toThrow(
      'Expected shape [2, 4, 4] [layers * directions, batch, size] for h of hx of LSTM but received shape [2, 3, 4]',
    );
  });

  it('is found at construction too', () => {
    expect(codeOf(() => new nn.LSTM(0, 4))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => new nn.GRU(3, 1.5))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new nn.RNN(3, 4, { numLayers: 0 }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => new nn.RNN(3, 4, { nonlinearity: 'sigmoid' as never }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new nn.RNN(3, 4, { projSize: 2 } as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new nn.LSTM(3, 4, { projSize: 4 }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => new nn.LSTM(3, 4, { dropout: 1.5 }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => new nn.LSTM(3, 4, { dtype: 'int64' as never }))).toBe('INVALID_DTYPE');
  });

  it('is found in cells', () => {
    const cell = new nn.LSTMCell(3, 4);
    expect(cell.forward(zeros([2, 3])).map((t) => t.shape)).toEqual([
      [2, 4],
      [2, 4],
    ]);
    expect(codeOf(() => cell.forward(zeros([2, 2])))).toBe('INVALID_SHAPE');
    expect(codeOf(() => cell.forward(zeros([1, 2, 3])))).toBe('INVALID_SHAPE');
    expect(codeOf(() => cell.forward(zeros([2, 3]), [zeros([2, 4]), zeros([1, 4])]))).toBe('INVALID_SHAPE');
    expect(codeOf(() => cell.forward(zeros([2, 3]), zeros([2, 4]) as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new nn.GRUCell(3, 4).forward(zeros([2, 3]), zeros([2, 4], { dtype: 'float64' })))).toBe(
      'INVALID_DTYPE',
    );
    expect(codeOf(() => new nn.RNNCell(3, 4).forward(tensor([1, 2, 3])))).toBe('INVALID_DTYPE');
  });
});

describe('a packed sequence that was tampered with', () => {
  const layer = new nn.LSTM(3, 4, { batchFirst: true });
  it.each<[string, (packed: InstanceType<typeof PackedSequence>) => void]>([
    ['growing batch sizes', ({ batchSizes }) => batchSizes.set([1, 4])],
    ['a batch size of 0', ({ batchSizes }) => batchSizes.set([0])],
    ['batch sizes beyond the data', ({ batchSizes }) => batchSizes.set([4, 4, 4, 4])],
    ['an index out of range', ({ unsortedIndices }) => unsortedIndices!.set([1000])],
    ['a negative index', ({ unsortedIndices }) => unsortedIndices!.set([-5])],
  ])('with %s gives an error, not a crash', (_, tamper) => {
    const packed = pack(zeros([4, 7, 3]));
    tamper(packed);
    expect(codeOf(() => layer.forward(packed))).toMatch(/^(INVALID_ARGUMENT|INVALID_SHAPE|OUT_OF_RANGE)$/);
    expect(codeOf(() => nn.utils.rnn.padPackedSequence(packed))).toMatch(
      /^(INVALID_ARGUMENT|INVALID_SHAPE|OUT_OF_RANGE)$/,
    );
  });
});
