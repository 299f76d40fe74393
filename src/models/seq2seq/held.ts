import type { TrainingSet } from '../../training/task.js';
import { lengthsOf, type PairDataset, pickSequences, type Sequences } from './dataset.js';
import { type CollectedPairs, type Question, questionsOf } from './pairs.js';

/** Pairs that nothing is trained on: the different sources, each with all its right answers. */
export class HeldPairs implements TrainingSet {
  readonly questions: readonly Question[];
  /** All pairs as numbers. */
  readonly pairs: PairDataset;
  /** The different sources as numbers. */
  readonly sources: Sequences;
  /** The right answers of each pair, as they are written. */
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

  /** Different sources. */
  get length(): number {
    return this.questions.length;
  }

  lengths(): Int32Array {
    return lengthsOf(this.sources);
  }
}
