import type { TagMode, TokenSpan } from '../text/tags/entities.js';
import type { TagScheme } from '../text/tags/scheme.js';
import { Calibration, type CalibrationResult } from './calibration.js';
import { EntityCounter, type EntityReport } from './entities.js';
import { type ClassificationReport, type Confusion, PairCounter, reportOf, sortedConfusions } from './report.js';

/** A mistake of a tagger, and its frequency. */
export interface TagMistake {
  /** The token, or the tokens of the span joined by spaces. */
  text: string;
  /** The correct label; null if there is no span. */
  truth: string | null;
  /** The predicted label; null if no span was found. */
  predicted: string | null;
  /** How often. */
  count: number;
  /** Its first occurrence: up to five tokens before and after it. */
  context: {
    /** Tokens before it, joined by spaces. */
    before: string;
    /** Tokens after it. */
    after: string;
    /** Number of the sentence, from 1. */
    sentence: number;
    /** Line of the file where the sentence begins, if it comes from a file. */
    line: number | undefined;
  };
}

/** What both kinds of {@link TaggingEvaluation} have. */
interface TaggingMeasures {
  /** Sentences measured. */
  sentences: number;
  /** Tokens measured. */
  tokens: number;
  /**
   * How reliable the probabilities are: those of the found spans, each correct if its borders and its label are; for
   * tags without a scheme, those of the tags.
   */
  calibration: CalibrationResult;
  /** The most frequent mistakes, at most 1,000. Spans with wrong borders are separate mistakes. */
  mistakes: TagMistake[];
}

/** How well a tagger finds entities; see {@link EntityReport} for the rules. */
export interface EntityEvaluation extends EntityReport, TaggingMeasures {
  /** The scheme of the tags. */
  scheme: TagScheme;
  /** Confused labels, token by token, the most frequent first; `O` stands for a token without one. */
  confusions: Confusion[];
}

/** How well a tagger predicts tags without a scheme, such as parts of speech; `rows` are tokens. */
export interface TagEvaluation extends ClassificationReport, TaggingMeasures {
  /** Tags without a scheme. */
  scheme: undefined;
}

/** Result of a tagger's evaluation: `scheme` tells which kind. */
export type TaggingEvaluation = EntityEvaluation | TagEvaluation;

/** A found span, by its tokens. */
export interface FoundSpan extends TokenSpan {
  probability: number;
}

/** A sentence with its true and predicted tags. */
export interface TaggedSentence {
  tokens: readonly string[];
  truth: readonly string[];
  predicted: readonly string[];
  /** The true and the found spans; none if tags have no scheme. */
  spans: readonly TokenSpan[];
  found: readonly FoundSpan[];
  /** Probability of each predicted tag. */
  probabilities: ArrayLike<number>;
  line: number | undefined;
}

const BINS = 15;
/** Maximum distinct mistakes counted, and maximum reported. */
const MOST_COUNTED = 100_000;
const MOST_GIVEN = 1_000;
const CONTEXT = 5;
const OUTSIDE = 'O';

/** Measures a tagger, sentence by sentence. */
export class TaggingMeasurer {
  readonly #scheme: TagScheme | undefined;
  readonly #labels: string[];
  readonly #indices = new Map<string, number>();
  readonly #pairs: PairCounter;
  readonly #entities: EntityCounter;
  readonly #calibration = new Calibration(BINS);
  readonly #mistakes = new Map<string, TagMistake>();
  #sentences = 0;
  #tokens = 0;

  /**
   * @param labels - The labels of the model; other labels of rows are appended.
   * @param mode - How entities are read.
   */
  constructor(scheme: TagScheme | undefined, labels: readonly string[], mode: TagMode = 'default') {
    this.#scheme = scheme;
    this.#labels = scheme === undefined ? [...labels] : [OUTSIDE, ...labels];
    for (const [index, label] of this.#labels.entries()) if (!this.#indices.has(label)) this.#indices.set(label, index);
    this.#pairs = new PairCounter(this.#labels);
    this.#entities = new EntityCounter(mode === 'strict' ? scheme : undefined);
  }

  /** Counts a sentence. */
  add(sentence: TaggedSentence): void {
    this.#sentences++;
    this.#tokens += sentence.tokens.length;
    if (this.#scheme === undefined) this.#addTags(sentence);
    else this.#addEntities(sentence);
  }

  #addTags(sentence: TaggedSentence): void {
    const { truth, predicted, probabilities } = sentence;
    for (let i = 0; i < truth.length; i++) {
      const [right, given] = [truth[i]!, predicted[i]!];
      this.#pairs.add(this.#indexOf(right), this.#indexOf(given));
      this.#calibration.add(probabilities[i]!, right === given);
      if (right !== given) this.#mistake(sentence, i, i + 1, right, given);
    }
  }

  #addEntities(sentence: TaggedSentence): void {
    const { truth, predicted, spans, found } = sentence;
    this.#entities.add(truth, predicted);
    const [right, given] = [spans, found].map((list) => this.#byToken(truth.length, list)) as [Int32Array, Int32Array];
    for (let i = 0; i < right.length; i++) this.#pairs.add(right[i]!, given[i]!);
    const trueByStart = new Map(spans.map((span) => [span.start, span]));
    const foundByStart = new Map(found.map((span) => [span.start, span]));
    for (const span of found) {
      const same = trueByStart.get(span.start);
      const borders = same?.end === span.end;
      this.#calibration.add(span.probability, borders && same.label === span.label);
      if (!borders) this.#mistake(sentence, span.start, span.end, null, span.label);
      else if (same.label !== span.label) this.#mistake(sentence, span.start, span.end, same.label, span.label);
    }
    for (const span of spans) {
      if (foundByStart.get(span.start)?.end !== span.end)
        this.#mistake(sentence, span.start, span.end, span.label, null);
    }
  }

  /** The label's index of each token. */
  #byToken(length: number, spans: readonly TokenSpan[]): Int32Array {
    const labels = new Int32Array(length);
    for (const { start, end, label } of spans) labels.fill(this.#indexOf(label), start, end);
    return labels;
  }

  #indexOf(label: string): number {
    let index = this.#indices.get(label);
    if (index === undefined) {
      index = this.#labels.push(label) - 1;
      this.#indices.set(label, index);
    }
    return index;
  }

  #mistake(
    { tokens, line }: TaggedSentence,
    start: number,
    end: number,
    truth: string | null,
    predicted: string | null,
  ): void {
    const text = tokens.slice(start, end).join(' ');
    const key = JSON.stringify([text, truth, predicted]);
    const before = this.#mistakes.get(key);
    if (before) {
      before.count++;
      return;
    }
    if (this.#mistakes.size >= MOST_COUNTED) return;
    const context = {
      before: tokens.slice(Math.max(0, start - CONTEXT), start).join(' '),
      after: tokens.slice(end, end + CONTEXT).join(' '),
      sentence: this.#sentences,
      line,
    };
    this.#mistakes.set(key, { text, truth, predicted, count: 1, context });
  }

  /** @throws {@link ArgumentError} `EMPTY_DATASET` without tokens. */
  finish(): TaggingEvaluation {
    const measures = {
      sentences: this.#sentences,
      tokens: this.#tokens,
      calibration: this.#calibration.finish(),
      // The sort is stable: equally frequent ones keep their order.
      mistakes: [...this.#mistakes.values()].sort((a, b) => b.count - a.count).slice(0, MOST_GIVEN),
    };
    if (this.#scheme === undefined) {
      const report = reportOf(this.#labels, this.#pairs, ({ support, predicted }) => support + predicted > 0);
      return { ...report, ...measures, scheme: undefined };
    }
    const support = new Float64Array(this.#labels.length);
    for (const { truth, rows } of this.#pairs.cells()) support[truth]! += rows;
    const confusions = sortedConfusions(this.#labels, this.#pairs.cells(), support, MOST_GIVEN);
    return { ...this.#entities.finish(), ...measures, scheme: this.#scheme, confusions };
  }
}
