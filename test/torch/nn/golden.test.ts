import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manualSeed, nn, noGrad, type Tensor, tensor } from '../../../src/torch/index.js';
import { expectClose } from '../../support/close.js';
import { cases, makeLayer, run } from '../../support/recurrentGolden.js';
import { golden, goldenFile, readSafetensors } from '../../support/safetensors.js';

const { packPaddedSequence } = nn.utils.rnn;

describe.each(cases)('PyTorch golden case $name', (one) => {
  const path = goldenFile(`${one.name}.safetensors`);
  if (!path) console.warn(`Skipping ${one.name}: its file is not among the fixtures nor in ../shared/golden`);

  it.skipIf(!path)('has equal outputs, final states and gradients', () => {
    const values = readSafetensors(path!);
    const layer = makeLayer(one);
    layer.loadStateDict(
      Object.fromEntries(
        Object.entries(values)
          .filter(([name]) => name.startsWith('param.'))
          .map(([name, value]) => [name.slice(6), value]),
      ),
    );
    const inputs = ['x', 'h0', 'c0'].filter((name) => values[name]);
    for (const name of inputs) values[name]!.requiresGrad = true;
    const input = one.packed
      ? packPaddedSequence(values.x!, one.lengths!, { batchFirst: true, enforceSorted: false })
      : values.x!;
    const { output, hn, cn } = run(layer, input, one, values.h0, values.c0);
    expectClose(output, values.output!);
    expectClose(hn, values.hn!);
    let loss = output.mul(values.weight_on_output!).sum().add(hn.mul(values.weight_on_hn!).sum());
    if (cn) {
      expectClose(cn, values.cn!);
      loss = loss.add(cn.mul(values.weight_on_cn!).sum());
    }
    loss.backward();
    for (const name of inputs) expectClose(values[name]!.grad, values[`grad.${name}`]!, 1e-5, name);
    for (const [name, parameter] of layer.namedParameters())
      expectClose(parameter.grad, values[`grad.param.${name}`]!, 1e-5, name);
  });

  const lengths = one.lengths ?? new Array<number>(4).fill(7);

  it.skipIf(!path)('gives each text alone, and in another order, the same result', () => {
    const values = readSafetensors(path!);
    const layer = makeLayer(one);
    noGrad(() => {
      for (const [name, parameter] of layer.namedParameters()) parameter.copy_(values[`param.${name}`]!);
      const order = lengths.map((_, i) => i).reverse();
      const rows = tensor(order);
      const reversed = packPaddedSequence(
        values.x!.indexSelect(0, rows),
        order.map((i) => lengths[i]!),
        { batchFirst: true, enforceSorted: false },
      );
      const together = run(layer, reversed, one, values.h0?.indexSelect(1, rows), values.c0?.indexSelect(1, rows));
      order.forEach((row, place) => {
        const length = lengths[row]!;
        const x = values.x!.slice({ start: row, end: row + 1 }).slice({ dim: 1, end: length });
        const state = (name: string) => values[name]?.slice({ dim: 1, start: row, end: row + 1 });
        const alone = run(layer, x, one, state('h0'), state('c0'));
        const expected = { output: values.output!.at(row).slice({ end: length }), hn: values.hn!.select(1, row) };
        expectClose(alone.output.at(0), expected.output);
        expectClose(alone.hn.select(1, 0), expected.hn);
        expectClose(together.output.at(place).slice({ end: length }), expected.output);
        expectClose(together.hn.select(1, place), expected.hn);
      });
    });
  });

  it.skipIf(!path)('has the same values in float64', () => {
    const values = readSafetensors(path!);
    const layer = makeLayer(one, 'float64');
    const double = (value: Tensor | undefined) => value?.to({ dtype: 'float64' });
    noGrad(() => {
      for (const [name, parameter] of layer.namedParameters()) parameter.copy_(values[`param.${name}`]!);
      const x = double(values.x)!;
      const input = one.packed ? packPaddedSequence(x, one.lengths!, { batchFirst: true, enforceSorted: false }) : x;
      const { output, hn } = run(layer, input, one, double(values.h0), double(values.c0));
      expectClose(output, double(values.output)!);
      expectClose(hn, double(values.hn)!);
    });
  });
});

describe('cells', () => {
  const values = readSafetensors(join(golden, 'cells.safetensors'));
  const cells = {
    rnn_tanh: () => new nn.RNNCell(5, 4),
    rnn_relu: () => new nn.RNNCell(5, 4, { nonlinearity: 'relu' }),
    lstm: () => new nn.LSTMCell(5, 4),
    gru: () => new nn.GRUCell(5, 4),
    gru_no_bias: () => new nn.GRUCell(5, 4, { bias: false }),
  };

  it.each(Object.entries(cells))('%s has the values and gradients of PyTorch', (name, make) => {
    const cell: nn.Module = make();
    const value = (key: string) => values[`${name}.${key}`]!;
    noGrad(() => {
      for (const [key, parameter] of cell.namedParameters()) parameter.copy_(value(`param.${key}`));
    });
    const letters = name === 'lstm' ? ['h', 'c'] : ['h'];
    const inputs = [value('x'), ...letters.map((letter) => value(`${letter}0`))];
    for (const input of inputs) input.requiresGrad = true;
    const [x, ...states] = inputs as [Tensor, ...Tensor[]];
    const forward = (input: Tensor, hx: unknown) =>
      (cell as unknown as { forward(x: Tensor, hx: unknown): Tensor | Tensor[] }).forward(input, hx);
    const result = [forward(x, name === 'lstm' ? states : states[0])].flat() as Tensor[];
    const losses = letters.map((letter, i) => {
      expectClose(result[i]!, value(letter));
      return result[i]!.mul(value(`weight_on_${letter}`)).sum();
    });
    losses.reduce((a, b) => a.add(b)).backward();
    expectClose(x.grad, value('grad.x'));
    letters.forEach((letter, i) => {
      expectClose(states[i]!.grad, value(`grad.${letter}0`));
    });
    for (const [key, parameter] of cell.namedParameters())
      expectClose(parameter.grad, value(`grad.param.${key}`), 1e-5, key);
    const rowOfBatch = noGrad(() =>
      forward(x.at(1), name === 'lstm' ? states.map((state) => state.at(1)) : states[0]!.at(1)),
    );
    expectClose([rowOfBatch].flat()[0] as Tensor, value('h').at(1));
  });
});

describe('initial weights', () => {
  const values = readSafetensors(join(golden, 'initial_weights.safetensors'));
  const layers: Record<string, () => nn.Module> = {
    embedding: () => new nn.Embedding(9, 5),
    embedding_padding: () => new nn.Embedding(9, 5, { paddingIdx: 1 }),
    embedding_bag: () => new nn.EmbeddingBag(9, 5),
    linear: () => new nn.Linear(6, 4),
    linear_no_bias: () => new nn.Linear(20, 3, { bias: false }),
    rnn: () => new nn.RNN(5, 4, { numLayers: 2 }),
    lstm: () => new nn.LSTM(5, 4, { numLayers: 2, bidirectional: true }),
    lstm_projection: () => new nn.LSTM(5, 4, { projSize: 3 }),
    gru_no_bias: () => new nn.GRU(5, 4, { bias: false }),
    rnn_cell: () => new nn.RNNCell(5, 4),
    lstm_cell: () => new nn.LSTMCell(5, 4),
    gru_cell: () => new nn.GRUCell(5, 4),
    rnn_double: () => new nn.RNN(5, 4, { dtype: 'float64' }),
  };

  function expectSame(prefix: string, module: nn.Module): void {
    const expected = Object.keys(values).filter((key) => key.startsWith(`${prefix}.`));
    const state = module.stateDict();
    expect(Object.keys(state).sort()).toEqual(expected.map((key) => key.slice(prefix.length + 1)).sort());
    for (const [key, value] of Object.entries(state)) {
      expect(value.toArray(), key).toEqual(values[`${prefix}.${key}`]!.toArray());
      expect(value.dtype).toBe(values[`${prefix}.${key}`]!.dtype);
    }
  }

  it.each(Object.entries(layers))('of %s are those of PyTorch for the same seed, to the last bit', (name, make) => {
    manualSeed(7);
    expectSame(name, make());
  });

  it('of a model follow the order of its layers', () => {
    class Net extends nn.Module {
      embedding = new nn.Embedding(30, 8);
      rnn = new nn.LSTM(8, 4, { batchFirst: true });
      fc = new nn.Linear(4, 3);
      forward(x: Tensor): Tensor {
        return this.fc.forward(this.rnn.forward(this.embedding.forward(x))[1][0].at(-1));
      }
    }
    manualSeed(3);
    expectSame('net', new Net());
  });
});
