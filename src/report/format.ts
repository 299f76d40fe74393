import type { RowShown } from '../inspection/found.js';
import type { CalibrationResult } from '../measures/calibration.js';
import type { LabelMeasures, PrecisionRecall } from '../measures/counts.js';
import type { CoverageCurve } from '../measures/coverage.js';
import type { LabelEstimates } from '../measures/intervals.js';
import type { Confusion } from '../measures/report.js';
import type { TagMistake } from '../measures/tagging.js';
import type { Estimate } from '../measures/wilson.js';
import type { TrainingRecord } from '../training/record.js';

/** A point of a learning curve. */
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

/** How the model was trained, as far as known. */
export interface TrainingShown {
  /** The training record of the model's file; null for files of earlier versions. */
  record: TrainingRecord | null;
  /** Points of the learning curves: one per epoch, or more with events. */
  curve: CurvePoint[];
  /** Duration of the training in seconds, if events are given. */
  seconds: number | null;
}

/** A fact about the model. */
export interface Fact {
  /** What it is, such as `cell`. */
  name: string;
  /** Its value. */
  value: string | number;
}

/** Common part of all reports. */
export interface CommonReport {
  /** The version of this package that wrote it. */
  version: string;
  /** Facts about the model. */
  facts: Fact[];
  /** How it was trained. */
  training: TrainingShown;
  /** Rows measured. */
  rows: number;
}

/** Results of a group of rows. */
export interface Group {
  /** What these rows have in common. */
  name: string;
  /** How many they are. */
  rows: number;
  /** Their accuracy, with Wilson's interval. */
  accuracy: Estimate;
}

/** Results by one property of the rows. */
export interface Grouping {
  /** The property: `tokens`, `known words`, or the name of a column. */
  by: string;
  /** The groups; for a column, the largest ones, with the others combined. */
  groups: Group[];
}

/** A label with its measures and their intervals. */
export interface LabelShown extends LabelEstimates {
  /** The label. */
  label: string;
  /** Rows that have it. */
  support: number;
  /** Rows predicted as it. */
  predicted: number;
}

/** A measured row as shown in the report; labels are indices into the report's labels. */
export interface ShownText {
  /** Number of the row, from 1. */
  row: number;
  /** Line of the file where it begins, if known. */
  line?: number;
  /** Beginning of its text. */
  text: string;
  /** Its correct label. */
  truth: number;
  /** Its predicted label. */
  predicted: number;
  /** Probability of the predicted label, from 0 to 1. */
  probability: number;
}

/** A part of a text, and its contribution to the score of a label. */
export interface ContributingPart {
  /** Where it begins in the text, in UTF-16 code units. */
  start: number;
  /** Where it ends, exclusive. */
  end: number;
  /** From -1 to 1, relative to the largest in the text. */
  contribution: number;
}

/** Number of rows with a true and a predicted label. */
export interface ConfusionCell {
  /** Index of the correct label. */
  truth: number;
  /** Index of the predicted label. */
  predicted: number;
  /** How many they are. */
  rows: number;
}

/** A confident mistake, with each token's contribution. */
export interface ExplainedMistake {
  /** Number of the row, from 1. */
  row: number;
  /** Line of the file where it begins, if known. */
  line?: number;
  /** Beginning of its text. */
  text: string;
  /** Its correct labels. */
  truth: readonly string[];
  /** Its predicted labels. */
  predicted: readonly string[];
  /** The wrong label, or for a `multiLabel` model possibly a missing one. */
  label: string;
  /** Probability of that label, from 0 to 1. */
  probability: number;
  /** Parts of the text with their contributions to the score of the label. */
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

/** The report of a classifier. */
export interface ClassifierReport extends CommonReport {
  /** Discriminant of {@link ModelReport}. */
  kind: 'classifier';
  /** Whether a text may have several labels. */
  multiLabel: boolean;
  /** The labels, in the order that indices mean. */
  labels: string[];
  /** Accuracy, with its bootstrap interval. */
  accuracy: Estimate;
  /** Macro F1, with its bootstrap interval. */
  macroF1: Estimate;
  /** Mean loss, in nats. */
  loss: number;
  /** Measures of each label; beyond 1,000 labels, only those with most rows. */
  perLabel: LabelShown[];
  /** Non-zero cells of the confusion matrix. Empty for multi-label models. */
  cells: ConfusionCell[];
  /** Confused labels, the most frequent first, at most 100. */
  confusions: Confusion[];
  /** How reliable the probabilities are; null for multi-label models. */
  calibration: CalibrationResult | null;
  /** Precision against threshold and coverage; null for multi-label models. */
  coverage: CoverageCurve | null;
  /** Results by length, by known words, and by a column. */
  groupings: Grouping[];
  /** The most confident mistakes. */
  mistakes: ExplainedMistake[];
  /** Rows whose label is probably wrong. */
  doubtful: {
    /**
     * Whether they were judged by models that have not seen them; otherwise by this model, which hides mistakes that it
     * has memorised.
     */
    outOfSample: boolean;
    /** Number of such rows. */
    rows: number;
    /** The most doubtful, at most 100. */
    examples: DoubtfulLabel[];
  } | null;
  /** A sample of the texts in the cells. */
  texts: ShownText[];
}

/** A part of a sentence, by its tokens. */
export interface MarkedPart {
  /** Index of its first token. */
  start: number;
  /** End, exclusive. */
  end: number;
  /** Its label, or its tag without a scheme. */
  label: string;
}

/** A sentence with errors. */
export interface ShownSentence {
  /** Number of the sentence, from 1. */
  row: number;
  /** Line of the file where it begins, if known. */
  line?: number;
  /** Its tokens, joined by spaces. */
  text: string;
  /** The correct spans. */
  truth: MarkedPart[];
  /** The found spans. */
  predicted: MarkedPart[];
}

/**
 * Errors of spans, by their kind. A found span that overlaps a correct one is not spurious, and the correct one is not
 * missed.
 */
export interface SpanErrors {
  /** Spans with correct borders and label. */
  right: number;
  /** Correct borders, wrong label. */
  label: number;
  /** Correct label, wrong borders. */
  borders: number;
  /** Wrong borders and label. */
  both: number;
  /** Correct spans that no found span overlaps. */
  missed: number;
  /** Found spans that overlap no correct one. */
  spurious: number;
}

/** The report of a tagger. */
export interface TaggerReport extends CommonReport {
  /** Discriminant of {@link ModelReport}. */
  kind: 'tagger';
  /** The scheme of the tags; null without one. */
  scheme: string | null;
  /** Tokens measured; `rows` are sentences. */
  tokens: number;
  /** Share of tokens with the correct tag. */
  accuracy: Estimate;
  /** Precision, recall and F1 over all spans; null without a scheme. */
  overall: PrecisionRecall | null;
  /** Measures of each label. */
  perLabel: LabelMeasures[];
  /** Errors by their kind; null without a scheme. */
  errors: SpanErrors | null;
  /** Labels taken for one another, the most frequent first, at most 100. */
  confusions: Confusion[];
  /** Whether the probabilities can be trusted. */
  calibration: CalibrationResult;
  /** The most frequent mistakes, at most 100. */
  mistakes: TagMistake[];
  /** Sentences with errors, a sample. */
  sentences: ShownSentence[];
}

/** How well a language model predicts units at a range of positions. */
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
  /** The seed, which reproduces the text. */
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

/** The report of a language model. */
export interface LanguageReport extends CommonReport {
  /** Discriminant of {@link ModelReport}. */
  kind: 'language';
  /** What the model reads and writes; `rows` counts them. */
  units: string;
  /** Perplexity by unit. */
  perplexity: number;
  /** Bits per character. */
  bitsPerCharacter: number;
  /** Mean loss by unit, in nats. */
  loss: number;
  /** Perplexity by position in the text, on a sample of the texts. */
  positions: PositionShown[];
  /** The least probable texts of the sample. */
  hardest: ScoredText[];
  /** Texts that the model wrote. */
  samples: SampleShown[];
}

/** A pair with a wrong answer. */
export interface ShownPair {
  /** Number of the source, from 1. */
  row: number;
  /** The source. */
  source: string;
  /** The model's answer. */
  text: string;
  /** The references. */
  references: string[];
  /** Edits to the nearest reference. */
  edits: number;
}

/** The report of a sequence-to-sequence model. */
export interface SequenceReport extends CommonReport {
  /** Discriminant of {@link ModelReport}. */
  kind: 'seq2seq';
  /** Share of the sources with a correct answer, with Wilson's interval. */
  accuracy: Estimate;
  /** Edits per unit of the references. */
  unitErrorRate: number;
  /** BLEU, from 0 to 100. */
  bleu: number;
  /** Mean loss by unit, in nats. */
  loss: number;
  /** Results by the length of the source. */
  groupings: Grouping[];
  /** Answers with the most edits relative to the reference's length, at most 100. */
  worst: ShownPair[];
}
