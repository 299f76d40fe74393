import type { ExplainingEngine, StateEntry } from '../../engine/engine.js';
import type { Ranks } from './ranks.js';
import { rangeOf, type Share } from './share.js';

/** Names of the states that the rows of a batch pass to the next one; each rank has those of its rows. */
const CARRIED = /(^|\.)training\.carried\./;

/**
 * Everything that a training resumes from. States carried between batches are concatenated from all ranks, as in one
 * process with all their rows; the rest is the same on each rank. All ranks must call it.
 */
export async function gatheredState(engine: ExplainingEngine, weights: boolean, ranks: Ranks): Promise<StateEntry[]> {
  const entries = await engine.trainingState(weights);
  const whole: StateEntry[] = [];
  for (const entry of entries) {
    if (!CARRIED.test(entry.name)) {
      whole.push(entry);
      continue;
    }
    const parts = await ranks.gatherBytes(entry.data);
    const data = Buffer.concat(parts);
    const width = entry.shape[1]!;
    whole.push({ ...entry, data, shape: [data.length / 4 / width, width] });
  }
  return whole;
}

/** The part of {@link gatheredState} that one rank resumes from. */
export function ownState(entries: readonly StateEntry[], share: Share): StateEntry[] {
  return entries.map((entry) => {
    if (share.size === 1 || !CARRIED.test(entry.name)) return entry;
    const [rows, width] = entry.shape as [number, number];
    const [start, end] = rangeOf(rows, share);
    return { ...entry, shape: [end - start, width], data: entry.data.slice(start * width * 4, end * width * 4) };
  });
}
