import { precisionSteps } from '../../../measures/coverage.js';
import { Numbers } from '../../../measures/numbers.js';
import { isWholePart } from '../../../tuning/rungs.js';
import type { Answers } from '../../../tuning/score.js';
import { type Certainty, MOST_STEPS } from '../certainty.js';

/**
 * What the trials of some settings tell of the probabilities of a model that is trained with them on all rows: each row counts once, as a model
 * answered that was not trained on it. Trials on a part of the training rows count only where there are no others.
 *
 * @param trials - The answers of each trial, by the name of its part.
 * @returns undefined for answers without probabilities.
 */
export function certaintyOfTrials(trials: ReadonlyMap<string, Answers>): Certainty | undefined {
  const whole = [...trials].filter(([id]) => isWholePart(id));
  const counted = whole.length > 0 ? whole : [...trials];
  const seen = new Set<number>();
  const [right, wrong] = [new Numbers(), new Numbers()];
  for (const [, { rows, truth, given, probabilities }] of counted) {
    if (!probabilities) return undefined;
    for (const [at, row] of rows.entries()) {
      if (seen.has(row)) continue;
      seen.add(row);
      (truth[at] === given[at] ? right : wrong).push(probabilities[at]!);
    }
  }
  if (seen.size === 0) return undefined;
  return { rows: seen.size, steps: precisionSteps(right.take(), wrong.take(), MOST_STEPS) };
}
