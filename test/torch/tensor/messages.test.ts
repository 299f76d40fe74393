import { describe, expect, it } from 'vitest';
import { full, nn, noGrad, ones, optim, type Tensor, tensor, zeros } from '../../../src/torch/index.js';
import { codeOf } from '../../support/close.js';

const once = (net: nn.Module & { forward(x: Tensor): Tensor }, x: Tensor) => () => {
  const loss = net.forward(x).sum();
  loss.backward();
  loss.backward();
};

/** A loop that forgets to detach the state of a recurrent layer. */
function carried(rnn: nn.GRU): void {
  let state: Tensor | undefined;
  for (let batch = 0; batch < 2; batch++) {
    const [output, next] = rnn.forward(ones([4, 1, 2]), state);
    state = next;
    output.sum().backward();
  }
}

/** A graph that needs the values from before the step. */
function stepped(make: (params: nn.Parameter[]) => optim.Optimizer): void {
  const net = new nn.Linear(8, 8);
  const optimizer = make(net.parameters());
  const loss = net.forward(net.forward(ones([3, 8], { requiresGrad: true }))).sum();
  loss.backward({ retainGraph: true });
  optimizer.step();
  loss.backward();
}

const bools = tensor([true, false]);

/** Mistakes that only libtorch sees. */
const mistakes: [string, () => unknown, string, RegExp][] = [
  [
    'backward twice',
    once(new nn.Linear(2, 2), ones([1, 2])),
    'INVALID_ARGUMENT',
    /called twice .* \{ retainGraph: true \}/,
  ],
  ['backward twice of an embedding', once(new nn.Embedding(3, 2), tensor([0])), 'INVALID_ARGUMENT', /called twice/],
  ['a state that is carried on', () => carried(new nn.GRU(2, 3)), 'INVALID_ARGUMENT', /needs detach\(\)$/],
  [
    'a result changed in place',
    () => {
      const y = ones([2, 3], { requiresGrad: true }).exp();
      y.mul_(2);
      y.sum().backward();
    },
    'INVALID_ARGUMENT',
    /a tensor of shape \[2, 3\], a result of exp, as it was .* x\.add\(y\) for x\.add_\(y\), or change x\.clone\(\)$/,
  ],
  [
    'a weight changed in place',
    () => {
      const net = new nn.Linear(2, 2);
      const loss = net.forward(net.forward(ones([1, 2]))).sum();
      noGrad(() => net.weight.add_(1));
      loss.backward();
    },
    'INVALID_ARGUMENT',
    /a tensor of shape \[2, 2\].* has changed it since/,
  ],
  [
    'a step of SGD',
    () => stepped((params) => new optim.SGD(params, { lr: 1 })),
    'INVALID_ARGUMENT',
    /Call backward before the step/,
  ],
  [
    'a step of Adam',
    () => stepped((params) => new optim.Adam(params)),
    'INVALID_ARGUMENT',
    /Call backward before the step/,
  ],
  [
    'a step of AdamW',
    () => stepped((params) => new optim.AdamW(params)),
    'INVALID_ARGUMENT',
    /Call backward before the step/,
  ],
  [
    'a bool less a bool',
    () => bools.sub(bools),
    'INVALID_DTYPE',
    /^sub does not take bool tensors; logicalNot\(\) inverts/,
  ],
  ['a bool less a number', () => bools.sub(1), 'INVALID_DTYPE', /^sub does not take bool tensors/],
  ['a bool negated', () => bools.neg(), 'INVALID_DTYPE', /^neg does not take bool tensors/],
  ['argmax of bools', () => bools.argmax(), 'INVALID_DTYPE', /^argmax does not take bool .* to\('int64'\)$/],
  ['relu of bools', () => bools.relu(), 'INVALID_DTYPE', /^relu does not take bool tensors/],
  ['abs of bools', () => bools.abs(), 'INVALID_DTYPE', /does not take a tensor of bool; .* to\('int64'\)/],
  [
    'integers to a power below 0',
    () => tensor([2]).pow(-1),
    'INVALID_DTYPE',
    /no negative exponent; .* to\('float32'\)$/,
  ],
  [
    'a number that int32 does not hold',
    () => full([1], 1e12, { dtype: 'int32' }),
    'OUT_OF_RANGE',
    /^A number does not fit into a tensor of int32; use another number/,
  ],
  ['memory that is not there', () => zeros([2 ** 44]), 'OUT_OF_MEMORY', /^A tensor needs 70368744177664 bytes, which/],
];

describe('what only libtorch sees', () => {
  it.each(mistakes)('%s: the message says what to do', (_, mistake, code, message) => {
    expect(mistake).toThrow(message);
    expect(codeOf(mistake)).toBe(code);
  });

  it.each(mistakes)('%s: the message has neither the words nor the stack of C++', (_, mistake) => {
    expect(mistake).not.toThrow(/libtorch:|\n|C\+\+|Exception raised|\.cpp|::|retain_graph|inplace/);
  });

  it('is said of backwardAsync, too', async () => {
    const loss = new nn.Linear(2, 2).forward(ones([1, 2])).sum();
    await loss.backwardAsync();
    await expect(loss.backwardAsync()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/retainGraph/),
    });
  });

  it('is not said where the graph is kept', () => {
    const x = ones([2], { requiresGrad: true });
    const loss = x.mul(x).sum();
    loss.backward({ retainGraph: true });
    loss.backward();
    expect(x.grad!.toArray()).toEqual([4, 4]);
  });
});
