import type { Candidate, Translation } from './prediction.js';

/** Significant digits of a weight. */
const DIGITS = 4;

function plainCandidate({ alignments, ...candidate }: Candidate): object {
  const rows = alignments?.map((row) => Array.from(row, (weight) => Number(weight.toFixed(DIGITS))));
  return { ...candidate, ...(rows && { alignments: rows }) };
}

/** An answer as JSON, with alignments as lists of rounded numbers. */
export function plainTranslation({ candidates, ...best }: Translation): object {
  return { ...plainCandidate(best), candidates: candidates.map(plainCandidate) };
}
