import { constraint, invalidArgument } from '../../core/errors.js';
import { checkNames, settingsOf } from '../../core/options/table.js';
import type { Rows } from '../../data/readers/rows.js';
import { encodeDataset } from '../../data/sets/encode.js';
import type { ExplainingEngine } from '../../engine/engine.js';
import type { Mix } from '../../engine/linear.js';
import type { Evaluation } from '../../measures/evaluation.js';
import type { TokenSettings } from '../../text/options.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import type { ValidationResult } from '../../training/progress.js';
import type { TrainingRun } from '../../training/run.js';
import { startTraining } from '../../training/start.js';
import type { Tuning } from '../../tuning/events.js';
import type { CompressOptions } from '../compression/options.js';
import { describedText, type ModelSource } from '../file.js';
import { type LoadOptions, loadModel } from '../load.js';
import { TextModel } from '../model.js';
import type { Answer } from '../serving/call.js';
import { modelReading } from '../serving/reading.js';
import { type ModelServing, Serving } from '../serving/serving.js';
import { assembled, type GivenClassifier } from './assemble.js';
import { type Certainty, type PrecisionThreshold, thresholdFor, thresholdsOf } from './certainty.js';
import { classifierFile } from './description.js';
import { EVALUATION, type EvaluationOptions, evaluateRows, type MeasuredRow } from './evaluate.js';
import { type ExplainOptions, type Explanation, explainSettings, explainText } from './explain.js';
import { classifierMetadata } from './file.js';
import { type Expert, heldExpert } from './linear.js';
import type { ModelSettings } from './network.js';
import type { StartEvent, TrainOptions } from './options.js';
import { cautious, type Prediction, type Predictor, predictionOf } from './prediction.js';
import { type CautiousOptions, PRECISION, type PredictOptions, predictSettings } from './predictOptions.js';
import { energiesOf, entropyOf, isOutOfScope, type Scope, type Signals, withoutScope } from './scope.js';
import { type ClassifierParts, classifierTask } from './task.js';
import type { TuneOptions } from './tuning/options.js';
import { tuneClassifier } from './tuning/tune.js';

/**
 * A text classifier: an embedding, recurrent layers, pooling over the real tokens, and a linear layer.
 *
 * @example
 * ```ts
 * const model = await TextClassifier.train(readCsv('tickets.csv', { text: 'body', label: 'queue' }));
 * await model.save('tickets.safetensors');
 * const { label, probability } = await model.predict('My invoice is wrong');
 * ```
 */
export class TextClassifier extends TextModel<ModelSettings> {
  static readonly #task = classifierTask((parts) => new TextClassifier(parts));
  /** The labels, in the order of the model's outputs. */
  readonly labels: readonly string[];
  /**
   * For `multiLabel` models: the decision threshold of each label, in the order of {@link labels}. It is the one with
   * the largest F1 on the validation rows, or 0.5 without them. Otherwise undefined.
   */
  readonly thresholds: readonly number[] | undefined;
  /** How the network's probabilities are mixed with those of the linear model; undefined without one. */
  readonly mix: Readonly<Mix> | undefined;
  /** Whether there is a network; otherwise only the linear model answers. */
  readonly recurrent: boolean;
  /** Networks whose probabilities are averaged; also 1 if there is no network. */
  readonly members: number;
  readonly #engine: ExplainingEngine;
  readonly #expert: Expert | undefined;
  #certainty: Certainty | undefined;
  readonly #scope: Scope | undefined;
  readonly #text: TokenSettings;
  readonly #predictor: Predictor;
  readonly #serving: ModelServing;

  private constructor(parts: ClassifierParts) {
    const { engine, labels, thresholds, reading, expert } = parts;
    const predictor = { ...reading, engine, outputs: labels.length, labels, thresholds, refiner: expert };
    const serving = Serving.of(predictor);
    super(parts, serving, expert ? [expert] : []);
    this.mix = expert?.mix;
    this.recurrent = parts.recurrent;
    this.members = parts.members;
    this.#expert = expert;
    this.#certainty = parts.certainty;
    this.#scope = parts.scope;
    this.labels = labels;
    this.thresholds = thresholds;
    this.#engine = engine;
    this.#text = parts.text;
    this.#predictor = predictor;
    this.#serving = serving;
  }

  /**
   * Trains a classifier. Reading, tokenizing and training do not block the event loop.
   *
   * @param rows - Texts with their labels: an array, {@link readCsv}, or any iterable or async iterable.
   * @param options - See {@link TrainOptions}.
   * @returns the model; with validation rows, the weights of its best epoch.
   * @throws {@link ArgumentError} for an invalid option.
   * @throws {@link DataError} for invalid rows: none at all, one label only, a validation label that is not a training
   * label; `DATA_MISMATCH` for rows that differ from those of the checkpoint to resume.
   * @throws {@link ModelFileError} for a missing or damaged checkpoint.
   * @throws {@link CudaError} if the named GPU cannot be used.
   * @throws {@link TrainingError} `ABORTED`, `NON_FINITE_LOSS` or `IO`; its `model` has the weights learned so far.
   *
   * @example
   * ```ts
   * const model = await TextClassifier.train(rows, {
   *   cell: 'gru',
   *   validation: 0.1,
   *   patience: 2,
   *   epochs: 20,
   *   onProgress: ({ epoch, accuracy }) => console.log(epoch, accuracy),
   * });
   * ```
   */
  static async train(rows: Rows, options: TrainOptions = {}): Promise<TextClassifier> {
    return TextClassifier.start(rows, options).result;
  }

  /**
   * Starts a training, as {@link train}, and returns at once with a run to watch and control it.
   *
   * @example
   * ```ts
   * const run = TextClassifier.start(rows, { validation: 0.1, checkpoint: 'tickets.checkpoint', resume: true });
   * for await (const event of run) console.log(event.type, event.step);
   * const model = await run.result;
   * ```
   */
  static start(rows: Rows, options: TrainOptions = {}): TrainingRun<TextClassifier, ValidationResult, StartEvent> {
    return startTraining(TextClassifier.#task, rows, options);
  }

  /**
   * Searches for the best options for some rows, and trains a classifier with them on all rows.
   *
   * Settings are tried by successive halving. The linear model alone, the defaults, and then other settings are trained
   * on a part of the rows and measured on the rest; the best third is measured on further parts, and so on. The
   * defaults are kept unless other settings are better by more than chance. Given training options apply to all
   * settings; the others are searched. All rows are kept in memory, and one model is trained at a time.
   *
   * @param rows - Texts with their labels, as for {@link train}.
   * @param options - See {@link TuneOptions}.
   * @returns the model, its options, and all settings tried with their results.
   * @throws {@link ArgumentError} for an invalid option, a label of `metric` that no row has, and a `maxSize` that no
   * model fits into.
   * @throws {@link DataError} for invalid rows, and if fewer than two labels have two rows.
   * @throws {@link TrainingError} `ABORTED` if the signal is aborted; its `model` has the best settings so far, trained
   * on a part of the rows.
   *
   * @example
   * ```ts
   * const { model, options, verdict } = await TextClassifier.tune(rows, { minutes: 10, metric: 'macroF1' });
   * console.log(verdict, options);
   * await model.save('tickets.safetensors');
   * ```
   */
  static tune(rows: Rows, options: TuneOptions = {}): Promise<Tuning<TextClassifier, TrainOptions>> {
    return tuneClassifier(rows, options, TextClassifier.train);
  }

  /**
   * Loads a model that {@link save} wrote.
   *
   * @throws {@link ModelFileError} if the file is missing, unreadable, damaged, or not a model.
   * @throws {@link CudaError} if the named GPU cannot be used.
   *
   * @example
   * ```ts
   * await using model = await TextClassifier.load('tickets.safetensors', { threads: 2 });
   * console.log(model.labels, model.vocab.size);
   * ```
   */
  static async load(path: string, options: LoadOptions = {}): Promise<TextClassifier> {
    return TextClassifier.#open(path, options);
  }

  static async #open(source: ModelSource, options: LoadOptions): Promise<TextClassifier> {
    const parts = await loadModel(
      'TextClassifier.load',
      source,
      options,
      classifierFile,
      ({ labels, settings }) => {
        const { pooling, multiLabel } = settings;
        return { kind: 'classes', outputs: labels.length, multiLabel, pooling };
      },
      heldExpert,
    );
    try {
      return new TextClassifier({ ...parts, reading: await modelReading(parts.text, parts.vocab) });
    } catch (error) {
      parts.engine.close();
      throw error;
    }
  }

  /**
   * Makes a classifier of one network from its weights.
   *
   * @throws RecurraError `STATE_MISMATCH` for weights that do not fit the settings.
   * @internal
   */
  static async fromWeights(given: GivenClassifier, threads: number | undefined): Promise<TextClassifier> {
    return new TextClassifier(await assembled(given, threads));
  }

  /**
   * Returns a smaller copy of this model: fewer bits per word vector, fewer words and n-grams, all other weights in 8
   * bits. It needs no rows, and the same model gives the same bytes. The smaller model predicts and is saved like any
   * other; it cannot be trained further. This model is unchanged.
   *
   * @param options - See {@link CompressOptions}: `maxBytes`, `bits` or `keepWords`.
   * @throws {@link ArgumentError} for an invalid option; `OUT_OF_RANGE` for a budget that cannot be met; the message
   * gives the minimum.
   * @throws {@link RecurraError} `INVALID_ARGUMENT` for a model that is already compressed, `ABORTED` if the signal is
   * aborted, `DISPOSED` after the model was closed.
   *
   * @example
   * ```ts
   * await using small = await model.compress({ maxBytes: 1_600_000 });
   * await small.save('small.safetensors');
   * ```
   */
  async compress(options: CompressOptions): Promise<TextClassifier> {
    const share = this.recurrent ? (this.mix?.network ?? 1) : 0;
    const { version } = classifierFile;
    // The smaller model's probabilities are others, so what was measured of these is left out.
    const metadata = this.#described(undefined, undefined);
    const packed = await this.packed(
      options,
      { where: 'TextClassifier.compress', version, share, prunes: true },
      metadata,
    );
    // A function is in no file.
    const own = describedText(this.#text).tokenizer === null;
    return TextClassifier.#open(packed, own ? { tokenizer: this.#text.tokenizer as Tokenizer } : {});
  }

  /** @internal */
  protected override metadata(): Record<string, string> {
    return this.#described(this.#certainty, this.#scope);
  }

  #described(certainty: Certainty | undefined, scope: Scope | undefined): Record<string, string> {
    const common = { settings: this.settings, text: describedText(this.#text), vocab: this.vocab };
    const { labels, thresholds, mix: linear, recurrent, members } = this;
    const described = classifierMetadata(common, labels, linear !== undefined, members);
    return described({ thresholds, linear, recurrent, certainty, scope });
  }

  /**
   * What validation rows told the model: whether it has thresholds of precision, and limits of texts out of scope.
   *
   * @internal
   */
  get validated(): { precision: boolean; scope: boolean } {
    return { precision: this.#certainty !== undefined, scope: this.#scope !== undefined };
  }

  /**
   * Tells the model what models like it made of rows that they were not trained on.
   *
   * @internal
   */
  setCertainty(certainty: Certainty): void {
    this.#certainty = certainty;
  }

  /**
   * The threshold that a wanted precision asks for: of all that reached it on the validation rows, the one with which most rows had a label. The
   * option `precision` of {@link predict} uses it.
   *
   * The rows are those by which the epoch and the mix were chosen, so on other rows the precision is a little lower. With few rows above the
   * threshold, it is known to the 95 % interval from `precisionLow` to `precisionHigh` (Wilson's): of 20 rows, 84 to 100 % even if all are right.
   *
   * @param precision - The share of the given labels that are to be right, above 0 and at most 1.
   * @throws {@link ArgumentError} for a model that was trained without validation rows, was compressed, or gives a text several labels; `OUT_OF_RANGE` for a
   * precision that no threshold reached, with the best that one did.
   *
   * @example
   * ```ts
   * const { minProbability, coverage } = model.thresholdFor(0.99);
   * console.log(`${Math.round(100 * coverage)} % can be answered: those from ${minProbability} on`);
   * ```
   */
  thresholdFor(precision: number): PrecisionThreshold {
    const without = { multiLabel: this.thresholds !== undefined, compressed: this.compression !== undefined };
    return thresholdFor(this.#certainty, PRECISION.check('precision', precision), without);
  }

  /**
   * Labels one text. An empty text, and one without a known word, gets a distribution too; See
   * {@link Prediction.knownTokens}.
   *
   * Any number of calls may run at the same time. A short text is computed synchronously if the model is idle; calls
   * that arrive together are batched and computed off the event loop. See {@link setServing}.
   *
   * @throws {@link ArgumentError} if `text` is not a string.
   * @throws {@link RecurraError} `OVERLOADED` if too many texts are waiting, `ABORTED` if the signal is aborted, `DISPOSED`
   * after the model was closed.
   *
   * @example
   * ```ts
   * const { label, probability, knownTokens } = await model.predict('My invoice is wrong', { topK: 3 });
   * if (knownTokens > 0) console.log(label, probability);
   * ```
   *
   * With `minProbability`, there is no label if the model is not certain enough:
   *
   * @example
   * ```ts
   * const { label, classes } = await model.predict('My invoice is wrong', { minProbability: 0.8 });
   * console.log(label ?? `perhaps ${classes[0]!.label}: needs review`);
   * ```
   *
   * `outOfScope: true` also says whether the text is unlike those of the training, see {@link Prediction.outOfScope}.
   *
   * `precision: 0.99` in its place takes the threshold that reached 99 % on validation rows, see {@link thresholdFor}.
   */
  predict(text: string, options: CautiousOptions): Promise<Prediction<string | null>>;
  predict(text: string, options?: PredictOptions): Promise<Prediction>;
  async predict(text: string, options: PredictOptions | CautiousOptions = {}): Promise<Prediction<string | null>> {
    if (typeof text !== 'string') throw invalidArgument('text', 'a string', text);
    const answer = this.#checkPredict(options);
    if (options.outOfScope) return (await this.#scoped([text], answer, options.signal))[0]!;
    const [prediction] = await this.#serving.answer([text], answer, options.signal);
    return prediction!;
  }

  /**
   * Labels many texts, faster than one by one; predictions are in the order of the texts. Other calls are answered
   * between its batches.
   *
   * @throws {@link ArgumentError} if an element is not a string.
   * @throws {@link RecurraError} as {@link predict}.
   *
   * @example
   * ```ts
   * const predictions = await model.predictMany(['My invoice is wrong', 'The app does not start']);
   * console.log(predictions.map(({ label }) => label));
   * ```
   */
  predictMany(texts: readonly string[], options: CautiousOptions): Promise<Prediction<string | null>[]>;
  predictMany(texts: readonly string[], options?: PredictOptions): Promise<Prediction[]>;
  async predictMany(
    texts: readonly string[],
    options: PredictOptions | CautiousOptions = {},
  ): Promise<Prediction<string | null>[]> {
    const answer = this.#checkPredict(options);
    if (!Array.isArray(texts)) throw invalidArgument('texts', 'an array of strings', texts);
    if (texts.length === 0) return [];
    if (options.outOfScope) return this.#scoped(texts, answer, options.signal);
    return this.#serving.answer(texts, answer, options.signal);
  }

  /**
   * Measures the model on labelled rows: see `docs/measures.md` for what each figure means. Rows are read as needed, so
   * they need not fit into memory.
   *
   * @throws {@link DataError} `EMPTY_DATASET` without rows, `UNKNOWN_LABEL` for a label that the model does not have.
   *
   * @example
   * ```ts
   * const evaluation = await model.evaluate(readCsv('test.csv', { text: 'body', label: 'queue' }));
   * console.log(evaluation.accuracy, formatClassificationReport(evaluation));
   * ```
   */
  async evaluate(rows: Rows, options: EvaluationOptions = {}): Promise<Evaluation> {
    this.checkOpen();
    checkNames('TextClassifier.evaluate', options, EVALUATION);
    const { precision, minProbability, ...settings } = settingsOf(EVALUATION, options);
    const least = this.#leastOf(minProbability, precision);
    return this.during(evaluateRows(this.#predictor, rows, { ...settings, minProbability: least }));
  }

  /**
   * Like {@link evaluate}, with everything computed for each row.
   *
   * @internal
   */
  async measure(rows: Rows, options: EvaluationOptions, onMeasured: (row: MeasuredRow) => void): Promise<Evaluation> {
    this.checkOpen();
    return this.during(evaluateRows(this.#predictor, rows, settingsOf(EVALUATION, options), onMeasured));
  }

  /**
   * Explains how much each token of a text contributed to a label's logit, the network's output before softmax (or
   * sigmoid). With a linear model, `probability` and `predicted` are those of both parts. Each part has separate
   * contributions, which are not added up because they have different units.
   *
   * @param text - The text; an empty one has no tokens and no contributions.
   * @param options - See {@link ExplainOptions}.
   * @throws {@link ArgumentError} if `text` is not a string, or for an invalid option; `UNKNOWN_LABEL` for a label
   * that the model does not have.
   * @throws {@link RecurraError} `ABORTED` if the signal is aborted, `DISPOSED` after the model was closed.
   *
   * @example
   * ```ts
   * const { label, tokens } = await model.explain('My invoice is wrong');
   * for (const { source, contribution } of tokens) console.log(source, contribution);
   * ```
   */
  async explain(text: string, options: ExplainOptions = {}): Promise<Explanation> {
    this.checkOpen();
    if (typeof text !== 'string') throw invalidArgument('text', 'a string', text);
    const settings = explainSettings(options, this.labels);
    const { vocab, labels, recurrent } = this;
    const model = { engine: this.#engine, expert: this.#expert, vocab, labels, recurrent };
    return this.during(explainText(model, this.#text, text, settings));
  }

  /**
   * What {@link thresholdFor} tells of each threshold of the model's file, by rising precision; undefined if the file has none.
   *
   * @internal
   */
  get precisionThresholds(): PrecisionThreshold[] | undefined {
    return this.#certainty && thresholdsOf(this.#certainty);
  }

  /**
   * Whether the model can tell which texts are out of scope.
   *
   * @internal
   */
  get tellsScope(): boolean {
    return this.#scope !== undefined;
  }

  /**
   * Throws unless the model can tell which texts are out of scope.
   *
   * @internal
   */
  checkScope(): Scope {
    if (!this.#scope) throw withoutScope(this.compression !== undefined);
    return this.#scope;
  }

  /** Answers texts, and says which of them are out of scope. */
  async #scoped(
    texts: readonly string[],
    answer: Answer<Prediction<string | null>>,
    signal: AbortSignal | undefined,
  ): Promise<Prediction<string | null>[]> {
    const scope = this.checkScope();
    const { labels, recurrent } = this;
    const multiLabel = this.thresholds !== undefined;
    const asked = await this.#serving.answer(
      texts,
      (scores, start, tokens, known, read) => ({
        entropy: entropyOf(scores.subarray(start, start + labels.length), multiLabel),
        unknown: tokens === 0 ? 1 : (tokens - known) / tokens,
        prediction: answer(scores, start, tokens, known, read),
      }),
      signal,
    );
    const energies = async () => {
      const { tokenizer, vocab } = this.#predictor;
      const rows = texts.map((text) => ({ text, label: multiLabel ? [] : labels[0]! }));
      const options = { tokenizer, vocab, classes: labels, multiLabel, ...(signal && { signal }) };
      return energiesOf(this.#engine, await encodeDataset(rows, options), multiLabel);
    };
    const signals: Signals = {
      unknown: Float64Array.from(asked, ({ unknown }) => unknown),
      entropy: Float64Array.from(asked, ({ entropy }) => entropy),
      energy: recurrent ? await this.during(energies()) : undefined,
    };
    return asked.map(({ prediction }, row) =>
      Object.assign(prediction, { outOfScope: isOutOfScope(scope, signals, row) }),
    );
  }

  /** The minimum probability of a label that is measured with it; undefined for none. */
  #leastOf(minProbability: number | undefined, precision: number | undefined): number | undefined {
    if (minProbability !== undefined && this.thresholds)
      throw constraint(
        'minProbability',
        'minProbability does not apply to the evaluation of a model that gives a text several labels: each label has its own threshold (thresholds)',
      );
    if (precision === undefined) return minProbability;
    return Math.max(minProbability ?? 0, this.thresholdFor(precision).minProbability);
  }

  /** Checks options of a prediction, and makes the function that answers with them. */
  #checkPredict(options: PredictOptions | CautiousOptions): Answer<Prediction<string | null>> {
    this.checkOpen();
    const { topK, minProbability, precision, outOfScope } = predictSettings(options, this.labels.length);
    if (outOfScope) this.checkScope();
    const asked = precision === undefined ? 0 : this.thresholdFor(precision).minProbability;
    const least = Math.max(minProbability, asked);
    const { labels } = this;
    if (least === 0)
      return (scores, start, tokens, known) => predictionOf(this.#predictor, scores, start, topK, tokens, known);
    const thresholds = this.thresholds?.map((threshold) => Math.max(threshold, least));
    return (scores, start, tokens, known) =>
      cautious(predictionOf({ labels, thresholds }, scores, start, topK, tokens, known), least);
  }
}
