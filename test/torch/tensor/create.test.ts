import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as r from '../../../src/torch/index.js';
import { codeOf } from '../../support/close.js';
import { golden, readSafetensors } from '../../support/safetensors.js';

const { tensor } = r;

describe('tensor', () => {
  it.each<[r.TensorData, r.DType, number[]]>([
    [3, 'int64', []],
    [1.5, 'float32', []],
    [true, 'bool', []],
    [5n, 'int64', []],
    [[], 'float32', [0]],
    [[1, 2], 'int64', [2]],
    [[1, 2.5], 'float32', [2]],
    [[true, 2], 'int64', [2]],
    [[Number.NaN], 'float32', [1]],
    [[[true], [false]], 'bool', [2, 1]],
    [[[], []], 'float32', [2, 0]],
    [new Float32Array(2), 'float32', [2]],
    [new Float64Array(2), 'float64', [2]],
    [new Int32Array(2), 'int32', [2]],
    [new BigInt64Array(2), 'int64', [2]],
  ])('case %# is %2$s of shape %3$j', (data, dtype, shape) => {
    const t = tensor(data);
    expect([t.dtype, t.shape, t.device, t.ndim, t.numel()]).toEqual([
      dtype,
      shape,
      'cpu',
      shape.length,
      shape.reduce((a, b) => a * b, 1),
    ]);
  });

  it('keeps values and gives them back nested, typed and single', () => {
    const t = tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { dtype: 'float64' },
    );
    expect(t.toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(t.toTypedArray()).toEqual(new Float64Array([1, 2, 3, 4, 5, 6]));
    expect(t.t().toTypedArray()).toEqual(new Float64Array([1, 4, 2, 5, 3, 6]));
    expect(tensor([true, false]).toArray()).toEqual([true, false]);
    expect(tensor([2n ** 40n]).toArray()).toEqual([2 ** 40]);
    expect(tensor(7).item()).toBe(7);
    expect(tensor(new Uint8Array([0, 1]), { dtype: 'bool' }).toTypedArray()).toEqual(new Uint8Array([0, 1]));
    expect(tensor(new Int32Array([1, 2, 3, 4]), { shape: [2, 2], dtype: 'int64' }).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('does not share memory with a typed array, and reads views where they begin', () => {
    const data = new Float32Array([1, 2, 3, 4]);
    const t = tensor(data.subarray(1, 3));
    data.fill(0);
    expect(t.toArray()).toEqual([2, 3]);
  });

  it('refuses ragged arrays, and says where', () => {
    expect(() => tensor([[1, 2], [3]])).toThrow(
      'Expected nested arrays of shape [2, 2] for data of tensor but received array of 1 at [1]',
    );
    expect(codeOf(() => tensor([[], [1]]))).toBe('INVALID_SHAPE');
    expect(codeOf(() => tensor([1, [2]] as never))).toBe('INVALID_SHAPE');
    expect(codeOf(() => tensor([[1], 2] as never))).toBe('INVALID_SHAPE');
  });

  it('refuses elements and options that do not fit', () => {
    expect(codeOf(() => tensor('1' as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => tensor([null] as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => tensor([1.5], { dtype: 'int64' }))).toBe('INVALID_DTYPE');
    expect(codeOf(() => tensor([2 ** 31], { dtype: 'int32' }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => tensor([2 ** 53]))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => tensor([2n ** 63n]))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => tensor([1n, 1.5]))).toBe('INVALID_DTYPE');
    expect(codeOf(() => tensor(new Uint8Array(2)))).toBe('INVALID_DTYPE');
    expect(codeOf(() => tensor(new Uint8Array([2]), { dtype: 'bool' }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => tensor(new Uint16Array(2) as never))).toBe('INVALID_DTYPE');
    expect(codeOf(() => tensor([1], { dtype: 'float16' as never }))).toBe('INVALID_DTYPE');
    expect(codeOf(() => tensor([1], { device: 'gpu' as never }))).toBe('INVALID_DEVICE');
    expect(codeOf(() => tensor([1], { requires_grad: true } as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => tensor(new Float32Array(3), { shape: [2, 2] }))).toBe('INVALID_SHAPE');
    expect(codeOf(() => tensor([1], { requiresGrad: true }))).toBe('INVALID_DTYPE');
    expect(codeOf(() => new (r.Tensor as never as new () => unknown)())).toBe('INVALID_ARGUMENT');
  });

  it('gives int64 beyond 2^53 only as a BigInt64Array, and says so', () => {
    const large = tensor([2n ** 60n]);
    expect(large.toTypedArray()).toEqual(new BigInt64Array([2n ** 60n]));
    expect(() => large.toArray()).toThrow(/toTypedArray/);
    expect(codeOf(() => large.item())).toBe('OUT_OF_RANGE');
  });
});

describe('makers', () => {
  it('have the shapes, dtypes and values of PyTorch', () => {
    expect(r.zeros([2, 1]).toArray()).toEqual([[0], [0]]);
    expect(r.ones([2], { dtype: 'bool' }).toArray()).toEqual([true, true]);
    expect([r.full([1], 2).dtype, r.full([1], 2.5).dtype, r.full([], 2.5).item()]).toEqual(['int64', 'float32', 2.5]);
    expect(r.arange(4).toArray()).toEqual([0, 1, 2, 3]);
    expect(r.arange(1, 2, { step: 0.25 }).toArray()).toEqual([1, 1.25, 1.5, 1.75]);
    expect(r.arange(3, 0, { step: -1 }).toArray()).toEqual([3, 2, 1]);
    expect(r.eye(2, 3).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(r.zerosLike(tensor([[1, 2]])).dtype).toBe('int64');
    expect(r.cat([tensor([[1]]), tensor([[2]])], -1).toArray()).toEqual([[1, 2]]);
    expect(r.stack([tensor([1]), tensor([2])], -1).toArray()).toEqual([[1, 2]]);
    expect(r.where(tensor([true, false]), tensor([1, 2]), 0).toArray()).toEqual([1, 0]);
  });

  it('draw what PyTorch draws for the same seed', () => {
    const values = readSafetensors(join(golden, 'initial_weights.safetensors'));
    r.manualSeed(11);
    expect(r.rand([7]).toArray()).toEqual(values['draws.rand']!.toArray());
    expect(r.randn([20]).toArray()).toEqual(values['draws.randn']!.toArray());
    expect(r.randint(-3, 12, [9]).toArray()).toEqual(values['draws.randint']!.toArray());
    expect(r.randperm(13).toArray()).toEqual(values['draws.randperm']!.toArray());
    expect(r.nn.functional.dropout(r.ones([40]), { p: 0.3 }).toArray()).toEqual(values['draws.dropout']!.toArray());
  });

  it('refuse what does not fit', () => {
    expect(codeOf(() => r.zeros([-1]))).toBe('INVALID_SHAPE');
    expect(codeOf(() => r.zeros(3 as never))).toBe('INVALID_SHAPE');
    expect(codeOf(() => r.randn([2], { dtype: 'int64' }))).toBe('INVALID_DTYPE');
    expect(codeOf(() => r.randint(3, 3, [1]))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => r.arange(0, 3, { step: -1 }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => r.cat([]))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => r.cat([tensor([1]), tensor([[1]])]))).toBe('INVALID_SHAPE');
    expect(codeOf(() => r.stack([tensor([1]), tensor([1, 2])]))).toBe('INVALID_SHAPE');
    expect(codeOf(() => r.manualSeed(1.5))).toBe('INVALID_ARGUMENT');
  });
});
