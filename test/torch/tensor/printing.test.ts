import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arange, type DType, nn, ones, type Tensor, type TensorData, tensor, zeros } from '../../../src/torch/index.js';
import { exponential, fixed } from '../../../src/torch/tensor/numberText.js';
import { translated } from '../../support/pytorch.js';
import { golden } from '../../support/safetensors.js';

interface Case {
  name: string;
  dtype: DType;
  shape: number[];
  /** The elements; -0, infinities and NaN as texts. */
  values?: unknown;
  /** The elements are 0, factor, 2 * factor, ... */
  factor?: number;
  text: string;
}

/** What PyTorch prints. */
const pytorch = JSON.parse(readFileSync(join(golden, 'printing.json'), 'utf8')) as {
  tensors: Case[];
  recorded: Record<string, string>;
};

const WORDS: Record<string, number> = {
  '-0': -0,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
};
const numbers = (value: unknown): TensorData =>
  Array.isArray(value) ? value.map(numbers) : typeof value === 'string' ? WORDS[value]! : (value as number);

function made({ dtype, shape, values, factor }: Case): Tensor {
  if (factor !== undefined) {
    const count = shape.reduce((product, size) => product * size, 1);
    return arange(count).to('float64').mul(factor).to(dtype).reshape(shape);
  }
  return shape.includes(0) || values === undefined ? zeros(shape, { dtype }) : tensor(numbers(values), { dtype });
}

describe('a tensor is shown as PyTorch shows it', () => {
  it.each(pytorch.tensors.map((one) => [one.name, one] as const))('%s', (_, one) => {
    expect(String(made(one))).toBe(translated(one.text));
  });

  it('with what is recorded', () => {
    const x = tensor(
      [
        [1, 2],
        [3, 4.5],
      ],
      { requiresGrad: true },
    );
    const thirteen = arange(13).to('float64');
    const texts = {
      leaf: x,
      product: x.mul(2),
      'sum of two': x.add(1.5),
      sum: x.mul(x).sum(),
      long: thirteen.requiresGrad_(),
      parameter: new nn.Parameter(tensor([1, 2], { dtype: 'float32' })),
      frozen: new nn.Parameter(tensor([1, 2], { dtype: 'float32' }), { requiresGrad: false }),
    };
    for (const [name, value] of Object.entries(texts))
      expect(String(value), name).toBe(translated(pytorch.recorded[name]!));
  });

  it('by a function of its own where the kernels computed it', () => {
    const [output] = new nn.LSTM(2, 3).forward(ones([4, 1, 2]));
    expect(String(output)).toMatch(/gradFn=<\w+>\)$/);
  });
});

describe('console.log of a tensor', () => {
  const x = arange(4).reshape(2, 2);
  it('is its text', () => {
    const text = 'tensor([[0, 1],\n        [2, 3]])';
    expect([String(x), `${x}`, inspect(x)]).toEqual([text, text, text]);
  });

  it('is in line with what is around it', () => {
    expect(inspect({ a: 1, x })).toBe('{\n  a: 1,\n  x: tensor([[0, 1],\n          [2, 3]])\n}');
    expect(inspect({ deep: { net: new nn.Sequential(new nn.ReLU()) } })).toBe(
      '{\n  deep: {\n    net: Sequential(\n      (0): ReLU()\n    )\n  }\n}',
    );
  });

  it('does not read a large tensor whole, nor change what is recorded', () => {
    const large = zeros([30_000, 1_000], { requiresGrad: true });
    const before = process.memoryUsage().arrayBuffers;
    const text = String(large);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6);
    expect(text.split('\n')).toHaveLength(7);
    large.sum().backward();
    expect(large.grad!.at(0).at(0).item()).toBe(1);
  });

  it('is possible after dispose()', () => {
    const gone = ones([2]);
    gone.dispose();
    expect(inspect(gone)).toBe('tensor(disposed)');
  });
});

describe('numbers as Python writes them', () => {
  it.each([
    [0.03125, '0.0312', '3.1250e-02'],
    [0.09375, '0.0938', '9.3750e-02'],
    [-0.03125, '-0.0312', '-3.1250e-02'],
    [100005, '100005.0000', '1.0000e+05'],
    [100015, '100015.0000', '1.0002e+05'],
    [999995, '999995.0000', '1.0000e+06'],
    [-0, '-0.0000', '-0.0000e+00'],
    [5e-324, '0.0000', '4.9407e-324'],
    [1e8, '100000000.0000', '1.0000e+08'],
  ])('%d', (value, plain, scientific) => {
    expect([fixed(value, 4), exponential(value, 4)]).toEqual([plain, scientific]);
  });

  it('are as near as can be', () => {
    const value = fc.double({ min: -1e8, max: 1e8, noNaN: true });
    fc.assert(
      fc.property(value, (x) => {
        expect(Math.abs(Number(fixed(x, 4)) - x)).toBeLessThanOrEqual(0.5000001e-4);
        expect(Math.abs(Number(exponential(x, 4)) - x)).toBeLessThanOrEqual(Math.abs(x) * 0.5000001e-4);
      }),
    );
  });
});
