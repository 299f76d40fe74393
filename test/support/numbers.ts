import type { Pair, Seq2SeqOptions } from '../../src/index.js';

const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** Numbers below a thousand, digit by digit in words: easy to learn, and new numbers are read by what others have in common. */
export function numberPairs(count: number): Pair[] {
  return Array.from({ length: count }, (_, i) => {
    const source = String((i * 7919) % (i % 3 === 0 ? 100 : 1_000));
    return { source, target: Array.from(source, (digit) => DIGITS[Number(digit)]).join(' ') };
  });
}

/** A small model that learns them in a moment. */
export const NUMBERS: Seq2SeqOptions = {
  targetUnits: 'tokens',
  embeddingDim: 32,
  hiddenSize: 32,
  batchSize: 8,
  lr: 0.005,
  dropout: 0.1,
  epochs: 25,
  threads: 1,
};
