import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nn, type Tensor, tensor } from '../../../src/torch/index.js';
import { codeOf, expectClose } from '../../support/close.js';
import { golden, readSafetensors } from '../../support/safetensors.js';

const F = nn.functional;
const values = readSafetensors(join(golden, 'functional.safetensors'));

describe('crossEntropy', () => {
  const weight = values.class_weight!;
  it.each<[string, nn.CrossEntropyOptions]>([
    ['mean', {}],
    ['sum', { reduction: 'sum' }],
    ['none', { reduction: 'none' }],
    ['weight', { weight }],
    ['smoothing', { labelSmoothing: 0.2 }],
    ['weight_smoothing', { weight, labelSmoothing: 0.1 }],
  ])('with %s is PyTorch’s, with its gradient', (name, options) => {
    const logits = values.logits!.clone();
    logits.requiresGrad = true;
    const loss = new nn.CrossEntropyLoss(options).forward(logits, values.target!);
    expectClose(loss, values[`loss.${name}`]!, 1e-6);
    loss.sum().backward();
    expectClose(logits.grad, values[`grad.${name}`]!, 1e-6);
  });

  it('refuses targets that are no class, naming one', () => {
    const logits = tensor([[0.5, 1, 2]]);
    expect(() => F.crossEntropy(logits, tensor([3]))).toThrow(/class indices from 0 to 2 .*found 3/);
    expect(codeOf(() => F.crossEntropy(logits, tensor([-1])))).toBe('OUT_OF_RANGE');
    expect(F.crossEntropy(logits, tensor([7]), { ignoreIndex: 7, reduction: 'sum' }).item()).toBe(0);
  });

  it('refuses shapes, dtypes and options that do not fit', () => {
    const logits = tensor([[0.5, 1, 2]]);
    expect(codeOf(() => F.crossEntropy(logits, tensor([0, 1])))).toBe('INVALID_SHAPE');
    expect(codeOf(() => F.crossEntropy(logits, tensor([0], { dtype: 'int32' })))).toBe('INVALID_DTYPE');
    expect(codeOf(() => F.crossEntropy(logits, tensor([0]), { weight: tensor([1.5]) }))).toBe('INVALID_SHAPE');
    expect(codeOf(() => F.crossEntropy(logits, tensor([0]), { reduction: 'avg' as never }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new nn.CrossEntropyLoss({ ignore_index: 0 } as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new nn.CrossEntropyLoss({ labelSmoothing: 2 }))).toBe('OUT_OF_RANGE');
  });

  it('takes probabilities, and one row without a batch', () => {
    const logits = tensor([0.5, 1, 2]);
    const hard = F.crossEntropy(logits, tensor(2)).item();
    expect(F.crossEntropy(logits, tensor([0, 0, 1], { dtype: 'float32' })).item()).toBeCloseTo(hard, 6);
  });
});

describe('embeddingBag', () => {
  const { table, ids, offsets, per_sample: perSampleWeights, upstream } = values as Record<string, Tensor>;

  it.each<[string, nn.EmbeddingBagOptions]>([
    ['sum', { mode: 'sum' }],
    ['mean', { mode: 'mean' }],
    ['max', { mode: 'max' }],
    ['padding', { mode: 'mean', paddingIdx: 2 }],
    ['weighted', { mode: 'sum', perSampleWeights }],
  ])('%s is PyTorch’s, with its gradient, an empty bag included', (name, options) => {
    const weight = table!.clone();
    weight.requiresGrad = true;
    const bags = F.embeddingBag(ids!, weight, offsets!, options);
    expectClose(bags, values[`bag.${name}`]!, 1e-6);
    bags.mul(upstream!).sum().backward();
    expectClose(weight.grad, values[`grad.bag.${name}`]!, 1e-6);
  });

  it('takes rows of ids as bags', () => {
    const bag = nn.EmbeddingBag.fromPretrained(table!, { mode: 'sum' });
    expectClose(
      bag.forward(
        tensor([
          [1, 2],
          [3, 3],
        ]),
      ),
      bag.forward(tensor([1, 2, 3, 3]), [0, 2]),
      0,
    );
  });

  it('refuses ids and offsets out of range', () => {
    const bag = new nn.EmbeddingBag(5, 2);
    const four = tensor([0, 1, 2, 3]);
    expect(codeOf(() => bag.forward(tensor([0, 5]), [0]))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => bag.forward(tensor([0, -1]), [0]))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => bag.forward(four, [1]))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => bag.forward(four, [0, 3, 2]))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => bag.forward(four, [0, 5]))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => bag.forward(four))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => bag.forward(tensor([[0]]), [0]))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => bag.forward(four, tensor([0.5])))).toBe('INVALID_DTYPE');
  });
});

describe('embedding', () => {
  it('refuses ids that are not rows, before libtorch sees them', () => {
    const embedding = new nn.Embedding(10, 3);
    expect(() => embedding.forward(tensor([[1, 10]]))).toThrow(/ids from 0 to 9 .*found 10/);
    expect(codeOf(() => embedding.forward(tensor([-1])))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => embedding.forward(tensor([0.5])))).toBe('INVALID_DTYPE');
    expect(codeOf(() => embedding.forward([1] as never))).toBe('INVALID_ARGUMENT');
    expect(embedding.forward(tensor(new Int32Array(0))).shape).toEqual([0, 3]);
  });

  it('takes given vectors, frozen or not, sharing their memory', () => {
    const vectors = tensor([
      [1.5, 2],
      [3, 4],
    ]);
    const frozen = nn.Embedding.fromPretrained(vectors);
    expect(frozen.weight.requiresGrad).toBe(false);
    expect(nn.Embedding.fromPretrained(vectors, { freeze: false }).weight.requiresGrad).toBe(true);
    vectors.fill_(7);
    expect(frozen.forward(tensor([1])).toArray()).toEqual([[7, 7]]);
    expect(codeOf(() => nn.Embedding.fromPretrained(tensor([1.5])))).toBe('INVALID_SHAPE');
  });
});

describe('pad, linear and dropout', () => {
  it('pads and cuts as PyTorch does', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(F.pad(x, [1, 2]).toArray()).toEqual([
      [0, 1, 2, 0, 0],
      [0, 3, 4, 0, 0],
    ]);
    expect(F.pad(x, [0, -1, 1, 0], { value: 9 }).toArray()).toEqual([[9], [1], [3]]);
    expect(F.pad(x, [0, 0]).toArray()).toEqual(x.toArray());
    expect(codeOf(() => F.pad(x, [1]))).toBe('INVALID_SHAPE');
    expect(codeOf(() => F.pad(x, [-2, -1]))).toBe('OUT_OF_RANGE');
  });

  it('names sizes that do not fit a linear layer', () => {
    const fc = new nn.Linear(3, 2);
    expect(() => fc.forward(tensor([[1.5, 2]]))).toThrow(
      'Expected shape [.., 3] for input of linear but received shape [1, 2]',
    );
    expect(codeOf(() => fc.forward(tensor([1, 2, 3])))).toBe('INVALID_DTYPE');
    expect(fc.forward(tensor([1.5, 2, 3])).shape).toEqual([2]);
  });

  it('drops in training only, at any time', () => {
    const dropout = new nn.Dropout(0.5);
    const ones = tensor(new Float32Array(1000).fill(1));
    const dropped = dropout.forward(ones);
    expect([...new Set(dropped.toArray() as number[])].sort()).toEqual([0, 2]);
    expect(dropout.eval().forward(ones).toArray()).toEqual(ones.toArray());
    // Not by the sum, which is 1000 whenever just half of the elements are kept.
    expect(new Set(dropout.train().forward(ones).toArray() as number[])).toEqual(new Set([0, 2]));
    expect(codeOf(() => new nn.Dropout(1.5))).toBe('OUT_OF_RANGE');
  });
});
