import type { WritingEngine } from '../../engine/writing.js';
import type { Validation } from '../../training/progress.js';

/** How well a language model knows texts. */
export interface LanguageResult extends Validation {
  /** Units measured; each is predicted from those before it. */
  rows: number;
  /** Mean of the negative logarithm of their probabilities, in nats. */
  loss: number;
  /** `exp(loss)`: as if the model chose among this many units each time. */
  perplexity: number;
  /** Bits that the model needs for a character (code point) of the texts, whatever its units are. */
  bitsPerCharacter: number;
}

/** Units that are read in one call: some tens of milliseconds. */
const TOGETHER = 2_048;

/**
 * The logarithm of the probability of each unit of a text but the first, given those before it.
 *
 * @param each - Called between two calls of the engine; may throw to end the work.
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

/** The measures of some units' probabilities. */
export function resultOf(logProbabilities: Float64Array, characters: number): LanguageResult {
  const sum = logProbabilities.reduce((total, value) => total - value, 0);
  const rows = logProbabilities.length;
  const loss = sum / rows;
  return { rows, loss, perplexity: Math.exp(loss), bitsPerCharacter: sum / Math.LN2 / Math.max(1, characters) };
}
