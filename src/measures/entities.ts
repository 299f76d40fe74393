import { checkChoice } from '../core/checks.js';
import { ArgumentError, constraint } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import { compareCodePoints } from '../text/codePointOrder.js';
import { looseEntities, strictEntities, type TagMode, type TokenSpan } from '../text/tags/entities.js';
import { checkScheme, SchemeDetector, type TagScheme } from '../text/tags/scheme.js';
import { parseTags } from '../text/tags/tag.js';
import {
  average,
  type LabelMeasures,
  measureLabels,
  type PrecisionRecall,
  precisionRecall,
  ratio,
  type UndefinedMeasure,
  undefinedMeasures,
} from './counts.js';
import { checkSameRows, checkSomeRows } from './labels.js';

/** Options of {@link entityReport}. */
export interface EntityReportOptions {
  /**
   * `'default'` reads any tags as the conlleval script does. With `'strict'`, only entities that follow the scheme
   * count. Default `'default'`.
   */
  mode?: TagMode | undefined;
  /** The scheme of the tags in strict mode. Default: the one that {@link detectTagScheme} finds in `yTrue`. */
  scheme?: TagScheme | undefined;
}

/** Measures of the entities found in sentences. An entity is correct if its first token, last token and label are. */
export interface EntityReport {
  /** Sentences measured. */
  sentences: number;
  /** Tokens measured. */
  tokens: number;
  /** Share of tokens with the correct tag. */
  accuracy: number;
  /** Labels of all entities, true or predicted, in code point order. */
  labels: string[];
  /** Measures of each label, in the order of `labels`; `support` and `predicted` count entities. */
  perLabel: LabelMeasures[];
  /** Over all entities together: the commonly reported figure. */
  microAverage: PrecisionRecall;
  /** Unweighted mean over the labels. */
  macroAverage: PrecisionRecall;
  /** Mean over the labels, weighted by support. */
  weightedAverage: PrecisionRecall;
  /** The label measures that are a division by zero and count as 0. */
  undefinedMeasures: UndefinedMeasure[];
}

/**
 * Precision, recall and F1 of entities, for each label and as micro, macro and weighted average, and the accuracy of the tags.
 * The definitions are those of seqeval 1.2.2 with `zero_division=0`, in its default mode and in `mode='strict'`.
 *
 * @param yTrue - The correct tags of each sentence.
 * @param yPred - The predicted tags of each sentence.
 * @throws {@link ArgumentError} `INVALID_SHAPE` if there is not one true and one predicted tag per token,
 * `EMPTY_DATASET` without tokens, `INVALID_ARGUMENT` for a malformed tag or, in strict mode, a tag that the scheme
 * lacks or an unrecognisable scheme.
 *
 * @example
 * ```ts
 * const report = entityReport([['B-PER', 'I-PER', 'O', 'B-LOC']], [['B-PER', 'I-PER', 'O', 'O']]);
 * report.microAverage; // { precision: 1, recall: 0.5, f1: 0.666... }
 * console.log(formatClassificationReport(report));
 * ```
 */
export function entityReport(
  yTrue: readonly (readonly string[])[],
  yPred: readonly (readonly string[])[],
  options: EntityReportOptions = {},
): EntityReport {
  checkOptionNames('entityReport', options, ['mode', 'scheme']);
  const { mode = 'default', scheme } = options;
  checkChoice('mode', mode, ['default', 'strict']);
  if (scheme !== undefined) checkScheme(scheme);
  checkSameRows(yTrue, yPred);
  const counter = new EntityCounter(mode === 'strict' ? (scheme ?? detected(yTrue)) : undefined);
  for (let row = 0; row < yTrue.length; row++) {
    counter.add(yTrue[row]!, yPred[row]!, `yTrue[${row}]`, `yPred[${row}]`);
  }
  return counter.finish();
}

function detected(sequences: readonly (readonly string[])[]): TagScheme {
  const detector = new SchemeDetector();
  for (const [row, tags] of sequences.entries()) {
    parseTags(tags, `yTrue[${row}]`);
    detector.add(tags);
  }
  if (detector.scheme !== undefined) return detector.scheme;
  throw constraint('scheme', 'scheme is required here: it cannot be recognised from the tags of yTrue');
}

/** Counts of a label. */
interface LabelCounts {
  hits: number;
  predicted: number;
  support: number;
}

/** Sums for an {@link EntityReport}. */
export class EntityCounter {
  readonly #strict: TagScheme | undefined;
  readonly #counts = new Map<string, LabelCounts>();
  #sentences = 0;
  #tokens = 0;
  #right = 0;

  /** @param strict - The scheme of strict mode; undefined for the default mode. */
  constructor(strict: TagScheme | undefined) {
    this.#strict = strict;
  }

  /** Counts a sentence. */
  add(truth: readonly string[], predicted: readonly string[], truthName = 'truth', predictedName = 'predicted'): void {
    const right = this.#entities(truth, truthName);
    const found = this.#entities(predicted, predictedName);
    if (truth.length !== predicted.length) {
      const message = `${truthName} has ${truth.length} tags but ${predictedName} has ${predicted.length}`;
      throw new ArgumentError('INVALID_SHAPE', message);
    }
    for (let i = 0; i < truth.length; i++) if (truth[i] === predicted[i]) this.#right++;
    for (const { label } of right) this.#of(label).support++;
    for (const { label } of found) this.#of(label).predicted++;
    // No two entities of a sequence begin at the same token.
    const byStart = new Map(right.map((entity) => [entity.start, entity]));
    for (const { start, end, label } of found) {
      const entity = byStart.get(start);
      if (entity !== undefined && entity.end === end && entity.label === label) this.#of(label).hits++;
    }
    this.#tokens += truth.length;
    this.#sentences++;
  }

  /** @throws {@link ArgumentError} `EMPTY_DATASET` without tokens. */
  finish(): EntityReport {
    checkSomeRows(this.#tokens);
    const labels = [...this.#counts.keys()].sort(compareCodePoints);
    const column = (name: keyof LabelCounts) => labels.map((label) => this.#counts.get(label)![name]);
    const counts = { hits: column('hits'), predicted: column('predicted'), support: column('support') };
    const sum = (list: number[]) => list.reduce((total, count) => total + count, 0);
    const perLabel = measureLabels(labels, counts);
    return {
      sentences: this.#sentences,
      tokens: this.#tokens,
      accuracy: ratio(this.#right, this.#tokens),
      labels,
      perLabel,
      microAverage: precisionRecall(sum(counts.hits), sum(counts.predicted), sum(counts.support)),
      macroAverage: average(perLabel, () => 1),
      weightedAverage: average(perLabel, ({ support }) => support),
      undefinedMeasures: undefinedMeasures(perLabel),
    };
  }

  #entities(tags: readonly string[], name: string): TokenSpan[] {
    const parsed = parseTags(tags, name);
    return this.#strict === undefined ? looseEntities(parsed) : strictEntities(parsed, this.#strict, name);
  }

  #of(label: string): LabelCounts {
    let counts = this.#counts.get(label);
    if (counts === undefined) {
      counts = { hits: 0, predicted: 0, support: 0 };
      this.#counts.set(label, counts);
    }
    return counts;
  }
}
