import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { EncodedDataset, type EncodedRow } from '../../src/data/index.js';
import { DataLoader, type DataLoaderOptions } from '../../src/torch/index.js';

const NUMBERS = Array.from({ length: 10 }, (_, i) => i);

describe('DataLoader', () => {
  it('gives rows in order, in batches', () => {
    const loader = new DataLoader(NUMBERS, { batchSize: 4 });
    expect([...loader]).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(loader.length).toBe(3);
    expect([...new DataLoader(NUMBERS)]).toHaveLength(10);
  });

  it('leaves out a last small batch on demand', () => {
    const loader = new DataLoader(NUMBERS, { batchSize: 4, dropLast: true });
    expect([...loader].flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([loader.length, loader.rows]).toEqual([2, 10]);
    expect(new DataLoader([1], { batchSize: 2, dropLast: true })).toHaveLength(0);
  });

  it('gives each row once per epoch, each epoch in another order, reproducibly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 12, max: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(100),
        (rows, batchSize, seed) => {
          const items = Array.from({ length: rows }, (_, i) => i);
          const make = () => new DataLoader(items, { batchSize, shuffle: true, seed });
          const loader = make();
          const epochs = [0, 1, 2].map(() => [...loader].flat());
          for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual(items);
          expect(epochs[0]).not.toEqual(epochs[1]);
          const again = make();
          again.setEpoch(2);
          expect(again.epoch).toBe(2);
          expect([...again].flat()).toEqual(epochs[2]);
          expect(again.epoch).toBe(3);
        },
      ),
    );
  });

  it('takes the rows that indices name', () => {
    expect([...new DataLoader(NUMBERS, { indices: Int32Array.of(7, 2, 5), batchSize: 2 })]).toEqual([[7, 2], [5]]);
    const shuffled = new DataLoader(NUMBERS, { indices: [7, 2, 5], shuffle: true, batchSize: 3 });
    expect([...shuffled].flat().sort()).toEqual([2, 5, 7]);
    expect([...shuffled].flat().sort()).toEqual([2, 5, 7]);
  });

  it('collates, from an encoded data set too', () => {
    const dataset = new EncodedDataset({
      tokens: Int32Array.of(5, 6, 7),
      offsets: Uint32Array.of(0, 1, 3),
      labels: Int32Array.of(0, 1),
      classes: ['a', 'b'],
    });
    const loader = new DataLoader(dataset, { batchSize: 2, collate: (rows) => rows.map(({ tokens }) => [...tokens]) });
    expectTypeOf(loader).toEqualTypeOf<DataLoader<EncodedRow, number[][]>>();
    expect([...loader]).toEqual([[[5], [6, 7]]]);
    expectTypeOf(new DataLoader(dataset)).toExtend<Iterable<EncodedRow[]>>();
  });

  it('gives nothing for nothing', () => {
    expect([...new DataLoader([], { shuffle: true })]).toEqual([]);
  });

  it.each([
    [{ batchSize: 0 }, /batchSize/],
    [{ batchSize: 1.5 }, /batchSize/],
    [{ shuffle: 1 }, /shuffle/],
    [{ seed: -1 }, /seed/],
    [{ dropLast: 'no' }, /dropLast/],
    [{ collate: 'pad' }, /collate/],
    [{ indices: [10] }, /indices\[0\].*received number 10/],
    [{ batch_size: 4 }, /Unknown option "batch_size".*batchSize/],
  ])('refuses %j', (options, message) => {
    expect(() => new DataLoader(NUMBERS, options as DataLoaderOptions<number, number[]>)).toThrow(message);
  });

  it('refuses a data set without a length, and a wrong epoch', () => {
    expect(() => new DataLoader(null as never)).toThrow(/length and row/);
    expect(() => new DataLoader(new Map() as never)).toThrow(/length and row/);
    expect(() => new DataLoader(NUMBERS).setEpoch(-1)).toThrow(/epoch/);
  });
});
