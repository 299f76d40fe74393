import type { TrainOptions } from 'recurra';

/** What is compared: a training of recurra, or of `theirs.py`. */
export interface Program {
  /** Its name in the results. */
  name: string;
  /** Options of `TextClassifier.train`; undefined for the others' programs. */
  options?: TrainOptions;
  /** Whether one seed is enough, because others give nearly the same. */
  oneSeed?: boolean;
  /** Left out by `--quick`. */
  slow?: boolean;
  /** Run only if `--programs` names it: it needs packages that the others do not. */
  named?: boolean;
}

/** All programs, each with its defaults: no setting is chosen by a test file. */
export const PROGRAMS: readonly Program[] = [
  { name: 'recurra', options: {} },
  { name: 'recurra-members-3', options: { members: 3 }, slow: true },
  { name: 'recurra-network', options: { linear: false } },
  { name: 'recurra-linear', options: { recurrent: false }, oneSeed: true },
  { name: 'scikit-learn', oneSeed: true },
  { name: 'fasttext-words' },
  { name: 'fasttext-subwords' },
  { name: 'spacy', oneSeed: true, named: true },
  { name: 'minilm', oneSeed: true, named: true },
];
