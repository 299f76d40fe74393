import type { Longest } from './data.js';

/**
 * Most units that a model writes for a source of `length` units where no option says it: as many as the longest target of its training
 * has, and for a source longer than the longest one there as many more.
 */
export function usualLimit(length: number, longest: Longest): number {
  return Math.max(1, Math.ceil(longest.target * Math.max(1, length / Math.max(longest.source, 1))));
}
