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
