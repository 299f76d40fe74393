import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DType, noGrad, ones, type Tensor, tensor, tidy, zeros } from '../../../src/torch/index.js';
import { codeOf } from '../../support/close.js';
import { golden } from '../../support/safetensors.js';

/** What PyTorch computes. */
const pytorch = (
  JSON.parse(readFileSync(join(golden, 'porting.json'), 'utf8')) as {
    inPlace: Record<DType, Record<string, number[][]>>;
  }
).inPlace;

const mask = tensor([true, false, true]);
type Change = (x: Tensor, y: Tensor, row: Tensor) => Tensor;
const changes: Record<string, Change> = {
  'add_(y)': (x, y) => x.add_(y),
  'add_(row, { alpha: 3 })': (x, _, row) => x.add_(row, { alpha: 3 }),
  'add_(5, { alpha: 2 })': (x) => x.add_(5, { alpha: 2 }),
  'sub_(y)': (x, y) => x.sub_(y),
  'sub_(row, { alpha: 3 })': (x, _, row) => x.sub_(row, { alpha: 3 }),
  'sub_(5, { alpha: 2 })': (x) => x.sub_(5, { alpha: 2 }),
  'mul_(row)': (x, _, row) => x.mul_(row),
  'mul_(3)': (x) => x.mul_(3),
  'clamp_(-2, 5)': (x) => x.clamp_(-2, 5),
  'clamp_({ max: 3 })': (x) => x.clamp_({ max: 3 }),
  'maskedFill_(mask, 9)': (x) => x.maskedFill_(mask, 9),
  'copy_(row)': (x, _, row) => x.copy_(row),
  'fill_(4)': (x) => x.fill_(4),
  'zero_()': (x) => x.zero_(),
  'add_(0.3, { alpha: 0.7 })': (x) => x.add_(0.3, { alpha: 0.7 }),
  'sub_(0.3, { alpha: 0.7 })': (x) => x.sub_(0.3, { alpha: 0.7 }),
  'sub_(row, { alpha: 0.1 })': (x, _, row) => x.sub_(row, { alpha: 0.1 }),
  'mul_(0.3)': (x) => x.mul_(0.3),
  'div_(y)': (x, y) => x.div_(y),
  'div_(0.3)': (x) => x.div_(0.3),
  'clamp_(-0.5, 2.5)': (x) => x.clamp_(-0.5, 2.5),
};
const make = (rows: number[] | number[][], dtype: DType) => tensor(rows, { dtype });
const rows = [
  [1, -2, 3],
  [40, 5, -60],
];

describe.each(Object.keys(pytorch) as DType[])('in place, on %s', (dtype) => {
  const y = make(
    [
      [7, 3, -2],
      [1, 9, 4],
    ],
    dtype,
  );
  const row = make([2, -1, 3], dtype);

  it.each(Object.entries(pytorch[dtype]))('%s is what PyTorch computes, to the last bit', (name, expected) => {
    const x = make(rows, dtype);
    expect(changes[name]!(x, y, row)).toBe(x);
    expect([x.dtype, x.toArray()]).toEqual([dtype, expected]);
  });
});

describe('in place', () => {
  it('knows every operation of the golden file', () => {
    expect(Object.keys(changes).sort()).toEqual(Object.keys(pytorch.float32).sort());
  });

  it('is recorded', () => {
    const x = tensor([1, 2, 3], { dtype: 'float64', requiresGrad: true });
    x.mul(1).mul_(x.detach()).sub_(x, { alpha: 2 }).div_(4).sum().backward();
    expect(x.grad!.toArray()).toEqual([-0.25, 0, 0.25]);
  });

  it('is the step of gradient descent, inside noGrad', () => {
    const weight = ones([2], { requiresGrad: true });
    weight.mul(3).sum().backward();
    noGrad(() => weight.sub_(weight.grad!, { alpha: 0.5 }));
    expect(weight.toArray()).toEqual([-0.5, -0.5]);
    weight.data.sub_(1);
    expect(weight.toArray()).toEqual([-1.5, -1.5]);
  });

  const [floats, ints, bools] = [ones([2]), tensor([1, 2]), tensor([true, false])];
  it.each<[string, () => unknown, string, RegExp]>([
    ['a leaf', () => ones([1], { requiresGrad: true }).sub_(1), 'INVALID_ARGUMENT', /^sub_ .* inside noGrad/],
    [
      'a view of a leaf',
      () => ones([2, 2], { requiresGrad: true }).at(0).fill_(1),
      'INVALID_ARGUMENT',
      /a view of a tensor that requires gradients; do it inside noGrad/,
    ],
    [
      'what expand gave',
      () => ones([1]).expand(3).add_(1),
      'INVALID_ARGUMENT',
      /several times, as expand\(\) makes it; change its clone/,
    ],
    ['another shape', () => floats.mul_(ones([3])), 'INVALID_SHAPE', /mul_ cannot broadcast shapes \[2\] and \[3\]/],
    [
      'a larger shape',
      () => floats.div_(ones([3, 2])),
      'INVALID_SHAPE',
      /that broadcasts to \[2\] for the operand of div_ but received shape \[3, 2\]/,
    ],
    [
      'fractions in integers',
      () => ints.add_(0.5),
      'INVALID_DTYPE',
      /add_ would give elements of float32, which this int64 tensor cannot hold; use add,/,
    ],
    ['a float tensor in integers', () => ints.mul_(floats), 'INVALID_DTYPE', /use mul, .* to\('float32'\) first/],
    ['quotients in integers', () => ints.div_(2), 'INVALID_DTYPE', /div_ would give elements of float32/],
    ['bounds with fractions in integers', () => ints.clamp_(0.5), 'INVALID_DTYPE', /clamp_ would give/],
    ['integers in bools', () => bools.mul_(ints), 'INVALID_DTYPE', /elements of int64, which this bool tensor/],
    ['a bool less a bool', () => bools.sub_(bools), 'INVALID_DTYPE', /sub does not take bool tensors/],
    [
      'a share of integers',
      () => ints.add_(ints, { alpha: 0.5 }),
      'INVALID_ARGUMENT',
      /an integer, as the elements of this int64 tensor for alpha of add_/,
    ],
    ['alpha by position', () => floats.add_(1, 2 as never), 'INVALID_ARGUMENT', /options of add_/],
    ['no bounds', () => floats.clamp_({}), 'INVALID_ARGUMENT', /min, max or both/],
    ['a text', () => floats.sub_('1' as never), 'INVALID_ARGUMENT', /a Tensor or a number for the operand of sub_/],
    ['a mask of numbers', () => floats.maskedFill_(ints, 1), 'INVALID_DTYPE', /a tensor of bool/],
    [
      'random integers',
      () => ints.normal_(),
      'INVALID_DTYPE',
      /does not take a tensor of int64; convert the tensor first with to\('float32'\)/,
    ],
  ])('refuses %s', (_, change, code, message) => {
    expect(codeOf(change)).toBe(code);
    expect(change).toThrow(message);
  });
});

describe('clamp', () => {
  it('takes bounds one after the other, or by name', () => {
    const x = tensor([-5, 2, 9]);
    expect(x.clamp(0, 5).toArray()).toEqual([0, 2, 5]);
    expect(x.clamp(0).toArray()).toEqual([0, 2, 9]);
    expect(x.clamp(null, 5).toArray()).toEqual([-5, 2, 5]);
    expect(x.clamp({ max: 5 }).toArray()).toEqual([-5, 2, 5]);
    expect(() => x.clamp({ maximum: 1 } as never)).toThrow(/maximum/);
    expect(() => x.clamp('0' as never)).toThrow(/a number for min of clamp/);
  });
});

describe('a loop over a tensor', () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  it('goes along the first dimension', () => {
    expect([...x].map((row) => row.toArray())).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const [first, second] = x;
    expect([first!.shape, second!.toArray()]).toEqual([[2], [3, 4]]);
    expect([...zeros([0, 3])]).toEqual([]);
    expect(Object.keys(x)).toEqual([]);
  });

  it('gives views through which gradients flow', () => {
    const leaf = ones([2, 2], { requiresGrad: true });
    let i = 0;
    for (const row of leaf) row.mul(++i).sum().backward();
    expect(leaf.grad!.toArray()).toEqual([
      [1, 1],
      [2, 2],
    ]);
    const copy = x.clone();
    for (const row of copy) row.fill_(7);
    expect(copy.toArray()).toEqual([
      [7, 7],
      [7, 7],
    ]);
  });

  it('leaves its rows to tidy', () => {
    const rows: Tensor[] = [];
    const kept = tidy(() => {
      for (const row of x) rows.push(row);
      return rows[1]!;
    });
    expect(rows.map((row) => row.isDisposed)).toEqual([true, false]);
    expect(kept.toArray()).toEqual([3, 4]);
  });

  it("is refused without dimensions, in PyTorch's words", () => {
    expect(() => [...tensor(1)]).toThrow(/^iteration over a 0-d tensor: /);
    expect(codeOf(() => [...tensor(1)])).toBe('INVALID_SHAPE');
  });
});
