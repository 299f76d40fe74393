import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arange, nn, randn, type Tensor, tensor, tidy, zeros } from '../../../src/torch/index.js';
import { codeOf, expectClose } from '../../support/close.js';
import { golden } from '../../support/safetensors.js';

const {
  packPaddedSequence,
  padPackedSequence,
  packSequence,
  padSequence,
  unpackSequence,
  unpadSequence,
  PackedSequence,
} = nn.utils.rnn;

interface PackingCase {
  lengths: number[];
  padded: number[][];
  data: number[];
  batchSizes: number[];
  sortedIndices: number[];
  unsortedIndices: number[];
  repadded: number[][];
  repaddedLengths: number[];
}
const cases = JSON.parse(readFileSync(join(golden, 'packing.json'), 'utf8')) as PackingCase[];

describe.each(cases)('PyTorch golden packing of lengths $lengths', (one) => {
  const packed = packPaddedSequence(tensor(one.padded), one.lengths, { batchFirst: true, enforceSorted: false });

  it('has PyTorch’s data, batch sizes and indices', () => {
    expect(packed.data.toArray()).toEqual(one.data);
    expect([...packed.batchSizes]).toEqual(one.batchSizes);
    expect([...packed.sortedIndices!]).toEqual(one.sortedIndices);
    expect([...packed.unsortedIndices!]).toEqual(one.unsortedIndices);
    expect([...packed.lengths()]).toEqual(one.lengths);
  });

  it('pads back as PyTorch does', () => {
    const [output, lengths] = padPackedSequence(packed, { batchFirst: true, paddingValue: -1 });
    expect(output.toArray()).toEqual(one.repadded);
    expect([...lengths]).toEqual(one.repaddedLengths);
    expect(padPackedSequence(packed, { paddingValue: -1 })[0].t().toArray()).toEqual(one.repadded);
  });
});

describe('how a sequence is packed', () => {
  const x = () => randn([3, 4, 2]);
  const pack = (data: Tensor) => packPaddedSequence(data, [2, 4, 3], { batchFirst: true, enforceSorted: false });

  it('is known to the output of a layer as well, and remains so when the data is disposed', () => {
    const packed = pack(x());
    const [output] = new nn.LSTM(2, 5).forward(packed);
    for (const sequence of [packed, output, output.to({ dtype: 'float64' })]) {
      sequence.dispose();
      expect([...sequence.batchSizes]).toEqual([3, 3, 2, 1]);
      expect([...sequence.sortedIndices!]).toEqual([1, 2, 0]);
      expect([...sequence.unsortedIndices!]).toEqual([2, 0, 1]);
      expect(sequence.batchSize).toBe(3);
      expect([...sequence.lengths()]).toEqual([2, 4, 3]);
    }
    const sorted = packPaddedSequence(x(), [4, 4, 1], { batchFirst: true });
    expect([sorted.sortedIndices, sorted.unsortedIndices]).toEqual([null, null]);
    expect([...sorted.batchSizes]).toEqual([3, 2, 2, 2]);
  });

  it('may be looked at between two layers without changing a result, each sequence on its own', () => {
    const data = x();
    const [first, second] = [new nn.GRU(2, 5), new nn.GRU(5, 3)];
    const run = (look: boolean) => {
      const packed = pack(data);
      if (look) packed.batchSizes;
      const [between] = first.forward(packed);
      if (look) between.sortedIndices;
      const [output, h] = second.forward(between, zeros([1, 3, 3]));
      return [output.data.toArray(), h.toArray(), [...output.batchSizes], [...output.sortedIndices!]];
    };
    expect(run(true)).toEqual(run(false));
    const packed = pack(data);
    const [output] = first.forward(packed);
    packed.batchSizes.fill(0);
    expect([...output.batchSizes]).toEqual([3, 3, 2, 1]);
    expect(codeOf(() => first.forward(packed))).toBe('INVALID_ARGUMENT');
  });

  it('does not fit data that was put in its place', () => {
    const packed = pack(x());
    Object.assign(packed, { data: zeros([7, 2]) });
    expect(codeOf(() => new nn.LSTM(2, 5).forward(packed))).toBe('INVALID_ARGUMENT');
  });

  it('is shown with the data', () => {
    const rows = tensor([
      [1, 2],
      [3, 0],
    ]);
    const packed = packPaddedSequence(rows, [2, 1], { batchFirst: true, enforceSorted: false });
    expect(`${packed}`).toBe(
      'PackedSequence(data=tensor([1, 3, 2]), batchSizes=[2, 1], sortedIndices=[0, 1], unsortedIndices=[0, 1])',
    );
  });
});

const lengthsOf = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });

describe('packing of random lengths', () => {
  it('and padding again gives every real step back, and the padding value elsewhere', () => {
    fc.assert(
      fc.property(lengthsOf, fc.integer({ min: 0, max: 3 }), fc.boolean(), (lengths, extra, batchFirst) => {
        tidy(() => {
          const longest = Math.max(...lengths);
          const time = longest + extra;
          const x = arange(lengths.length * time * 2)
            .reshape([lengths.length, time, 2])
            .add(1);
          const input = batchFirst ? x : x.transpose(0, 1);
          const packed = packPaddedSequence(input, new Int32Array(lengths), { batchFirst, enforceSorted: false });
          const [output, back] = padPackedSequence(packed, { batchFirst, paddingValue: -7, totalLength: time });
          expect([...back]).toEqual(lengths);
          const expected = (x.toArray() as number[][][]).map((row, i) =>
            row.map((step, t) => (t < lengths[i]! ? step : [-7, -7])),
          );
          expect((batchFirst ? output : output.transpose(0, 1)).toArray()).toEqual(expected);
          expect(packed.data.shape[0]).toBe(lengths.reduce((a, b) => a + b));
        });
      }),
      { numRuns: 60 },
    );
  });

  it('of a list of sequences gives the list back, in its order', () => {
    fc.assert(
      fc.property(lengthsOf, (lengths) => {
        tidy(() => {
          const sequences = lengths.map((length, i) => arange(length).add(100 * i));
          const values = sequences.map((sequence) => sequence.toArray());
          const lists = (tensors: Tensor[]) => tensors.map((one) => one.toArray());
          expect(lists(unpackSequence(packSequence(sequences, { enforceSorted: false })))).toEqual(values);
          const padded = padSequence(sequences, { paddingValue: -1, batchFirst: true });
          expect(padded.shape).toEqual([lengths.length, Math.max(...lengths)]);
          expect(lists(unpadSequence(padded, lengths, { batchFirst: true }))).toEqual(values);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('lets gradients through, and none to the padding', () => {
    fc.assert(
      fc.property(lengthsOf, (lengths) => {
        tidy(() => {
          const time = Math.max(...lengths) + 1;
          const x = zeros([lengths.length, time, 1], { requiresGrad: true });
          const packed = packPaddedSequence(x, lengths, { batchFirst: true, enforceSorted: false });
          padPackedSequence(packed, { batchFirst: true })[0].sum().backward();
          const expected = lengths.map((length) => Array.from({ length: time }, (_, t) => [t < length ? 1 : 0]));
          expect(x.grad!.toArray()).toEqual(expected);
        });
      }),
      { numRuns: 25 },
    );
  });

  it('makes a text’s result independent of the batch it is in', () => {
    const layer = new nn.GRU(3, 4, { batchFirst: true, bidirectional: true, numLayers: 2 });
    fc.assert(
      fc.property(lengthsOf, (lengths) => {
        tidy(() => {
          const x = randn([lengths.length, Math.max(...lengths), 3]);
          const [, h] = layer.forward(packPaddedSequence(x, lengths, { batchFirst: true, enforceSorted: false }));
          lengths.forEach((length, i) => {
            const [, alone] = layer.forward(x.at(i).slice({ end: length }));
            expectClose(h.select(1, i), alone);
          });
        });
      }),
      { numRuns: 15 },
    );
  });
});

describe('packing', () => {
  it('in falling order keeps the order, and insists on it by default', () => {
    const x = zeros([2, 3, 1]);
    expect(packPaddedSequence(x, [3, 1], { batchFirst: true }).sortedIndices).toBeNull();
    expect(() => packPaddedSequence(x, [1, 3], { batchFirst: true })).toThrow(
      /descending order, or the option enforceSorted: false .*received \[1,3\]/,
    );
    expect(packPaddedSequence(x, tensor([3, 1]), { batchFirst: true }).batchSizes).toEqual(new Int32Array([2, 1, 1]));
  });

  it('refuses lengths that are 0, too long, too many, no integers, or on another device', () => {
    const x = zeros([2, 3, 1]);
    const pack = (lengths: unknown) => () =>
      packPaddedSequence(x, lengths as number[], { batchFirst: true, enforceSorted: false });
    expect(pack([3, 0])).toThrow(
      'Expected a length from 1 to 3 ([batch, time, ..] = [2, 3, 1]) for lengths[1] of packPaddedSequence but received 0',
    );
    expect(codeOf(pack([4, 1]))).toBe('OUT_OF_RANGE');
    expect(codeOf(pack([-1, 1]))).toBe('OUT_OF_RANGE');
    expect(codeOf(pack([3]))).toBe('INVALID_SHAPE');
    expect(codeOf(pack([3, 2, 1]))).toBe('INVALID_SHAPE');
    expect(codeOf(pack([3, 1.5]))).toBe('OUT_OF_RANGE');
    expect(codeOf(pack(['3', '1']))).toBe('INVALID_ARGUMENT');
    expect(codeOf(pack(3))).toBe('INVALID_ARGUMENT');
    expect(codeOf(pack(tensor([3.5, 1])))).toBe('INVALID_DTYPE');
    expect(codeOf(pack(tensor([[3, 1]])))).toBe('INVALID_SHAPE');
    expect(codeOf(() => packPaddedSequence(zeros([3]), [3]))).toBe('INVALID_SHAPE');
    expect(codeOf(() => packPaddedSequence(x, [3, 1], { batch_first: true } as never))).toBe('INVALID_ARGUMENT');
  });

  it('pads on the side that is asked for, and refuses sequences that do not go together', () => {
    const sequences = [tensor([1, 2]), tensor([3])];
    expect(padSequence(sequences).toArray()).toEqual([
      [1, 3],
      [2, 0],
    ]);
    expect(padSequence(sequences, { batchFirst: true, paddingSide: 'left', paddingValue: 9 }).toArray()).toEqual([
      [1, 2],
      [9, 3],
    ]);
    expect(codeOf(() => padSequence([]))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => padSequence([zeros([2, 1]), zeros([2, 2])]))).toBe('INVALID_SHAPE');
    expect(codeOf(() => padSequence([tensor([1]), tensor([1.5])]))).toBe('INVALID_DTYPE');
    expect(codeOf(() => packSequence([tensor([1]), tensor([1, 2])]))).toBe('INVALID_ARGUMENT');
  });

  it('refuses a total length below the longest sequence, and lengths that do not fit when unpadding', () => {
    const packed = packSequence([tensor([1, 2]), tensor([3])]);
    expect(codeOf(() => padPackedSequence(packed, { totalLength: 1 }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => padPackedSequence({ ...packed } as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => unpadSequence(zeros([2, 2]), [3, 1]))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => unpadSequence(zeros([2, 2]), [1]))).toBe('INVALID_SHAPE');
  });
});

describe('PackedSequence', () => {
  const data = zeros([5, 2]);
  const make =
    (...args: unknown[]) =>
    () =>
      new PackedSequence(...(args as ConstructorParameters<typeof PackedSequence>));

  it('is made of parts that fit together', () => {
    const packed = new PackedSequence(data, [3, 2], [2, 0, 1]);
    expect([...packed.unsortedIndices!]).toEqual([1, 2, 0]);
    expect([packed.batchSize, [...packed.lengths()]]).toEqual([3, [2, 1, 2]]);
    expect(packed.to({ dtype: 'float64' }).data.dtype).toBe('float64');
  });

  it('is not made of parts that do not', () => {
    expect(codeOf(make([1], [1]))).toBe('INVALID_ARGUMENT');
    expect(codeOf(make(tensor(1), [1]))).toBe('INVALID_SHAPE');
    expect(codeOf(make(data, []))).toBe('INVALID_SHAPE');
    expect(codeOf(make(data, [2, 3]))).toBe('OUT_OF_RANGE');
    expect(codeOf(make(data, [5, 0]))).toBe('OUT_OF_RANGE');
    expect(codeOf(make(data, [3, 1]))).toBe('INVALID_SHAPE');
    expect(codeOf(make(data, [3, 2], [0, 1]))).toBe('INVALID_SHAPE');
    expect(codeOf(make(data, [3, 2], [0, 1, 3]))).toBe('OUT_OF_RANGE');
    expect(codeOf(make(data, [3, 2], [0, 1, 1]))).toBe('OUT_OF_RANGE');
    expect(codeOf(make(data, [3, 2], [2, 0, 1], [2, 0, 1]))).toBe('INVALID_ARGUMENT');
    expect(codeOf(make(data, [3, 2], null, [0, 1, 2]))).toBe('INVALID_ARGUMENT');
  });

  it('does not change with the arrays it was made of', () => {
    const batchSizes = new Int32Array([3, 2]);
    const packed = new PackedSequence(data, batchSizes);
    batchSizes[0] = 100;
    expect([...packed.batchSizes]).toEqual([3, 2]);
  });
});
