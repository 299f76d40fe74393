import type { ExplainingEngine, StateEntry } from '../../engine/engine.js';
import type { Ranks } from './ranks.js';
import { rangeOf, type Share } from './share.js';

/** Names of the states that the rows of a batch leave for the next one: of each rank those of its own rows. */
const CARRIED = /(^|\.)training\.carried\./;

/**
 * All that a training resumes from. What rows carry from batch to batch comes from all ranks, one behind the other, as one process with
 * all their rows has it; the rest is the same on each. All ranks must call it.
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

/** Of what {@link gatheredState} gave, what one rank resumes from. */
export function ownState(entries: readonly StateEntry[], share: Share): StateEntry[] {
  return entries.map((entry) => {
    if (share.size === 1 || !CARRIED.test(entry.name)) return entry;
    const [rows, width] = entry.shape as [number, number];
    const [start, end] = rangeOf(rows, share);
    return { ...entry, shape: [end - start, width], data: entry.data.slice(start * width * 4, end * width * 4) };
  });
}
