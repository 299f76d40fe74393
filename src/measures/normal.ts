/**
 * The probability that a normally distributed number with mean 0 and standard deviation 1 is at most `z`, within 1e-7: the Chebyshev fit of erfc by
 * Press et al., Numerical Recipes, 6.2.2.
 */
export function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const terms = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
    -1.26551223,
  ];
  const above = (t * Math.exp(-x * x + terms.reduce((sum, term) => sum * t + term, 0))) / 2;
  return z > 0 ? 1 - above : above;
}

/**
 * The quantile of the standard normal distribution for a probability strictly between 0 and 1, within 1e-6 except for
 * extremes.
 */
export function normalQuantile(probability: number): number {
  let [low, high] = [-10, 10];
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
