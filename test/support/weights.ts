import { expect } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';

/** An engine's weights by name. */
export async function weightsOf(engine: Pick<Engine, 'state'>): Promise<Map<string, Float32Array>> {
  const state = await engine.state();
  return new Map(state.map(({ name, data }) => [name, new Float32Array(new Uint8Array(data).buffer)]));
}

/** The largest difference of two arrays of the same length. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}
