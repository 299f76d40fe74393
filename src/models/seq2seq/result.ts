import type { BleuScore } from '../../measures/bleu.js';
import type { Validation } from '../../training/progress.js';

/** How well a model of pairs writes what is right. */
export interface Seq2SeqResult extends Validation {
  /** Different sources measured. */
  rows: number;
  /** Mean of the negative logarithm of the probability of the right units, their ends included, in nats. */
  loss: number;
  /** Exact match: share of sources whose answer is one of the right ones. `1 - accuracy` is the word error rate of pronunciations. */
  accuracy: number;
  /**
   * Edits that make the right answers of those given, by the units of the right ones; of several right answers the nearest counts. It is the
   * phoneme error rate of pronunciations, and the character error rate of characters.
   */
  unitErrorRate: number;
  /** BLEU of the answers, from 0 to 100, as sacrebleu computes it. */
  bleu: number;
}

/** What else an evaluation tells. */
export interface Seq2SeqEvaluation extends Omit<Seq2SeqResult, 'bleu'> {
  /** Units of the right answers. */
  units: number;
  /** Edits that make the right answers of those given. */
  edits: number;
  /** BLEU with what it is made of. */
  bleu: BleuScore;
}

/** An answer and whether it is right. */
export interface Seq2SeqMeasured {
  /** The text that was given. */
  source: string;
  /** What the model wrote. */
  text: string;
  /** The right answers. */
  references: string[];
  /** Whether it is one of them. */
  right: boolean;
  /** Edits to the nearest. */
  edits: number;
  /** The logarithm of its probability. */
  score: number;
}
