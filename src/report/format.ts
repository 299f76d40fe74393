import type { RowShown } from '../inspection/found.js';
import type { CalibrationResult } from '../measures/calibration.js';
import type { LabelMeasures, PrecisionRecall } from '../measures/counts.js';
import type { CoverageCurve } from '../measures/coverage.js';
import type { Estimate, LabelEstimates } from '../measures/intervals.js';
import type { Confusion } from '../measures/report.js';
import type { TagMistake } from '../measures/tagging.js';
import type { TrainingRecord } from '../training/record.js';

/** Where a training stood. */
export interface CurvePoint {
  /** Passes over the rows so far; 1.5 is the middle of the second. */
  epoch: number;
  /** Mean loss of the training rows, in nats. */
  loss?: number;
  /** Share of the training rows that were answered correctly. */
  accuracy?: number;
  /** Learning rate. */
  learningRate?: number;
  /** Loss on the validation rows. */
  validationLoss?: number;
  /** Accuracy on the validation rows. */
  validationAccuracy?: number;
}

/** How the model was trained, as far as it is known. */
export interface TrainingShown {
  /** What the model's file tells; null for files of earlier versions. */
  record: TrainingRecord | null;
  /** Points of the learning curves: of each epoch, with events also within them. */
  curve: CurvePoint[];
  /** Seconds that the training took, where events tell it. */
  seconds: number | null;
}

/** A fact about the model. */
export interface Fact {
  /** What it is, such as `cell`. */
  name: string;
  /** Its value. */
  value: string | number;
}

/** What every report has. */
export interface CommonReport {
  /** The version of this package that wrote it. */
  version: string;
  /** What the model looks like. */
  facts: Fact[];
  /** How it was trained. */
  training: TrainingShown;
  /** Rows measured. */
  rows: number;
}

/** Results of some of the rows. */
export interface Group {
  /** What these rows have in common. */
  name: string;
  /** How many they are. */
  rows: number;
  /** Share of them that are right, with Wilson's interval. */
  accuracy: Estimate;
}

/** Results by one property of the rows. */
export interface Grouping {
  /** The property: `tokens`, `known words`, or the name of a column. */
  by: string;
  /** The groups. Of a column the largest; the others are one. */
  groups: Group[];
}

/** A label with its measures and their intervals. */
export interface LabelShown extends LabelEstimates {
  /** The label. */
  label: string;
  /** Rows that have it. */
  support: number;
  /** Rows that were given it. */
  predicted: number;
}

/** A row that was measured, as the report shows it; labels are indices into the labels of the report. */
export interface ShownText {
  /** Number of the row, from 1. */
  row: number;
  /** Line of the file where it begins, if it comes from a file. */
  line?: number;
  /** Beginning of its text. */
  text: string;
  /** Its right label. */
  truth: number;
  /** The label that the model gave it. */
  predicted: number;
  /** How probable the model found that, from 0 to 1. */
  probability: number;
}

/** A part of a text, and what it adds to the score of a label. */
export interface ContributingPart {
  /** Where it begins in the text, in UTF-16 code units. */
  start: number;
  /** Where it ends, without that one. */
  end: number;
  /** From -1 to 1, where 1 is the largest of the text. */
  contribution: number;
}

/** Rows of one label that were given one label. */
export interface ConfusionCell {
  /** Index of the right label. */
  truth: number;
  /** Index of the label that was given. */
  predicted: number;
  /** How many they are. */
  rows: number;
}

/** A mistake of which the model was sure, with what each token contributed. */
export interface ExplainedMistake {
  /** Number of the row, from 1. */
  row: number;
  /** Line of the file where it begins, if it comes from a file. */
  line?: number;
  /** Beginning of its text. */
  text: string;
  /** Its right labels. */
  truth: readonly string[];
  /** The labels that the model gave it. */
  predicted: readonly string[];
  /** The label that is wrong, or of a `multiLabel` model perhaps missing. */
  label: string;
  /** Probability of that label, from 0 to 1. */
  probability: number;
  /** Parts of the text with what they add to the score of the label; -1 to 1, where 1 is the largest of the text. */
  tokens: ContributingPart[];
}

/** A row whose label is probably wrong. */
export interface DoubtfulLabel extends RowShown {
  /** The label that it probably should have. */
  suggested: string;
  /** Probability of its label, from 0 to 1. */
  probability: number;
  /** Probability of the suggested label, from 0 to 1. */
  suggestedProbability: number;
}

/** What a report tells of a classifier. */
export interface ClassifierReport extends CommonReport {
  /** Tells the reports apart. */
  kind: 'classifier';
  /** Whether a text may have several labels. */
  multiLabel: boolean;
  /** The labels, in the order that indices mean. */
  labels: string[];
  /** Share of rows that are right, with its interval by the bootstrap. */
  accuracy: Estimate;
  /** Mean F1 of the labels, with its interval by the bootstrap. */
  macroF1: Estimate;
  /** Mean loss, in nats. */
  loss: number;
  /** Measures of each label; of more than 1,000 labels those with most rows. */
  perLabel: LabelShown[];
  /** Which label was taken for which: cells of the confusion matrix that are not 0, as indices and rows. Empty with several labels a text. */
  cells: ConfusionCell[];
  /** The labels taken for one another, the most frequent first, at most 100. */
  confusions: Confusion[];
  /** Whether the probabilities can be believed; null with several labels a text. */
  calibration: CalibrationResult | null;
  /** Precision against threshold and coverage; null with several labels a text. */
  coverage: CoverageCurve | null;
  /** Results by length, by known words, and by a column. */
  groupings: Grouping[];
  /** The most confident mistakes. */
  mistakes: ExplainedMistake[];
  /** Rows whose label is probably wrong. */
  doubtful: {
    /** Whether they were judged by models that have not seen them; if not, by this model, which hides what it has learned by heart. */
    outOfSample: boolean;
    /** How many were found. */
    rows: number;
    /** The most doubtful, at most 100. */
    examples: DoubtfulLabel[];
  } | null;
  /** Texts behind the cells, a sample. */
  texts: ShownText[];
}

/** A part of a sentence, by its tokens. */
export interface MarkedPart {
  /** Index of its first token. */
  start: number;
  /** Index behind its last token. */
  end: number;
  /** Its label; without a scheme the tag. */
  label: string;
}

/** A sentence with errors. */
export interface ShownSentence {
  /** Number of the sentence, from 1. */
  row: number;
  /** Line of the file where it begins, if it comes from a file. */
  line?: number;
  /** Its tokens with blanks between them. */
  text: string;
  /** The right spans. */
  truth: MarkedPart[];
  /** The spans that were found. */
  predicted: MarkedPart[];
}

/** Errors of spans, by their kind. A span that was found and touches a right one is no spurious one, and that one is not missed. */
export interface SpanErrors {
  /** Spans whose borders and label are right. */
  right: number;
  /** The right borders, another label. */
  label: number;
  /** The right label, other borders. */
  borders: number;
  /** Other borders and another label. */
  both: number;
  /** Right spans that nothing found touches. */
  missed: number;
  /** Found spans that touch no right one. */
  spurious: number;
}

/** What a report tells of a tagger. */
export interface TaggerReport extends CommonReport {
  /** Tells the reports apart. */
  kind: 'tagger';
  /** The scheme of the tags; null without one. */
  scheme: string | null;
  /** Tokens measured; `rows` are sentences. */
  tokens: number;
  /** Share of tokens with the right tag. */
  accuracy: Estimate;
  /** Precision, recall and F1 over all spans; null without a scheme. */
  overall: PrecisionRecall | null;
  /** Measures of each label. */
  perLabel: LabelMeasures[];
  /** Errors by their kind; null without a scheme. */
  errors: SpanErrors | null;
  /** Labels taken for one another, the most frequent first, at most 100. */
  confusions: Confusion[];
  /** Whether the probabilities can be believed. */
  calibration: CalibrationResult;
  /** The most frequent mistakes, at most 100. */
  mistakes: TagMistake[];
  /** Sentences with errors, a sample. */
  sentences: ShownSentence[];
}

/** How well a language model predicts units at some places of a text. */
export interface PositionShown {
  /** First place, from 1. */
  from: number;
  /** Last place. */
  to: number;
  /** Units measured. */
  units: number;
  /** Their perplexity. */
  perplexity: number;
}

/** A text that a language model wrote. */
export interface SampleShown {
  /** The seed, which gives the same text again. */
  seed: number;
  /** The text. */
  text: string;
}

/** A text and its perplexity. */
export interface ScoredText {
  /** Number of the text, from 1. */
  row: number;
  /** Beginning of the text. */
  text: string;
  /** Its perplexity. */
  perplexity: number;
}

/** What a report tells of a language model. */
export interface LanguageReport extends CommonReport {
  /** Tells the reports apart. */
  kind: 'language';
  /** What the model reads and writes; `rows` counts them. */
  units: string;
  /** Perplexity by unit. */
  perplexity: number;
  /** Bits for a character. */
  bitsPerCharacter: number;
  /** Mean loss by unit, in nats. */
  loss: number;
  /** Perplexity by the place in the text, on a sample of the texts. */
  positions: PositionShown[];
  /** Texts that the model finds least probable, of the sample. */
  hardest: ScoredText[];
  /** Texts that the model wrote. */
  samples: SampleShown[];
}

/** A pair with a wrong answer. */
export interface ShownPair {
  /** Number of the source, from 1. */
  row: number;
  /** What was read. */
  source: string;
  /** What the model wrote. */
  text: string;
  /** The right answers. */
  references: string[];
  /** Edits to the nearest. */
  edits: number;
}

/** What a report tells of a model from sequence to sequence. */
export interface SequenceReport extends CommonReport {
  /** Tells the reports apart. */
  kind: 'seq2seq';
  /** Share of the sources whose answer is right, with Wilson's interval. */
  accuracy: Estimate;
  /** Edits by unit of the right answers. */
  unitErrorRate: number;
  /** BLEU, from 0 to 100. */
  bleu: number;
  /** Mean loss by unit, in nats. */
  loss: number;
  /** Results by the length of the source. */
  groupings: Grouping[];
  /** Answers with most edits for the length of the right answer, at most 100. */
  worst: ShownPair[];
}
