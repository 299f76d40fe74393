import type { Random } from '../core/random.js';

/** Up to this many successes, counting waiting times is faster than rejection. */
const FEW = 10;

/** The error of Stirling's formula for log(k!), for k of 0 to 9. */
const STIRLING = [
  0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.020790672103765, 0.0166446911898211, 0.0138761288230707,
  0.0118967099458917, 0.010411265261972, 0.0092554621827127, 0.0083305634333632,
];

function stirlingRest(k: number): number {
  if (k < STIRLING.length) return STIRLING[k]!;
  const inverse = 1 / (k + 1);
  return (1 / 12 - (1 / 360 - (1 / 1260) * inverse ** 2) * inverse ** 2) * inverse;
}

/** Counts successes by the failures between them, whose numbers are geometric. */
function byWaiting(random: Random, trials: number, share: number): number {
  const scale = 1 / Math.log1p(-share);
  let at = 0;
  for (let successes = 0; ; successes++) {
    at += Math.floor(Math.log(1 - random.float()) * scale) + 1;
    if (at > trials) return successes;
  }
}

/** Hörmann's transformed rejection with squeeze (BTRS, 1993); `share` is at most a half. */
function byRejection(random: Random, trials: number, share: number): number {
  const deviation = Math.sqrt(trials * share * (1 - share));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * share;
  const centre = trials * share + 0.5;
  const squeeze = 0.92 - 4.2 / b;
  const odds = share / (1 - share);
  const alpha = (2.83 + 5.1 / b) * deviation;
  const mode = Math.floor((trials + 1) * share);
  for (;;) {
    const u = random.float() - 0.5;
    const v = random.float();
    const distance = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / distance + b) * u + centre);
    if (k < 0 || k > trials) continue;
    if (distance >= 0.07 && v <= squeeze) return k;
    const height = Math.log((v * alpha) / (a / distance ** 2 + b));
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (trials - mode + 1))) +
      (trials + 1) * Math.log((trials - mode + 1) / (trials - k + 1)) +
      (k + 0.5) * Math.log((odds * (trials - k + 1)) / (k + 1)) +
      stirlingRest(mode) +
      stirlingRest(trials - mode) -
      stirlingRest(k) -
      stirlingRest(trials - k);
    if (height <= bound) return k;
  }
}

/**
 * Draws exactly from a binomial distribution: the number of successes in `trials` trials.
 *
 * @param trials - An integer of at least 0.
 * @param share - Probability of a success, from 0 to 1.
 */
export function binomial(random: Random, trials: number, share: number): number {
  if (trials === 0 || share <= 0) return 0;
  if (share >= 1) return trials;
  if (share > 0.5) return trials - binomial(random, trials, 1 - share);
  return trials * share < FEW ? byWaiting(random, trials, share) : byRejection(random, trials, share);
}
