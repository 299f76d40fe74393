import { describe, expect, it } from 'vitest';
import { arange, cuda, type Tensor, tensor } from '../../../src/torch/index.js';
import { codeOf } from '../../support/close.js';

const m = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const f = tensor(
  [
    [1, 2],
    [3, 4],
  ],
  { dtype: 'float32' },
);

describe('arithmetic', () => {
  it.each<[string, Tensor, unknown]>([
    [
      'add',
      m.add(1),
      [
        [2, 3, 4],
        [5, 6, 7],
      ],
    ],
    [
      'add, broadcasting',
      m.add(tensor([10, 20, 30])),
      [
        [11, 22, 33],
        [14, 25, 36],
      ],
    ],
    ['sub', tensor([3]).sub(1), [2]],
    [
      'mul',
      f.mul(f),
      [
        [1, 4],
        [9, 16],
      ],
    ],
    ['div of integers', tensor([1, 2]).div(2), [0.5, 1]],
    [
      'pow',
      f.pow(2),
      [
        [1, 4],
        [9, 16],
      ],
    ],
    [
      'neg',
      f.neg(),
      [
        [-1, -2],
        [-3, -4],
      ],
    ],
    ['abs', tensor([-1, 1]).abs(), [1, 1]],
    [
      'square',
      f.square(),
      [
        [1, 4],
        [9, 16],
      ],
    ],
    ['sqrt', tensor([4, 9], { dtype: 'float32' }).sqrt(), [2, 3]],
    ['exp', tensor([0.0], { dtype: 'float32' }).exp(), [1]],
    ['log', tensor([1], { dtype: 'float32' }).log(), [0]],
    ['relu', tensor([-1.5, 2]).relu(), [0, 2]],
    ['sigmoid', tensor([0], { dtype: 'float32' }).sigmoid(), [0.5]],
    ['tanh', tensor([0], { dtype: 'float32' }).tanh(), [0]],
    ['reciprocal', tensor([4], { dtype: 'float32' }).reciprocal(), [0.25]],
    ['maximum', tensor([1, 5]).maximum(tensor([3, 2])), [3, 5]],
    ['minimum', tensor([1, 5]).minimum(tensor([3, 2])), [1, 2]],
    ['clamp', tensor([-3, 0, 3]).clamp({ min: -1, max: 2 }), [-1, 0, 2]],
    [
      'matmul',
      f.matmul(f),
      [
        [7, 10],
        [15, 22],
      ],
    ],
    ['matmul with a vector', f.matmul(tensor([1, 1], { dtype: 'float32' })), [3, 7]],
    ['eq', tensor([1, 2]).eq(2), [false, true]],
    ['ne', tensor([1, 2]).ne(tensor([1, 3])), [false, true]],
    ['lt', tensor([1, 2]).lt(2), [true, false]],
    ['le', tensor([1, 2]).le(1), [true, false]],
    ['gt', tensor([1, 2]).gt(1), [false, true]],
    ['ge', tensor([1, 2]).ge(2), [false, true]],
    ['logicalNot', tensor([true, false]).logicalNot(), [false, true]],
    ['logicalAnd', tensor([true, true]).logicalAnd(tensor([true, false])), [true, false]],
    ['logicalOr', tensor([false, true]).logicalOr(tensor([false, false])), [false, true]],
    ['isfinite', tensor([1.5, Number.NaN, Number.POSITIVE_INFINITY]).isfinite(), [true, false, false]],
    ['where', tensor([1, 2]).where(tensor([true, false]), tensor([5, 6])), [1, 6]],
    [
      'maskedFill',
      m.maskedFill(m.gt(4), 0),
      [
        [1, 2, 3],
        [4, 0, 0],
      ],
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual.toArray()).toEqual(expected);
  });

  it('promotes dtypes as PyTorch does', () => {
    expect(m.add(1).dtype).toBe('int64');
    expect(m.add(1.5).dtype).toBe('float32');
    expect(m.add(tensor([1.5, 1, 1])).dtype).toBe('float32');
    expect(f.add(tensor(1.5, { dtype: 'float64' })).dtype).toBe('float32');
    expect(f.to({ dtype: 'float64' }).add(f).dtype).toBe('float64');
    expect(m.div(m).dtype).toBe('float32');
  });

  it('names operation and shapes that do not fit', () => {
    expect(() => m.add(tensor([1, 2]))).toThrow(
      'add cannot broadcast shapes [2, 3] and [2]: sizes 3 and 2 differ and neither is 1',
    );
    expect(() => m.matmul(m)).toThrow(/matmul cannot multiply shapes \[2, 3\] and \[2, 3\]/);
    expect(codeOf(() => f.matmul(tensor([1, 2])))).toBe('INVALID_DTYPE');
    expect(codeOf(() => m.add('1' as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => m.maskedFill(tensor([1, 1, 1]), 0))).toBe('INVALID_DTYPE');
    expect(codeOf(() => m.clamp({}))).toBe('INVALID_ARGUMENT');
  });
});

describe('reductions', () => {
  it.each<[string, Tensor, unknown]>([
    ['sum', m.sum(), 21],
    ['sum over a dimension', m.sum({ dim: 0 }), [5, 7, 9]],
    ['sum over several', m.sum({ dim: [0, -1], keepdim: true }), [[21]]],
    ['mean', f.mean(), 2.5],
    ['mean over a dimension', f.mean({ dim: 1, keepdim: true }), [[1.5], [3.5]]],
    ['max', m.max(), 6],
    ['min', m.min(), 1],
    ['max along a dimension', m.max({ dim: 1 }).values, [3, 6]],
    ['its positions', m.max({ dim: 1 }).indices, [2, 2]],
    ['min along a dimension', m.min({ dim: -2 }).values, [1, 2, 3]],
    ['argmax', m.argmax(), 5],
    ['argmax along a dimension', m.argmax({ dim: 1, keepdim: true }), [[2], [2]]],
    ['argmin', m.argmin({ dim: 0 }), [0, 0, 0]],
    ['norm', tensor([3, 4], { dtype: 'float32' }).norm(), 5],
    ['any', tensor([false, true]).any(), true],
    ['all', tensor([false, true]).all(), false],
    ['softmax', tensor([[1, 1]], { dtype: 'float32' }).softmax(-1), [[0.5, 0.5]]],
    ['logSoftmax', tensor([7.5]).logSoftmax(0), [0]],
  ])('%s', (_, actual, expected) => {
    expect(actual.toArray()).toEqual(expected);
  });

  it('refuse dimensions and dtypes that do not fit', () => {
    expect(() => m.sum({ dim: 2 })).toThrow(
      'Expected a dimension from -2 to 1 (the tensor has 2 dimensions) for dim of sum but received number 2',
    );
    expect(codeOf(() => m.mean())).toBe('INVALID_DTYPE');
    expect(codeOf(() => m.sum({ dim: [0, -2] }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => m.softmax(0))).toBe('INVALID_DTYPE');
    expect(codeOf(() => tensor([]).max())).toBe('INVALID_SHAPE');
    expect(codeOf(() => tensor([[], []]).argmax({ dim: 1 }))).toBe('INVALID_SHAPE');
    expect(codeOf(() => m.item())).toBe('INVALID_SHAPE');
    expect(codeOf(() => m.sum({ axis: 0 } as never))).toBe('INVALID_ARGUMENT');
  });
});

describe('shape', () => {
  const cube = arange(24).reshape([2, 3, 4]);

  it.each<[string, Tensor, unknown]>([
    ['select', m.select(1, -1), [3, 6]],
    ['at', m.at(-1), [4, 5, 6]],
    [
      'slice',
      m.slice({ dim: 1, start: 1 }),
      [
        [2, 3],
        [5, 6],
      ],
    ],
    [
      'slice from the end, beyond the end, with a step',
      m.slice({ dim: 1, start: -3, end: 9, step: 2 }),
      [
        [1, 3],
        [4, 6],
      ],
    ],
    [
      'indexSelect',
      m.indexSelect(1, tensor([2, 0, 0])),
      [
        [3, 1, 1],
        [6, 4, 4],
      ],
    ],
    ['gather', m.gather(1, tensor([[0], [2]])), [[1], [6]]],
    ['index by positions', m.index([tensor([0, 1]), tensor([2, 0])]), [3, 4]],
    ['index by a mask', m.index(m.gt(3)), [4, 5, 6]],
    ['index with a whole dimension', m.index([null, tensor([1])]), [[2], [5]]],
    [
      'transpose',
      m.transpose(0, 1),
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
    ],
    [
      't',
      m.t(),
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
    ],
    [
      'permute',
      cube.permute([2, 0, -2]).at(0),
      [
        [0, 4, 8],
        [12, 16, 20],
      ],
    ],
    [
      'reshape',
      m.reshape([3, -1]),
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
    ['view', m.view([6]), [1, 2, 3, 4, 5, 6]],
    ['squeeze', tensor([[[1], [2]]]).squeeze(), [1, 2]],
    ['squeeze of one', tensor([[[1], [2]]]).squeeze(0), [[1], [2]]],
    ['unsqueeze', tensor([1, 2]).unsqueeze(-1), [[1], [2]]],
    ['flatten', cube.flatten(1).at(0).slice({ end: 5 }), [0, 1, 2, 3, 4]],
    [
      'expand',
      tensor([[1], [2]]).expand([-1, 2]),
      [
        [1, 1],
        [2, 2],
      ],
    ],
    [
      'flip',
      m.flip([0, 1]),
      [
        [6, 5, 4],
        [3, 2, 1],
      ],
    ],
    ['unbind', m.unbind(1)[1]!, [2, 5]],
  ])('%s', (_, actual, expected) => {
    expect(actual.toArray()).toEqual(expected);
  });

  it('refuses what does not fit, naming it', () => {
    expect(() => m.reshape([4, 2])).toThrow('reshape cannot give 6 elements of shape [2, 3] the shape [4, 2]');
    expect(() => m.at(2)).toThrow(
      'Expected a position from -2 to 1 (shape [2, 3]) for index of select but received number 2',
    );
    expect(codeOf(() => m.indexSelect(0, tensor([2])))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => m.indexSelect(0, tensor([0.5])))).toBe('INVALID_DTYPE');
    expect(codeOf(() => m.gather(0, tensor([1])))).toBe('INVALID_SHAPE');
    expect(codeOf(() => m.index([]))).toBe('INVALID_SHAPE');
    expect(codeOf(() => m.permute([0, 0]))).toBe('INVALID_SHAPE');
    expect(codeOf(() => m.reshape([-1, -1]))).toBe('INVALID_SHAPE');
    expect(codeOf(() => m.expand([3, 3]))).toBe('INVALID_SHAPE');
    expect(codeOf(() => m.slice({ step: 0 }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => tensor(1).at(0))).toBe('INVALID_SHAPE');
    expect(codeOf(() => cube.t())).toBe('INVALID_SHAPE');
    expect(codeOf(() => m.unsqueeze(4))).toBe('OUT_OF_RANGE');
  });

  it('copies and converts', () => {
    const copy = f.clone();
    f.at(0).fill_(0);
    expect(copy.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    f.copy_(copy);
    expect(f.to({ dtype: 'int32' }).toTypedArray()).toEqual(new Int32Array([1, 2, 3, 4]));
    // Without a GPU the reason is told, with one that there are not so many.
    expect(codeOf(() => f.to({ device: 'cuda:99' }))).toBe(cuda.status().code ?? 'INVALID_DEVICE');
    expect(codeOf(() => f.to({ device: 'gpu' as never }))).toBe('INVALID_DEVICE');
    expect(codeOf(() => f.to({ dtype: 'half' as never }))).toBe('INVALID_DTYPE');
    expect(codeOf(() => f.copy_(tensor([1, 2, 3])))).toBe('INVALID_SHAPE');
  });
});
