import type { EncodedDataset } from 'recurra';
import { padify, padLength, type TokenRow, trainEpochEmb } from 'recurra/lesson';
import { DataLoader, evaluate, manualSeed, optim, trainEpoch } from 'recurra/torch';
import type { LessonData } from './data.js';
import type { LessonModel } from './models.js';

/** The lesson fills up shorter texts with 0, which is its `<unk>`; recurra's own default is 1, `<pad>`. */
export const LESSON_PADDING = 0;

/** The lesson's sizes. */
export const SIZES = { embedding: 64, hidden: 32, batch: 16 } as const;

/** Rows per batch when measuring. It matters: without packing a text's logits depend on the longest text of its batch. */
const TEST_BATCH = 256;

/** Options of {@link runLesson}. */
export interface LessonOptions {
  /** Seed of the initial weights and of the order of rows. */
  seed: number;
  /** Number of times to go through the rows. Default 1, as the lesson. */
  epochs?: number | undefined;
  /**
   * Makes the order of the rows of the first epoch, once the network is there; default an order of the loader's own. `randperm` here
   * gives, after the same seed, the order that PyTorch's `torch.randperm` gives.
   */
  order?: ((rows: number) => ArrayLike<number>) | undefined;
  /** Called every 200 batches. */
  onProgress?: ((count: number, accuracy: number) => void) | undefined;
}

/** What {@link runLesson} returns. */
export interface LessonResult {
  /** Rows learned from in an epoch. */
  rows: number;
  /** Sum of the batches' mean losses over the number of samples, as the lesson computes it; of the last epoch. */
  lossPerSample: number;
  /** Share of rows that were right when they were learned from; of the last epoch. */
  trainAccuracy: number;
  /** Share of test rows that are right. */
  testAccuracy: number;
  /** Time that learning took. */
  seconds: number;
  /** Number of samples and running accuracy, every 200 batches of the last epoch. */
  curve: [count: number, accuracy: number][];
}

/** Trains one of the lesson's networks as the lesson does (batches of 16, Adam with 1e-3) and measures it on the test rows. */
export async function runLesson(model: LessonModel, data: LessonData, options: LessonOptions): Promise<LessonResult> {
  const { seed, epochs = 1, order, onProgress } = options;
  const { train, test, vocab } = data;
  const collate = (rows: TokenRow[]) =>
    model.packed ? padLength(rows, { paddingValue: LESSON_PADDING }) : padify(rows, { paddingValue: LESSON_PADDING });
  const makeLoader = (
    dataset: EncodedDataset,
    batchSize: number,
    rest: { shuffle?: boolean; indices?: ArrayLike<number> },
  ) => new DataLoader(dataset, { batchSize, collate, seed, ...rest });

  manualSeed(seed);
  using net = model.make(vocab.size, SIZES.embedding, SIZES.hidden, train.classes.length);
  using optimizer = new optim.Adam(net.parameters(), { lr: 1e-3 });
  const shuffled = makeLoader(train, SIZES.batch, { shuffle: true });
  const prescribed = order && makeLoader(train, SIZES.batch, { indices: order(train.length) });

  let curve: LessonResult['curve'] = [];
  let result = { loss: Number.NaN, accuracy: Number.NaN };
  const begun = performance.now();
  for (let epoch = 0; epoch < epochs; epoch++) {
    curve = [];
    const epochOptions = {
      optimizer,
      onProgress: ({ count, accuracy }: { count: number; accuracy: number }) => {
        curve.push([count, accuracy]);
        onProgress?.(count, accuracy);
      },
    };
    const loader = (epoch === 0 && prescribed) || shuffled;
    result = model.packed
      ? await trainEpochEmb(net, loader, { ...epochOptions, usePackSequence: true })
      : await trainEpoch(net, loader, epochOptions);
  }
  const seconds = (performance.now() - begun) / 1000;

  const measured = await evaluate(net, makeLoader(test, TEST_BATCH, {}));
  return {
    rows: train.length,
    lossPerSample: result.loss,
    trainAccuracy: result.accuracy,
    testAccuracy: measured.accuracy,
    seconds,
    curve,
  };
}
