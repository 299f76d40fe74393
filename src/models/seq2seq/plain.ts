import type { Candidate, Translation } from './prediction.js';

/** Digits of a weight that say something. */
const DIGITS = 4;

function plainCandidate({ alignments, ...candidate }: Candidate): object {
  const rows = alignments?.map((row) => Array.from(row, (weight) => Number(weight.toFixed(DIGITS))));
  return { ...candidate, ...(rows && { alignments: rows }) };
}

/** An answer as JSON, with alignments as lists of numbers of some digits. */
export function plainTranslation({ candidates, ...best }: Translation): object {
  return { ...plainCandidate(best), candidates: candidates.map(plainCandidate) };
}
