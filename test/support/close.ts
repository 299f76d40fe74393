import { expect } from 'vitest';
import type { Tensor } from '../../src/torch/index.js';

/** Expects the same shape and dtype, and elements within `tolerance` absolute plus relative. */
export function expectClose(actual: Tensor | null, expected: Tensor, tolerance = 1e-5, what = ''): void {
  expect(actual, what).not.toBeNull();
  expect(actual!.shape, `shape ${what}`).toEqual(expected.shape);
  expect(actual!.dtype, `dtype ${what}`).toBe(expected.dtype);
  const [a, b] = [actual!.toTypedArray(), expected.toTypedArray()];
  let worst = 0;
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    const error = Math.abs(x - y) / (1 + Math.abs(y));
    // NaN must not pass as "not larger".
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
  }
  expect(worst, `largest error, absolute plus relative ${what}`).toBeLessThanOrEqual(tolerance);
}

/** The code of the RecurraError that `fn` throws; fails if it throws none. */
export function codeOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
  throw new Error('Expected an error, but none was thrown');
}
