import { printableLines } from './printable.js';

/** Writes one JSON object as one line to standard output. */
export function jsonLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/**
 * Writes a line for people to standard error, so that standard output contains only results. Control characters are
 * escaped.
 */
export function note(line: string): void {
  process.stderr.write(`${printableLines(line)}\n`);
}

/** `0.9123` as `91.23 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** Seconds as `42 s` or `3 min 05 s`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}
