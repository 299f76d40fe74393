import type { BleuScore } from '../../measures/bleu.js';
import type { Validation } from '../../training/progress.js';

/** Measures of a sequence-to-sequence model. */
export interface Seq2SeqResult extends Validation {
  /** Distinct sources measured. */
  rows: number;
  /** Mean negative log-probability of the target units, including the ends, in nats. */
  loss: number;
  /**
   * Exact match: share of sources whose answer is one of the references. `1 - accuracy` is the word error rate of
   * pronunciations.
   */
  accuracy: number;
  /**
   * Edits between answers and references, divided by the units of the references; of several references, the nearest
   * counts. It is the phoneme error rate for pronunciations, and the character error rate for characters.
   */
  unitErrorRate: number;
  /** BLEU of the answers, from 0 to 100, as computed by sacrebleu. */
  bleu: number;
}

/** Additional figures of an evaluation. */
export interface Seq2SeqEvaluation extends Omit<Seq2SeqResult, 'bleu'> {
  /** Units of the references. */
  units: number;
  /** Edits between answers and references. */
  edits: number;
  /** BLEU and its components. */
  bleu: BleuScore;
}

/** A measured answer. */
export interface Seq2SeqMeasured {
  /** The source text. */
  source: string;
  /** The model's answer. */
  text: string;
  /** The references. */
  references: string[];
  /** Whether the answer is one of them. */
  right: boolean;
  /** Edits to the nearest reference. */
  edits: number;
  /** The logarithm of its probability. */
  score: number;
}
