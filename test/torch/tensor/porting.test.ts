import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { cat, cuda, DataLoader, nn, ones, optim, randperm, stack, tensor, zeros } from '../../../src/torch/index.js';

const x = tensor(
  [
    [1, 5, 2],
    [3, 4, 9],
  ],
  { dtype: 'float32' },
);

describe("PyTorch's positional arguments", () => {
  it.each<[string, () => unknown, unknown]>([
    ['size()', () => x.size(), [2, 3]],
    ['size(-1)', () => x.size(-1), 3],
    ['argmax(1)', () => x.argmax(1).toArray(), [1, 2]],
    ['argmin(0, true)', () => x.argmin(0, true).toArray(), [[0, 1, 0]]],
    ['sum(1)', () => x.sum(1).toArray(), [8, 16]],
    ['sum([0, 1])', () => x.sum([0, 1]).item(), 24],
    ['mean(-1, true)', () => x.mul(3).mean(-1, true).toArray(), [[8], [16]]],
    ['max(1)', () => x.max(1).values.toArray(), [5, 9]],
    [
      '[values, indices] = max(1)',
      () => [...x.max(1)].map((part) => part.toArray()),
      [
        [5, 9],
        [1, 2],
      ],
    ],
    ['min(0)', () => x.min(0).indices.toArray(), [0, 1, 0]],
    ['view(-1, 2)', () => x.view(-1, 2).shape, [3, 2]],
    ['view([-1])', () => x.view([-1]).shape, [6]],
    ['reshape(3, 2)', () => x.reshape(3, 2).shape, [3, 2]],
    ['reshape(6)', () => x.reshape(6).shape, [6]],
    ['permute(1, 0)', () => x.permute(1, 0).shape, [3, 2]],
    ['expand(4, -1, 3)', () => x.expand(4, -1, 3).shape, [4, 2, 3]],
    ['softmax({ dim: 1 })', () => x.softmax({ dim: 1 }).sum(1).mul(8).long().toArray(), [8, 8]],
    ['functional.softmax(x, 1)', () => nn.functional.softmax(x, 1).toArray(), x.softmax(1).toArray()],
    ['cat([x, x], { dim: 1 })', () => cat([x, x], { dim: 1 }).shape, [2, 6]],
    ['stack([x, x], { dim: 1 })', () => stack([x, x], { dim: 1 }).shape, [2, 2, 3]],
    ["to('int64')", () => x.to('int64').dtype, 'int64'],
    ["to('cpu')", () => x.to('cpu').device, 'cpu'],
    ['long()', () => x.long().dtype, 'int64'],
    ['float()', () => x.long().float().dtype, 'float32'],
    ["a module's to('float64')", () => new nn.Linear(2, 2).to('float64').weight.dtype, 'float64'],
  ])('%s', (_, compute, expected) => expect(compute()).toEqual(expected));

  it.each<[string, () => unknown, RegExp]>([
    ["to('half')", () => x.to('half' as never), /a dtype \(one of 'float32', .*\), or a device, 'cpu' or 'cuda'/],
    ["to('cuda:x')", () => x.to('cuda:x' as never), /'cuda:<number>'/],
    ['sum(1, 1)', () => x.sum(1, 1 as never), /true or false for keepdim of sum but received number 1/],
    ['sum(2)', () => x.sum(2), /a dimension from -2 to 1/],
    ["permute('01')", () => x.permute('01' as never), /an array of dimensions for dims of permute/],
    ["view('x')", () => x.view('x' as never), /an array of sizes for shape of view/],
    ['zeros(2, 3)', () => zeros(2 as never, 3 as never), /an array of sizes, such as \[2, 3\]/],
    [
      'Adam(params, 0.01)',
      () => new optim.Adam([new nn.Parameter(ones([1]))], 0.01 as never),
      /such as \{ lr: 0\.01 \}/,
    ],
    [
      'Adam with weight_decay',
      () => new optim.Adam([new nn.Parameter(ones([1]))], { weight_decay: 1 } as never),
      /did you mean weightDecay/,
    ],
    ['norm({ p: 1 })', () => x.norm({ p: 1 } as never), /a number for p of norm/],
  ])('%s says what is possible', (_, compute, message) => expect(compute).toThrow(message));
});

describe("to('cuda')", () => {
  it.skipIf(cuda.isAvailable())('without a GPU says why not, and what works', () => {
    for (const move of [() => x.to('cuda'), () => new nn.Linear(2, 2).to('cuda:1')]) {
      expect(move).toThrow(/^CUDA cannot be used: .*; 'cpu' needs no GPU$/);
    }
  });
});

describe("JavaScript's operators", () => {
  const [a, b] = [x as never as number, tensor(2) as never as number];
  it.each<[string, () => unknown]>([
    ['a + b', () => a + b],
    ['a - 1', () => a - 1],
    ['2 * b', () => 2 * b],
    ['a < b', () => a < b],
    ['-b', () => -b],
    ['Number(b)', () => Number(b)],
    ["'loss ' + b", () => `loss ${1}` + b],
  ])('%s throws, and names the methods', (_, compute) => {
    expect(compute).toThrow(/write a\.add\(b\).*t\.item\(\).*String\(t\)/);
  });

  it('leave texts as they are', () => {
    const text = 'tensor(2)';
    expect([`${b}`, String(b), inspect(b), [b].join()]).toEqual([text, text, text, text]);
    expect(Object.keys(x)).toEqual([]);
  });

  it.each([0, -1])('x[%i] throws, and names at()', (position) => {
    expect(() => (x as never as number[])[position]).toThrow(`t[${position}] is t.at(${position})`);
    expect(() => {
      (x as never as number[])[position] = 1;
    }).toThrow(`t.at(${position})`);
  });
});

describe("names of PyTorch's methods", () => {
  it.each([
    ['cuda', "t.to('cuda')"],
    ['numpy', 't.toTypedArray()'],
    ['tolist', 't.toArray()'],
    ['dim', 't.shape.length'],
  ])('%s throws, and names %s', (name, here) => {
    expect(() => (x as never as Record<string, () => void>)[name]!()).toThrow(`PyTorch's t.${name}() is ${here}`);
  });

  it('to(undefined) is an error: torch.float32 is undefined here', () => {
    expect(() => x.to(undefined as never)).toThrow("a dtype such as 'float32'");
  });
});

describe('randperm', () => {
  it('is an order of a DataLoader', () => {
    const rows = ['a', 'b', 'c', 'd', 'e'];
    const order = randperm(rows.length);
    const loader = new DataLoader(rows, { batchSize: 2, indices: order });
    const expected = (order.toArray() as number[]).map((index) => rows[index]);
    expect([...loader].flat()).toEqual(expected);
    expect(new Set(expected).size).toBe(5);
    expect(() => new DataLoader(rows, { indices: 3 as never })).toThrow(/^Expected an array of integers or a tensor/);
  });
});
