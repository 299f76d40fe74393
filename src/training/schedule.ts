import type { LearningSettings } from './options/learning.js';

/**
 * The learning rate of a step.
 *
 * @param step - From 0 to `steps - 1`.
 * @param steps - Steps of the whole training, as if all epochs had as many as the current one.
 */
export function learningRate(
  { schedule, lr, warmup }: Pick<LearningSettings, 'schedule' | 'lr' | 'warmup'>,
  step: number,
  steps: number,
): number {
  const rising = warmup * steps;
  if (step + 1 <= rising) return (lr * (step + 1)) / rising;
  const share = Math.max(step - rising, 0) / (steps - rising);
  if (schedule === 'linear') return lr * (1 - share);
  if (schedule === 'cosine') return (lr * (1 + Math.cos(Math.PI * share))) / 2;
  return lr;
}
