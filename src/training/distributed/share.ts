/** A share of divided work. */
export interface Share {
  /** Its number, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
}

/** The whole work. */
export const WHOLE: Share = { rank: 0, size: 1 };

/** Range of a share of `count` consecutive items: parts of about the same size, in rank order. */
export function rangeOf(count: number, { rank, size }: Share): [start: number, end: number] {
  return [Math.floor((count * rank) / size), Math.floor((count * (rank + 1)) / size)];
}
