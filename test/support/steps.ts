import type { StepOptions } from '../../src/engine/engine.js';

/** Adam with these learning rates, and nothing else but what is changed. */
export function stepOptions(learningRates: Float64Array, change: Partial<StepOptions> = {}): StepOptions {
  return {
    learningRates,
    clipNorm: 0,
    optimizer: 'adam',
    weightDecay: 0,
    momentum: 0,
    loss: { weights: [], smoothing: 0 },
    freezeEmbedding: false,
    adversarial: 0,
    ...change,
  };
}
