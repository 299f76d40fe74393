import type { Shape } from './types.js';

/** The shape of the PyTorch lesson: AG News, batches of 16. */
export const LESSON: Shape = {
  cell: 'lstm',
  embedding: 64,
  hidden: 32,
  layers: 1,
  bidirectional: false,
  batch: 16,
  vocabulary: 95_812,
  classes: 4,
  lengths: { mean: 44, spread: 'news' },
};

const even = (mean: number): Partial<Shape> => ({ lengths: { mean, spread: 'even' } });
const uneven = (mean: number): Partial<Shape> => ({ lengths: { mean, spread: 'uneven' } });

/** Each property of the lesson's shape varied alone, then some corners. */
const VARIED: Partial<Shape>[] = [
  {},
  { hidden: 128 },
  { hidden: 256 },
  { hidden: 512 },
  { batch: 64 },
  { batch: 256 },
  even(10),
  even(44),
  even(200),
  even(1000),
  uneven(10),
  uneven(44),
  uneven(200),
  uneven(1000),
  { layers: 2 },
  { bidirectional: true },
  { cell: 'rnn' },
  { cell: 'gru' },
  { vocabulary: 5_000 },
  { vocabulary: 500_000 },
  { hidden: 256, batch: 64 },
  { hidden: 256, batch: 256 },
  { hidden: 256, layers: 2 },
  { hidden: 256, bidirectional: true },
  { hidden: 512, batch: 64 },
  { hidden: 512, batch: 256 },
  { hidden: 512, layers: 2 },
  { hidden: 512, bidirectional: true },
  { hidden: 512, ...even(200) },
  { hidden: 256, batch: 256, ...even(10) },
  { hidden: 128, batch: 64, ...uneven(200) },
  { cell: 'rnn', hidden: 128, batch: 64, ...uneven(44) },
  { cell: 'gru', hidden: 128, batch: 64, layers: 2, bidirectional: true },
  { hidden: 64, batch: 64, layers: 2, bidirectional: true },
  { cell: 'gru', hidden: 256, batch: 16, vocabulary: 20_000, ...even(200) },
];

const QUICK: Partial<Shape>[] = [{ cell: 'gru', hidden: 128, batch: 64 }, { cell: 'rnn', ...even(10) }, uneven(200)];

const PREDICTED: Partial<Shape>[] = [
  { hidden: 256 },
  { cell: 'rnn' },
  { cell: 'gru', hidden: 128 },
  { layers: 2, bidirectional: true },
  even(10),
  uneven(200),
  { vocabulary: 500_000 },
];

/** Shapes whose training is compared. */
export function trainingShapes(quick: boolean): Shape[] {
  return (quick ? QUICK : VARIED).map((difference) => ({ ...LESSON, ...difference }));
}

/** Shapes whose inference is compared; a batch's size does not matter there. */
export function inferenceShapes(quick: boolean): Shape[] {
  return quick ? [] : PREDICTED.map((difference) => ({ ...LESSON, ...difference }));
}

/** A shape in words. */
export function shapeName({
  cell,
  embedding,
  hidden,
  layers,
  bidirectional,
  batch,
  vocabulary,
  lengths,
}: Shape): string {
  const stack = `${layers > 1 ? `${layers} layers, ` : ''}${bidirectional ? 'bidirectional, ' : ''}`;
  const texts = `${lengths.mean} tokens${lengths.spread === 'news' ? '' : ` ${lengths.spread}`}`;
  return `${cell.toUpperCase()} ${embedding} -> ${hidden}, ${stack}batch ${batch}, ${texts}, vocabulary ${vocabulary}`;
}
