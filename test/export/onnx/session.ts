import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import type { ExportableModel } from '../../../src/export/index.js';
import { exportModel } from '../../../src/index.js';

/** What `createFeaturizer` gives. */
export interface Featurize {
  (texts: readonly unknown[]): ort.InferenceSession.FeedsType;
  settings: Record<string, unknown>;
  labels: string[];
  vocabulary: string[];
  encode(text: string): number[];
  decode(numbers: Iterable<number>): string;
  states(batch: number): Record<string, ort.Tensor>;
}

/** An exported model in onnxruntime, with the featurizer that was written beside it. */
export interface Opened {
  session: ort.InferenceSession;
  featurize: Featurize;
  out: string;
}

/** Exports a model and opens it. */
export async function exported(
  model: ExportableModel,
  folder: string,
  tokenize?: (text: string) => readonly unknown[],
): Promise<Opened> {
  const out = join(folder, 'model.onnx');
  const { files, notes } = await exportModel(model, { to: 'onnx', out });
  expect(files).toEqual([out, join(dirname(out), 'featurize.py'), join(dirname(out), 'featurize.mjs')]);
  expect(notes).toEqual([]);
  const { createFeaturizer } = await import(pathToFileURL(files[2]!).href);
  const bytes = readFileSync(out);
  const session = await ort.InferenceSession.create(bytes);
  return { session, featurize: createFeaturizer(bytes, { Tensor: ort.Tensor, tokenize }), out };
}

/** An output as float32 numbers. */
export async function floats(
  { session, featurize }: Pick<Opened, 'session' | 'featurize'>,
  texts: readonly unknown[],
  name: string,
): Promise<Float32Array> {
  return (await session.run(featurize(texts)))[name]!.data as Float32Array;
}

/** The largest difference of two lists of numbers. */
export function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}
