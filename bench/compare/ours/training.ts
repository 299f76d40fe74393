import { type Progress, TextClassifier, TrainingError, type TrainOptions } from 'recurra';
import type { Shape } from '../types.js';

const LONGEST_TEXT = 1_000_000;
const ANY_NUMBER = 2 ** 31 - 1;
/** Never reached: trainings are stopped. */
const EPOCHS = 100_000;

/** The options that make a TextClassifier of the shape, as the lesson trains it: Adam, 1e-3, no dropout. */
export function trainOptions(shape: Shape, threads: number, epochs = EPOCHS): TrainOptions {
  return {
    cell: shape.cell,
    embeddingDim: shape.embedding,
    hiddenSize: shape.hidden,
    numLayers: shape.layers,
    bidirectional: shape.bidirectional,
    linear: false,
    adversarial: 0,
    pooling: 'last',
    dropout: 0,
    wordDropout: 0,
    embeddingStd: 1,
    batchSize: shape.batch,
    lr: 1e-3,
    schedule: 'constant',
    maxLength: LONGEST_TEXT,
    maxTokens: ANY_NUMBER,
    epochs,
    threads,
  };
}

/** Trains until `enough` says so after a report, and returns the model as far as it is. */
export async function trainUntil(
  rows: Iterable<{ text: string; label: string }>,
  options: TrainOptions,
  enough: (progress: Progress) => boolean,
): Promise<TextClassifier> {
  const stop = new AbortController();
  const onProgress = (progress: Progress) => {
    if (enough(progress)) stop.abort();
  };
  try {
    return await TextClassifier.train(rows, { ...options, onProgress, signal: stop.signal });
  } catch (error) {
    if (error instanceof TrainingError && error.code === 'ABORTED' && error.model) return error.model;
    throw error;
  }
}
