import type { WritingEngine } from '../../engine/writing.js';
import type { UnitText } from '../../text/units/index.js';
import type { LanguageResult } from './validation.js';

/** Units read per call: some tens of milliseconds. */
const TOGETHER = 2_048;

/**
 * The log-probability of each unit of a text except the first, given those before it.
 *
 * @param each - Called between two calls of the engine; may throw to stop the work.
 */
export async function logProbabilitiesOf(
  engine: WritingEngine,
  units: Int32Array,
  each: () => void = () => {},
): Promise<Float64Array> {
  const found = new Float64Array(units.length - 1);
  const text = engine.readText();
  for (let from = 0; from < found.length; from += TOGETHER) {
    each();
    const to = Math.min(found.length, from + TOGETHER);
    found.set(await text.logProbabilities(units.subarray(from, to), units.subarray(from + 1, to + 1)), from);
  }
  return found;
}

/**
 * Measures an engine on units that need not be in memory; the first is context only. Otherwise like
 * {@link logProbabilitiesOf}.
 */
export async function measured(
  engine: WritingEngine,
  units: UnitText,
  characters: number,
  each: () => void = () => {},
): Promise<LanguageResult> {
  const text = engine.readText();
  const rows = units.length - 1;
  let sum = 0;
  for (let from = 0; from < rows; from += TOGETHER) {
    each();
    const part = await units.read(from, Math.min(rows, from + TOGETHER) + 1);
    const found = await text.logProbabilities(part.subarray(0, -1), part.subarray(1));
    for (const value of found) sum -= value;
  }
  return measuresOf(sum, rows, characters);
}

/** The measures of some units' probabilities. */
export function resultOf(logProbabilities: Float64Array, characters: number): LanguageResult {
  const sum = logProbabilities.reduce((total, value) => total - value, 0);
  return measuresOf(sum, logProbabilities.length, characters);
}

function measuresOf(sum: number, rows: number, characters: number): LanguageResult {
  const loss = sum / rows;
  return { rows, loss, perplexity: Math.exp(loss), bitsPerCharacter: sum / Math.LN2 / Math.max(1, characters) };
}
