/** Texts that a small model tells apart after few epochs. */
export const rows = Array.from({ length: 240 }, (_, i) => ({
  text: `${['cat', 'saw', 'rain'][i % 3]} ${['a', 'the', 'one'][i % 2]} thing ${i % 7}`,
  label: ['animal', 'tool', 'weather'][i % 3]!,
}));

/** Such a model, without what is drawn by chance in training. */
export const small = {
  embeddingDim: 8,
  hiddenSize: 8,
  batchSize: 16,
  lr: 0.02,
  dropout: 0,
  wordDropout: 0,
  embeddingStd: 1,
};
