/** A figure with its 95 % confidence interval. */
export interface Estimate {
  /** The figure for the actual rows. */
  value: number;
  /** Lower bound. */
  low: number;
  /** Upper bound. */
  high: number;
}

/** The quantile of the normal distribution that leaves 2.5 % above it. */
const Z = 1.959963984540054;

/**
 * Wilson's interval (1927) of a proportion, as statsmodels' `proportion_confint(method='wilson')`; 0 to 1 without rows.
 */
export function wilson(part: number, rows: number): Estimate {
  if (rows === 0) return { value: 0, low: 0, high: 1 };
  const value = part / rows;
  const scale = 1 + Z ** 2 / rows;
  const centre = (value + Z ** 2 / (2 * rows)) / scale;
  const half = (Z / scale) * Math.sqrt((value * (1 - value)) / rows + Z ** 2 / (4 * rows ** 2));
  return { value, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
