import { describe, expect, it } from 'vitest';
import { offsetify, padify, padLength, type TokenRow } from '../../src/lesson/index.js';
import { DataLoader } from '../../src/torch/index.js';

const ROWS: TokenRow[] = [
  { label: 2, tokens: Int32Array.of(5, 6, 7) },
  { label: 0, tokens: [2_000_000_000] },
];

describe('padify and padLength', () => {
  it('fill up the shorter texts', () => {
    const [labels, features, lengths] = padLength(ROWS);
    expect([labels.dtype, labels.shape, labels.toArray()]).toEqual(['int64', [2], [2, 0]]);
    expect([features.dtype, features.shape]).toEqual(['int64', [2, 3]]);
    expect(features.toArray()).toEqual([
      [5, 6, 7],
      [2_000_000_000, 1, 1],
    ]);
    expect(lengths).toEqual(Int32Array.of(3, 1));
    const [sameLabels, sameFeatures] = padify(ROWS);
    expect([sameLabels.toArray(), sameFeatures.toArray()]).toEqual([labels.toArray(), features.toArray()]);
  });

  it('fill up with another value', () => {
    expect(padify(ROWS, { paddingValue: 0 })[1].toArray()).toEqual([
      [5, 6, 7],
      [2_000_000_000, 0, 0],
    ]);
    expect(padLength(ROWS, { paddingValue: 9 })[1].select(0, 1).toArray()).toEqual([2_000_000_000, 9, 9]);
  });

  it('serve a loader', () => {
    const loader = new DataLoader(ROWS, { batchSize: 2, collate: padLength });
    for (const [labels, features, lengths] of loader) {
      expect([labels.shape, features.shape, lengths.length]).toEqual([[2], [2, 3], 2]);
    }
  });
});

describe('offsetify', () => {
  it('puts texts one after the other', () => {
    const [labels, text, offsets] = offsetify(ROWS);
    expect(labels.toArray()).toEqual([2, 0]);
    expect([text.dtype, text.toArray()]).toEqual(['int64', [5, 6, 7, 2_000_000_000]]);
    expect([offsets.dtype, offsets.toArray()]).toEqual(['int64', [0, 3]]);
  });
});

describe.each([
  ['padify', padify],
  ['padLength', padLength],
  ['offsetify', offsetify],
])('%s on bad rows', (_, collate) => {
  it.each([
    [[], /non-empty array/],
    [null, /non-empty array/],
    [[{ label: 0, tokens: [] }], /rows\[0\].tokens.*at least one token|at least one token.*rows\[0\].tokens/],
    [[{ label: 0 }], /rows\[0\].tokens/],
    [[null], /rows\[0\].tokens/],
    [[{ label: -1, tokens: [1] }], /rows\[0\].label/],
    [[{ label: 0.5, tokens: [1] }], /rows\[0\].label/],
    [[ROWS[0], { label: 0, tokens: [1, -1] }], /rows\[1\].tokens\[1\]/],
    [[{ label: 0, tokens: [2 ** 31] }], /rows\[0\].tokens\[0\]/],
    [[{ label: 0, tokens: ['a'] }], /rows\[0\].tokens\[0\]/],
  ])('refuses %j', (rows, message) => {
    expect(() => collate(rows as never)).toThrow(message);
  });
});

describe('options of padify and padLength', () => {
  it.each([padify, padLength])('are checked', (collate) => {
    expect(() => collate(ROWS, { paddingValue: -1 })).toThrow(/paddingValue/);
    expect(() => collate(ROWS, { padding: 1 } as never)).toThrow(/Unknown option "padding"/);
  });
});
