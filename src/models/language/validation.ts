import type { Validation } from '../../training/progress.js';

/** Measures of a language model on texts. */
export interface LanguageResult extends Validation {
  /** Units measured; each is predicted from those before it. */
  rows: number;
  /** Mean of the negative logarithm of their probabilities, in nats. */
  loss: number;
  /** `exp(loss)`: the effective number of choices for each unit. */
  perplexity: number;
  /** Bits per character (code point) of the texts, comparable across kinds of units. */
  bitsPerCharacter: number;
}
