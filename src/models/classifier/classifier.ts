import type { Device } from '../../core/device.js';
import { checkOptionNames, invalidArgument, ModelFileError, RecurraError } from '../../core/errors.js';
import type { Rows } from '../../data/readers/rows.js';
import { engineOn } from '../../engine/create.js';
import type { ExplainingEngine } from '../../engine/engine.js';
import type { Evaluation } from '../../measures/evaluation.js';
import { chooseDevice } from '../../native/device.js';
import { type NativeEncoder, nativeEncoder } from '../../text/nativeEncoder.js';
import type { TokenSettings } from '../../text/options.js';
import { modelTokenizer } from '../../text/reading.js';
import { type BatchTokenizer, isBatchTokenizer, type Tokenizer } from '../../text/tokenizer.js';
import type { Vocab } from '../../text/vocab.js';
import { TrainingError } from '../../training/errors.js';
import type { TrainingControl } from '../../training/events/control.js';
import type { Progress } from '../../training/progress.js';
import { TrainingRun } from '../../training/run.js';
import { beginTraining, runTraining } from '../../training/start.js';
import { describedText, readModel, writeModel } from '../file.js';
import type { ServingOptions, ServingState } from '../serving/options.js';
import { Serving } from '../serving/serving.js';
import { checkEvaluationOptions, type EvaluationOptions, evaluateRows } from './evaluate.js';
import { checkExplainOptions, type ExplainOptions, type Explanation, explainText } from './explain.js';
import type { ModelSettings, TrainOptions } from './options.js';
import type { Prediction, Predictor } from './prediction.js';

/** Options of {@link TextClassifier.predict} and {@link TextClassifier.predictMany}. */
export interface PredictOptions {
  /** How many labels each prediction lists, from the most probable on. Default: all. */
  topK?: number;
  /** Stops the call: what has not been computed yet is given up, and the call rejects with `ABORTED`. */
  signal?: AbortSignal;
}

/** Options of {@link TextClassifier.load}. */
export interface LoadOptions {
  /** The function or {@link BatchTokenizer} that the model was trained with; only for models whose tokenizer is not in the file. */
  tokenizer?: Tokenizer | BatchTokenizer;
  /** Threads of the numeric work. Default: as many as there are processors. */
  threads?: number;
  /** Where to compute, as {@link TrainOptions.device}. Default `'cpu'`. */
  device?: Device | 'auto';
}

interface Parts {
  engine: ExplainingEngine;
  settings: ModelSettings;
  text: TokenSettings;
  labels: readonly string[];
  thresholds: readonly number[] | undefined;
  vocab: Vocab;
  encoder: NativeEncoder | undefined;
}

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
export class TextClassifier {
  /** The labels, in the order of the model's outputs. */
  readonly labels: readonly string[];
  /**
   * Of a `multiLabel` model, the probability from which on each label is given, in the order of {@link labels}: the one
   * with the largest F1 on the validation rows, a half without them. Else undefined.
   */
  readonly thresholds: readonly number[] | undefined;
  /** The words that the model knows. */
  readonly vocab: Vocab;
  /** What the network looks like. */
  readonly settings: Readonly<ModelSettings>;
  readonly #engine: ExplainingEngine;
  readonly #text: TokenSettings;
  readonly #predictor: Predictor;
  readonly #serving: Serving;
  /** Work other than predictions that is under way. */
  readonly #works = new Set<Promise<unknown>>();
  #history: readonly Progress[] = [];
  #trainedRows = 0;
  #closing: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.labels = parts.labels;
    this.thresholds = parts.thresholds;
    this.vocab = parts.vocab;
    this.settings = parts.settings;
    this.#engine = parts.engine;
    this.#text = parts.text;
    const { engine, labels, thresholds, vocab, text, encoder } = parts;
    // An engine on a GPU is given tokens: the addon that reads texts is another one.
    const reads = engine.predictTexts ? encoder : undefined;
    this.#predictor = { engine, encoder: reads, tokenizer: modelTokenizer(text), vocab, labels, thresholds };
    this.#serving = new Serving(this.#predictor);
  }

  /** One report per epoch of the training that made this model; empty for a model that was loaded. */
  get history(): readonly Progress[] {
    return this.#history;
  }

  /** Rows that the model was trained on, validation rows not counted; 0 for a model that was loaded. */
  get trainedRows(): number {
    return this.#trainedRows;
  }

  /**
   * Trains a classifier. Reading, tokenizing and training give way to the event loop all the time.
   *
   * @param rows - texts with their labels: an array, {@link readCsv}, or any iterable or async iterable.
   * @param options - see {@link TrainOptions}.
   * @returns the model; with validation rows, the weights of its best epoch.
   * @throws {@link ArgumentError} for an option that does not fit.
   * @throws {@link DataError} for rows that do not fit: none at all, one label only, a validation label that is not a training label;
   * `DATA_MISMATCH` for rows that are not those of the checkpoint to resume.
   * @throws {@link ModelFileError} for a checkpoint to resume that is missing or damaged.
   * @throws {@link CudaError} if a GPU is named and cannot be used.
   * @throws {@link TrainingError} `ABORTED`, `NON_FINITE_LOSS` or `IO`; its `model` holds what was learned.
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
   * Starts a training, as {@link train}, and returns at once, with what watches and steers it.
   *
   * @example
   * ```ts
   * const run = TextClassifier.start(rows, { validation: 0.1, checkpoint: 'tickets.checkpoint', resume: true });
   * for await (const event of run) console.log(event.type, event.step);
   * const model = await run.result;
   * ```
   */
  static start(rows: Rows, options: TrainOptions = {}): TrainingRun {
    return new TrainingRun((control) => TextClassifier.#train(rows, options, control));
  }

  static async #train(rows: Rows, given: TrainOptions, control: TrainingControl): Promise<TextClassifier> {
    const begun = await beginTraining(rows, given, control);
    const { engine, settings, network, data } = begun;
    const { train, vocab } = data;
    try {
      const { history, thresholds, failure } = await runTraining(begun, control);
      const described = { settings: network, text: settings.text, labels: train.classes, thresholds, vocab };
      const encoder = await nativeEncoder(settings.text, vocab);
      const model = new TextClassifier({ engine, encoder, ...described });
      model.#history = history;
      model.#trainedRows = train.length;
      if (!failure) return model;
      const { code, message, cause } = failure;
      throw new TrainingError(code, message, model, cause === undefined ? {} : { cause });
    } catch (error) {
      if (!(error instanceof TrainingError)) engine.close();
      throw error;
    }
  }

  /**
   * Loads a model that {@link save} wrote.
   *
   * @throws {@link ModelFileError} if the file is missing, cannot be read, was damaged, or is not a model.
   * @throws {@link CudaError} if a GPU is named and cannot be used.
   *
   * @example
   * ```ts
   * await using model = await TextClassifier.load('tickets.safetensors', { threads: 2 });
   * console.log(model.labels, model.vocab.size);
   * ```
   */
  static async load(path: string, options: LoadOptions = {}): Promise<TextClassifier> {
    checkOptionNames('TextClassifier.load', options, ['tokenizer', 'threads', 'device']);
    const given = options.tokenizer;
    if (given !== undefined && typeof given !== 'function' && !isBatchTokenizer(given)) {
      throw invalidArgument('tokenizer', 'a function from text to tokens, or a BatchTokenizer,', given);
    }
    const device = chooseDevice(options.device);
    const { settings, text, labels, thresholds, vocab, weights } = await readModel(path);
    const tokenizer = text.tokenizer ?? given;
    if (tokenizer === undefined) {
      throw invalidArgument(
        'tokenizer',
        `the function that ${path} was trained with, which a file cannot hold,`,
        undefined,
      );
    }
    if (text.tokenizer !== null && given !== undefined) {
      throw invalidArgument('tokenizer', `nothing, for ${path} has its own,`, given);
    }
    const engine = await engineOn(device, {
      ...settings,
      vocabSize: vocab.length,
      numClasses: labels.length,
      paddingIdx: vocab.padIndex ?? -1,
      unknownIdx: vocab.defaultIndex ?? -1,
      seed: 0,
      threads: options.threads,
    });
    let encoder: NativeEncoder | undefined;
    try {
      await engine.loadHeld(weights);
      // The first prediction makes the weights ready; done here, nobody's question waits for it.
      await engine.predict(Int32Array.of(0), Int32Array.of(1));
      encoder = await nativeEncoder({ ...text, tokenizer }, vocab);
    } catch (error) {
      engine.close();
      if (error instanceof RecurraError)
        throw new ModelFileError(error.code, `${path}: ${error.message}`, { cause: error });
      throw error;
    }
    return new TextClassifier({ engine, settings, text: { ...text, tokenizer }, labels, thresholds, vocab, encoder });
  }

  /**
   * Writes the model to one safetensors file: weights under PyTorch's names and shapes, everything else in its metadata.
   * The file is written under a temporary name, synced and renamed, so that an earlier model stays whole until then.
   *
   * @example
   * ```ts
   * await model.save('models/tickets.safetensors');
   * ```
   */
  async save(path: string): Promise<void> {
    this.#checkOpen();
    if (typeof path !== 'string' || path === '') throw invalidArgument('path', 'the path of a file', path);
    await this.#during(this.#save(path));
  }

  async #save(path: string): Promise<void> {
    await writeModel(path, {
      settings: this.settings,
      text: describedText(this.#text),
      labels: [...this.labels],
      thresholds: this.thresholds,
      vocab: this.vocab,
      state: await this.#engine.state(),
    });
  }

  /**
   * Labels one text. An empty text, and one without a known word, gets a distribution too; see {@link Prediction.knownTokens}.
   *
   * Any number of callers may ask at the same time. A short text that finds the model idle is computed at once; what arrives
   * together is computed together, away from the event loop. See {@link setServing}.
   *
   * @throws {@link ArgumentError} if `text` is not a string.
   * @throws {@link RecurraError} `OVERLOADED` if too many texts are waiting, `ABORTED` if the signal is aborted, `DISPOSED`
   * once the model was closed.
   *
   * @example
   * ```ts
   * const { label, probability, knownTokens } = await model.predict('My invoice is wrong', { topK: 3 });
   * if (knownTokens > 0) console.log(label, probability);
   * ```
   */
  async predict(text: string, options: PredictOptions = {}): Promise<Prediction> {
    if (typeof text !== 'string') throw invalidArgument('text', 'a string', text);
    const topK = this.#checkPredict(options);
    const [prediction] = await this.#serving.predict([text], topK, options.signal);
    return prediction!;
  }

  /**
   * Labels many texts, faster than one by one; the predictions are in the order of the texts. Other callers are answered
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
  async predictMany(texts: readonly string[], options: PredictOptions = {}): Promise<Prediction[]> {
    const topK = this.#checkPredict(options);
    if (!Array.isArray(texts)) throw invalidArgument('texts', 'an array of strings', texts);
    if (texts.length === 0) return [];
    return this.#serving.predict(texts, topK, options.signal);
  }

  /**
   * Sets how calls of {@link predict} and {@link predictMany} share the model; what is not given stays as it is.
   *
   * @throws {@link ArgumentError} for an option that does not fit.
   *
   * @example
   * ```ts
   * model.setServing({ maxBatch: 256, maxWait: 2, maxQueue: 2_000 });
   * ```
   */
  setServing(options: ServingOptions): void {
    this.#serving.set(options);
  }

  /** How calls of {@link predict} and {@link predictMany} share the model, and what they are doing now. */
  get serving(): ServingState {
    return this.#serving.state;
  }

  /**
   * Measures the model on labelled rows: see `docs/measures.md` for what each figure means. Rows are read as they are
   * needed, so there may be more of them than fit into memory.
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
    this.#checkOpen();
    checkOptionNames('TextClassifier.evaluate', options, ['signal', 'onProgress', 'onPrediction']);
    checkEvaluationOptions(options);
    return this.#during(evaluateRows(this.#predictor, rows, options));
  }

  /**
   * Says what each token of a text contributed to a label: to the model's output for it before softmax (or sigmoid), its logit.
   *
   * @param text - an empty one has no tokens and so no contributions.
   * @param options - see {@link ExplainOptions}.
   * @throws {@link ArgumentError} if `text` is not a string, or for an option that does not fit; `UNKNOWN_LABEL` for a label
   * that the model does not have.
   * @throws {@link RecurraError} `ABORTED` if the signal is aborted, `DISPOSED` once the model was closed.
   *
   * @example
   * ```ts
   * const { label, tokens } = await model.explain('My invoice is wrong');
   * for (const { source, contribution } of tokens) console.log(source, contribution);
   * ```
   */
  async explain(text: string, options: ExplainOptions = {}): Promise<Explanation> {
    this.#checkOpen();
    if (typeof text !== 'string') throw invalidArgument('text', 'a string', text);
    checkExplainOptions(options, this.labels);
    const model = { engine: this.#engine, vocab: this.vocab, labels: this.labels };
    return this.#during(explainText(model, this.#text, text, options));
  }

  /**
   * Ends the model: what is running or waiting is still answered, then the native memory is freed. Calls that come later
   * reject with `DISPOSED`. Closing again changes nothing.
   *
   * @returns a promise that resolves when the memory is free; it never rejects, and need not be awaited. Where nothing was
   * running the memory is free on return.
   *
   * @example
   * ```ts
   * await model.close();
   * ```
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#serving.busy) await this.#serving.drain();
    if (this.#works.size > 0) await Promise.allSettled(this.#works);
    this.#engine.close();
  }

  /** As {@link close}, for `using model = ...`; it does not wait. */
  [Symbol.dispose](): void {
    void this.close();
  }

  /** As {@link close}, for `await using model = ...`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Keeps the model from being freed while some work is under way. */
  async #during<T>(work: Promise<T>): Promise<T> {
    this.#works.add(work);
    try {
      return await work;
    } finally {
      this.#works.delete(work);
    }
  }

  /** How many labels to list. */
  #checkPredict(options: PredictOptions): number {
    this.#checkOpen();
    checkOptionNames('predict', options, ['topK', 'signal']);
    const { topK = this.labels.length, signal } = options;
    if (!Number.isSafeInteger(topK) || topK < 1) throw invalidArgument('topK', 'an integer from 1', topK);
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw invalidArgument('signal', 'an AbortSignal', signal);
    return topK;
  }

  #checkOpen(): void {
    if (this.#closing) throw new RecurraError('DISPOSED', 'this TextClassifier has been closed');
  }
}
