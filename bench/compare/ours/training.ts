import { type Progress, TextClassifier, TrainingError, type TrainOptions } from 'recurra';
import type { Measured, OurSpec, Shape, Timing } from '../types.js';
import type { Texts } from './texts.js';

const LONGEST_TEXT = 1_000_000;
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
    pooling: 'last',
    dropout: 0,
    wordDropout: 0,
    embeddingStd: 1,
    batchSize: shape.batch,
    lr: 1e-3,
    schedule: 'constant',
    maxLength: LONGEST_TEXT,
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

/**
 * Samples a second of a training from scratch. The clock runs from a report of progress to a later one, so that reading and tokenizing are
 * left out and everything that goes on between batches is in.
 */
export async function trainClassifier(
  texts: Texts,
  spec: OurSpec,
  { warmup, seconds, until = 0 }: Timing,
): Promise<Measured> {
  const progress: [time: number, samples: number][] = [];
  let begun: number | undefined;
  const model = await trainUntil(
    texts.numbers(),
    { ...trainOptions(spec.shape, spec.threads), tokenizer: texts.ids, device: spec.device ?? 'cpu' },
    ({ samples }) => {
      const now = (performance.timeOrigin + performance.now()) / 1000;
      begun ??= now;
      if (now - begun < warmup) return false;
      progress.push([now, samples]);
      return now - progress[0]![0] >= seconds && now >= until;
    },
  );
  const words = model.vocab.length;
  model.close();
  if (words !== spec.shape.vocabulary)
    throw new Error(`the vocabulary has ${words} words, not ${spec.shape.vocabulary}`);
  const [first, last] = [progress[0]!, progress.at(-1)!];
  return { value: (last[1] - first[1]) / (last[0] - first[0]), progress };
}
