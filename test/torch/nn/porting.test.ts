import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nn, ones, type Tensor, tensor, zeros } from '../../../src/torch/index.js';
import { codeOf, expectClose } from '../../support/close.js';
import { translated } from '../../support/pytorch.js';
import { golden } from '../../support/safetensors.js';

/** What PyTorch prints and says. */
const pytorch = JSON.parse(readFileSync(join(golden, 'porting.json'), 'utf8')) as {
  modules: Record<string, string>;
  nll: Record<string, { loss: number | number[]; grad: number[][] }>;
  errors: Record<'strict' | 'loose' | 'labels', string>;
};

class Net extends nn.Module {
  embedding = new nn.Embedding(10, 3, { paddingIdx: 1 });
  rnn = new nn.LSTM(3, 2, { numLayers: 2, batchFirst: true, dropout: 0.5, bidirectional: true });
  layers = new nn.ModuleList([new nn.Linear(4, 4), new nn.Linear(4, 4), new nn.Linear(4, 2)]);
  last = new nn.Sequential(new nn.Dropout(0.1), new nn.Linear(2, 2));
  forward(): void {}
  protected override extraRepr(): string {
    return 'k=3';
  }
}

const { LSTM, RNN, GRU, RNNCell, LSTMCell, GRUCell, Embedding, EmbeddingBag, Linear, Dropout, CrossEntropyLoss } = nn;
const { ModuleList, Sequential } = nn;
const modules: Record<string, () => nn.Module> = {
  'LSTM(64, 32, { numLayers: 2, batchFirst: true, dropout: 0.5, bidirectional: true })': () =>
    new LSTM(64, 32, { numLayers: 2, batchFirst: true, dropout: 0.5, bidirectional: true }),
  'LSTM(8, 4, { projSize: 2, bias: false })': () => new LSTM(8, 4, { projSize: 2, bias: false }),
  "RNN(4, 3, { nonlinearity: 'relu' })": () => new RNN(4, 3, { nonlinearity: 'relu' }),
  'GRU(4, 3, { batchFirst: true })': () => new GRU(4, 3, { batchFirst: true }),
  "RNNCell(4, 3, { nonlinearity: 'relu' })": () => new RNNCell(4, 3, { nonlinearity: 'relu' }),
  'LSTMCell(4, 3, { bias: false })': () => new LSTMCell(4, 3, { bias: false }),
  'GRUCell(4, 3)': () => new GRUCell(4, 3),
  'Embedding(10, 3)': () => new Embedding(10, 3),
  'Embedding(10, 3, { paddingIdx: 1 })': () => new Embedding(10, 3, { paddingIdx: 1 }),
  'EmbeddingBag(10, 3)': () => new EmbeddingBag(10, 3),
  "EmbeddingBag(10, 3, { mode: 'sum', paddingIdx: 1 })": () => new EmbeddingBag(10, 3, { mode: 'sum', paddingIdx: 1 }),
  'Linear(2, 3)': () => new Linear(2, 3),
  'Linear(2, 3, { bias: false })': () => new Linear(2, 3, { bias: false }),
  'Dropout(0.1)': () => new Dropout(0.1),
  'CrossEntropyLoss({ labelSmoothing: 0.1 })': () => new CrossEntropyLoss({ labelSmoothing: 0.1 }),
  'ReLU()': () => new nn.ReLU(),
  'Tanh()': () => new nn.Tanh(),
  'Sigmoid()': () => new nn.Sigmoid(),
  'Softmax(1)': () => new nn.Softmax(1),
  'LogSoftmax({ dim: 1 })': () => new nn.LogSoftmax({ dim: 1 }),
  'NLLLoss()': () => new nn.NLLLoss(),
  'ModuleList()': () => new ModuleList(),
  'Sequential()': () => new Sequential(),
  'Net()': () => new Net(),
};

/** The message of the error that a function throws. */
function messageOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe('a module is shown as PyTorch shows it', () => {
  it('in every case of the golden file', () => expect(Object.keys(modules)).toEqual(Object.keys(pytorch.modules)));

  it.each(Object.entries(modules))('%s', (name, make) => {
    expect(String(make())).toBe(translated(pytorch.modules[name]!));
  });
});

describe('negative log likelihood', () => {
  const weight = tensor([1, 2, 0.5], { dtype: 'float32' });
  it.each<[string, nn.NLLLossOptions]>([
    ['mean', {}],
    ['mean weighted', { weight }],
    ['sum', { reduction: 'sum' }],
    ['none', { reduction: 'none' }],
    ['none weighted', { reduction: 'none', weight }],
  ])("%s is PyTorch's, and so is its gradient", (name, options) => {
    const rows = [
      [1, -2, 0.5],
      [0.25, 3, -1],
      [2, 0, 0.75],
      [-1, 1, 4],
    ];
    const logits = tensor(rows, { dtype: 'float32', requiresGrad: true });
    const loss = new nn.NLLLoss(options).forward(new nn.LogSoftmax(1).forward(logits), tensor([0, 2, -100, 1]));
    loss.sum().backward();
    const expected = pytorch.nll[name]!;
    expectClose(loss.detach(), tensor(expected.loss, { dtype: 'float32' }), 1e-6, 'loss');
    expectClose(logits.grad!, tensor(expected.grad, { dtype: 'float32' }), 1e-6, 'gradient');
  });

  it('refuses what is no class', () => {
    const input = zeros([2, 3]).logSoftmax(1);
    expect(messageOf(() => nn.functional.nllLoss(input, tensor([0, 3])))).toMatch(
      /from 0 to 2 .* of nllLoss but found 3/,
    );
    expect(codeOf(() => nn.functional.nllLoss(input, tensor([0])))).toBe('INVALID_SHAPE');
    expect(codeOf(() => nn.functional.nllLoss(zeros([3]), tensor([0])))).toBe('INVALID_SHAPE');
  });
});

describe('labels of int32', () => {
  it('are refused as in PyTorch, with what to do', () => {
    expect(pytorch.errors.labels).toBe('expected scalar type Long but found Int');
    const labels = tensor(Int32Array.of(0, 1));
    for (const loss of [new CrossEntropyLoss(), new nn.NLLLoss()]) {
      expect(messageOf(() => loss.forward(zeros([2, 3]), labels))).toMatch(
        /^Expected a tensor of int64 \(t\.to\('int64'\) converts\) for target of .* but received an int32 tensor of shape \[2\]$/,
      );
      expect(loss.forward(zeros([2, 3]), labels.long()).dtype).toBe('float32');
    }
  });
});

describe('a state dict with other names or shapes', () => {
  it("is refused in PyTorch's words, with what to do", () => {
    const linear = new Linear(2, 3);
    const message = messageOf(() => linear.loadStateDict({ weight: zeros([2, 3]), a: zeros([1]), b: zeros([1]) }));
    expect(message).toBe(
      `${translated(pytorch.errors.strict)}\n\tNothing was changed. loadStateDict(state, { strict: false }) loads the names that both have.`,
    );
  });

  it.each([[false], [{ strict: false }]])('loads what both have with %j, and says what only one has', (strict) => {
    const linear = new Linear(2, 3);
    const bias = linear.bias!.toArray();
    const result = linear.loadStateDict({ weight: ones([3, 2]), extra: zeros([1]) }, strict);
    expect(result).toEqual({ missingKeys: ['bias'], unexpectedKeys: ['extra'] });
    expect(linear.weight.sum().item()).toBe(6);
    expect(linear.bias!.toArray()).toEqual(bias);
    const message = messageOf(() => linear.loadStateDict({ weight: zeros([2, 3]) }, strict));
    expect(message).toBe(`${translated(pytorch.errors.loose)}\n\tNothing was changed.`);
  });

  it('loads all with strict, the default, and says that nothing is left', () => {
    const [a, b] = [new Linear(2, 3), new Linear(2, 3)];
    for (const strict of [undefined, true, {}, { strict: true }]) {
      expect(b.loadStateDict(a.stateDict(), strict)).toEqual({ missingKeys: [], unexpectedKeys: [] });
    }
    expect(codeOf(() => b.loadStateDict(a.stateDict(), { strict: 1 as never }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => b.loadStateDict(a.stateDict(), { stict: false } as never))).toBe('INVALID_ARGUMENT');
  });

  it('is recognized where it is not yet one', () => {
    const linear = new Linear(2, 3);
    const state: Record<string, Tensor> = linear.stateDict();
    expect(messageOf(() => linear.loadStateDict({ tensors: state, metadata: {} } as never))).toContain(
      'what loadFile returns; its state dict is in the property tensors',
    );
    expect(messageOf(() => linear.loadStateDict(Promise.resolve(state) as never))).toContain('await the promise first');
  });

  const prefixed = (state: nn.StateDict, prefix: string): nn.StateDict =>
    Object.fromEntries(Object.entries(state).map(([name, value]) => [prefix + name, value]));

  it.each(['module.', '_orig_mod.', 'model.', 'encoder.rnn.'])(
    'that all begins with %s says so, and is loaded',
    (prefix) => {
      const [one, other] = [new nn.LSTM(2, 3), new nn.LSTM(2, 3)];
      const state = prefixed(one.stateDict(), prefix);
      expect(messageOf(() => other.loadStateDict(state))).toMatch(
        new RegExp(
          `Nothing was changed\\. All names of the state dict begin with "${prefix}": loadStateDict\\(state, \\{ prefix: "${prefix}" \\}\\)`,
        ),
      );
      expect(other.loadStateDict(state, { prefix })).toEqual({ missingKeys: [], unexpectedKeys: [] });
      expect(other.getParameter('weight_hh_l0').toArray()).toEqual(one.getParameter('weight_hh_l0').toArray());
    },
  );

  it('of a larger network says which part of it fits', () => {
    const rnn = new nn.GRU(2, 3);
    const state = {
      ...prefixed(rnn.stateDict(), 'encoder.rnn.'),
      'head.weight': zeros([4, 3]),
      'head.bias': zeros([4]),
    };
    expect(messageOf(() => rnn.loadStateDict(state))).toContain(
      'Names that begin with "encoder.rnn." fit: loadStateDict(state, { prefix: "encoder.rnn." })',
    );
    expect(rnn.loadStateDict(state, { prefix: 'encoder.rnn.' }).unexpectedKeys).toEqual([]);
    expect(messageOf(() => rnn.loadStateDict(state, { prefix: 'encoder.' }))).toContain('prefix: "encoder.rnn."');
  });

  it('of a part says into what it fits', () => {
    const net = new Net();
    expect(messageOf(() => net.loadStateDict(net.rnn.stateDict()))).toContain('are those of the part "rnn"');
    class Wrapper extends nn.Module {
      model = new Linear(2, 3);
      forward(): void {}
    }
    expect(messageOf(() => new Wrapper().loadStateDict(new Linear(2, 3).stateDict()))).toContain(
      'are those of the part "model": load it into that module.',
    );
  });

  it('is not said to begin with what few names have in common', () => {
    expect(messageOf(() => new nn.LSTM(2, 3).loadStateDict({ 'fc.bias_ih_l0': zeros([12]) }))).not.toContain('prefix');
    const linear = new Linear(2, 3);
    expect(messageOf(() => linear.loadStateDict(linear.stateDict(), { prefix: 'net.' }))).toBe(
      'No name of the state dict begins with "net."; its names are weight, bias',
    );
    expect(codeOf(() => linear.loadStateDict(linear.stateDict(), { prefix: 1 as never }))).toBe('INVALID_ARGUMENT');
  });
});
