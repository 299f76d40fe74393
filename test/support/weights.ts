import { expect } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import type { TextClassifier } from '../../src/index.js';
import { light } from '../../src/native/light.js';

/** An engine's weights by name. */
export async function weightsOf(engine: Pick<Engine, 'state'>): Promise<Map<string, Float32Array>> {
  const state = await engine.state();
  return new Map(state.map(({ name, data }) => [name, new Float32Array(new Uint8Array(data).buffer)]));
}

/** What a model saves to a file: its word vectors, and the checksum of the whole. */
export async function savedAt(path: string, model: TextClassifier): Promise<{ weight: Float32Array; sha256: string }> {
  await model.save(path);
  const { metadata, tensors } = await light().readSafetensors(path, 1 << 30);
  const { data } = tensors.find(({ name }) => name === 'embedding.weight')!;
  return { weight: new Float32Array(new Uint8Array(data).buffer), sha256: metadata.sha256! };
}

/** The largest difference of two arrays of the same length. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}
