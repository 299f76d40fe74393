import { join } from 'node:path';
import type { TextClassifier, TrainOptions } from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { topicTexts } from './texts.js';

/** Rows of three topics, and texts of others. */
export const rows = topicTexts(300);
export const texts = topicTexts(60, 9).map(({ text }) => text);

/** A network that learns in a moment. */
export const SMALL = { embeddingDim: 8, hiddenSize: 6, epochs: 2, lr: 1e-2, batchSize: 16, threads: 2 } as const;
/** The same beside a linear model. */
export const OPTIONS = { ...SMALL, linear: true } as const satisfies TrainOptions;
/** The linear model without a network. */
export const ALONE = { recurrent: false, threads: 2 } as const satisfies TrainOptions;

/** What a model saves to a file of a folder: arrays and metadata. */
export async function arraysOf(folder: string, model: TextClassifier) {
  const path = join(folder, 'arrays');
  await model.save(path);
  return light().readSafetensors(path, 1 << 30);
}

/** What tells two models apart: the checksum of their files. */
export async function checksumOf(folder: string, model: TextClassifier): Promise<string> {
  return (await arraysOf(folder, model)).metadata.sha256!;
}
