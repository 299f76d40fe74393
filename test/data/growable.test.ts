import { describe, expect, it } from 'vitest';
import { Int32List } from '../../src/core/growable.js';

function finished(steps: Generator<void, Int32Array>): Int32Array {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

describe('Int32List', () => {
  // Blocks end after 65,536, 196,608 and 458,752 elements.
  it.each([0, 1, 65_535, 65_536, 65_537, 196_608, 196_609, 500_000])('keeps %i elements in order', (length) => {
    const list = new Int32List();
    const expected = Int32Array.from({ length }, (_, i) => (i * 7919) % 1000);
    for (const each of expected) list.push(each);
    expect(list.length).toBe(length);
    expect(Buffer.compare(Buffer.from(finished(list.finish()).buffer), Buffer.from(expected.buffer))).toBe(0);
    expect(list.length).toBe(0);
  });

  it.each([1, 7, 1_000, 65_536, 65_537, 300_000])('takes %i elements at a time', (size) => {
    const list = new Int32List();
    const expected = Int32Array.from({ length: 300_000 }, (_, i) => i * 7919);
    for (let from = 0; from < expected.length; from += size) list.pushAll(expected.subarray(from, from + size));
    expect(list.length).toBe(expected.length);
    list.pushAll(new Int32Array(0));
    list.push(5);
    const found = finished(list.finish());
    expect(found.at(-1)).toBe(5);
    expect(Buffer.compare(Buffer.from(found.buffer, 0, 4 * expected.length), Buffer.from(expected.buffer))).toBe(0);
  });

  it('maps elements on the way, and can be used again', () => {
    const list = new Int32List();
    for (let time = 0; time < 2; time++) {
      for (let i = 0; i < 200_000; i++) list.push(i % 3);
      const found = finished(list.finish(Int32Array.of(10, 20, 30)));
      expect(found.every((each, i) => each === 10 * ((i % 3) + 1))).toBe(true);
      expect(found.length).toBe(200_000);
    }
  });
});
