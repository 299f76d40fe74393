/** What some callers saw. */
export interface Figures {
  /** Where they asked: `in process` or `HTTP`. */
  way: string;
  callers: number;
  /** Milliseconds from the question to the answer: the median, and what 99 % stayed below. */
  p50: number;
  p99: number;
  /** Texts answered a second. */
  perSecond: number;
  /** Texts computed together, on average. */
  perBatch?: number;
  /** The longest time between two ticks of a timer of 1 ms in the process that predicts, in milliseconds. */
  longestTurn?: number;
}

/** Sums up the times of single questions, in milliseconds, asked over so many seconds. */
export function figures(way: string, callers: number, times: number[], seconds: number): Figures {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { way, callers, p50: at(0.5), p99: at(0.99), perSecond: times.length / seconds };
}
