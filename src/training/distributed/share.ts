/** One of the parts that work is divided into. */
export interface Share {
  /** Its number, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
}

/** The whole of it. */
export const WHOLE: Share = { rank: 0, size: 1 };

/** Where a share of `count` things in a row begins and ends: parts of about the same number, in order of their ranks. */
export function rangeOf(count: number, { rank, size }: Share): [start: number, end: number] {
  return [Math.floor((count * rank) / size), Math.floor((count * (rank + 1)) / size)];
}
