import { describe, expect, it } from 'vitest';
import { nn, optim, type Tensor, tensor } from '../../../src/torch/index.js';
import { DeviceSums, type Sums, sumsOn } from '../../../src/torch/train/sums.js';
import { codeOf } from '../../support/close.js';

const inputs = tensor(
  [
    [1, 2],
    [3, -1],
    [0, 1],
  ],
  { dtype: 'float32' },
);
const labels = tensor([0, 1, 1]);

/** Trains with losses times these factors; the weights after every batch. */
function train(sums: Sums, factors: readonly number[], make = (ps: Tensor[]) => new optim.Adam(ps, { lr: 0.1 })) {
  const net = new nn.Linear(2, 2);
  net.loadStateDict({
    weight: tensor([
      [0.5, -0.25],
      [0.125, 1],
    ]),
    bias: tensor([0.5, 0], { dtype: 'float32' }),
  });
  const optimizer = make(net.parameters());
  const weights: number[][] = [];
  for (const factor of factors) {
    optimizer.zeroGrad();
    const logits = net.forward(inputs);
    const loss = nn.functional.crossEntropy(logits, labels).mul(factor);
    sums.watch(loss);
    loss.backward();
    sums.step(optimizer);
    sums.add(loss, logits, labels, 2);
    weights.push([...net.weight.toTypedArray()].map(Number));
  }
  return { weights, optimizer };
}

describe('sums of a training loop', () => {
  it('are the same whether each loss is read at once or all at the end', () => {
    const [host, device] = [sumsOn('a test', 'cpu'), new DeviceSums('a test', 'cpu')];
    const factors = [1, 0.5, 2, 1];
    const [one, other] = [train(host, factors), train(device, factors)];
    expect(other.weights).toEqual(one.weights);
    expect(device.read().correct).toBe(host.read().correct);
    expect(device.read().total).toBeCloseTo(host.read().total, 6);
  });

  it.each([
    ['Adam', (ps: Tensor[]) => new optim.Adam(ps, { lr: 0.1 })],
    ['AdamW', (ps: Tensor[]) => new optim.AdamW(ps, { lr: 0.1 })],
    ['SGD with momentum', (ps: Tensor[]) => new optim.SGD(ps, { lr: 0.1, momentum: 0.9 })],
  ])('read at the end, no step of %s follows from a loss that is not finite', (_, make) => {
    const sums = new DeviceSums('a test', 'cpu');
    const { weights, optimizer } = train(sums, [1, 1, Number.NaN, 1, Number.POSITIVE_INFINITY], make as never);
    expect(weights[1]).not.toEqual(weights[0]);
    expect(weights.slice(2)).toEqual([weights[1], weights[1], weights[1]]);
    expect(() => sums.read()).toThrow(/^The loss of batch 3 \(counted from 1\) is not finite; the weights are those/);
    expect(codeOf(() => sums.read())).toBe('NON_FINITE_LOSS');
    // Nor was it counted.
    const { step } = optimizer.stateDict().state[0] ?? {};
    if (step !== undefined) expect(Number((step as Tensor).item())).toBe(2);
  });
});
