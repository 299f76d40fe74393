import type { TrainingSet } from '../../training/task.js';
import { lengthsOf, type PairDataset, pickSequences, type Sequences } from './dataset.js';
import { type CollectedPairs, type Question, questionsOf } from './pairs.js';

/** Held-out pairs: the distinct sources, each with all its correct targets. */
export class HeldPairs implements TrainingSet {
  readonly questions: readonly Question[];
  /** All pairs as numbers. */
  readonly pairs: PairDataset;
  /** The distinct sources as numbers. */
  readonly sources: Sequences;
  /** The targets, as text. */
  readonly targets: readonly string[];

  constructor(all: CollectedPairs, pairs: PairDataset) {
    this.questions = questionsOf(all);
    this.pairs = pairs;
    this.sources = pickSequences(
      pairs.source,
      this.questions.map(({ pairs: [first] }) => first!),
    );
    this.targets = all.targets;
  }

  /** Number of distinct sources. */
  get length(): number {
    return this.questions.length;
  }

  lengths(): Int32Array {
    return lengthsOf(this.sources);
  }
}
