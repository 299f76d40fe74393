import type { light as lightNamespace } from '../../index.d.js';
import { checkFilled, checkInteger } from '../core/checks.js';
import { invalidArgument, RecurraError } from '../core/errors.js';
import type { RecurrentWeights } from '../core/precision.js';
import { Turns } from '../core/turns.js';
import type { RowColumns } from '../data/readers/columns.js';
import type { ExplainingEngine, StateEntry } from '../engine/engine.js';
import type { NetworkSettings } from '../engine/network.js';
import type { FeatureOptions } from '../text/forms.js';
import { type Neighbour, nearestWords } from '../text/nearest.js';
import type { TokenSettings } from '../text/options.js';
import type { Vocab } from '../text/vocab.js';
import { withColumns } from '../training/columns.js';
import type { Progress, Validation, ValidationResult } from '../training/progress.js';
import { type TrainingRecord, withCard } from '../training/record.js';
import type { TrainedModel } from '../training/task.js';
import { type Compressible, checkCompression, compressModel } from './compression/compress.js';
import type { CompressedFile, CompressionFacts } from './compression/compressed.js';
import type { CompressOptions } from './compression/options.js';
import { writeModel } from './file.js';
import type { ServingOptions, ServingState } from './serving/options.js';
import type { ModelServing } from './serving/serving.js';
import { type ModelVectors, modelVectors, vectorOf } from './wordVectors.js';

/** A part of a model with a state to save and memory to free: its network, and additional parts of a task. */
export interface ModelPart {
  /** A copy of its arrays, under their names in the file. */
  state(): Promise<StateEntry[]>;
  close(): void;
}

/** The contents of a model. */
export interface ModelContents {
  /** The metadata of its file. */
  metadata: Record<string, string>;
  /** Its arrays under their names in the file, uncompressed. */
  state: StateEntry[];
}

/** The serving functions that a model needs. */
type SharedCalls = Pick<ModelServing, 'state' | 'busy' | 'set' | 'drain'>;

/** The parts of every model, whatever its task. */
export interface ModelParts<N extends NetworkSettings, V extends Validation = ValidationResult> {
  engine: ExplainingEngine;
  settings: N;
  vocab: Vocab;
  /** The reports of the training, if there was one in this process. */
  history?: readonly Progress<V>[];
  /** The epoch whose weights were kept, if chosen by validation rows. */
  bestEpoch?: number | undefined;
  /** Rows that it was trained on, if there was a training. */
  trainedRows?: number;
  /** How predictions multiply recurrent weights; `float32` if omitted. */
  recurrentWeights?: RecurrentWeights | undefined;
  /** How the model was made, if that is known. */
  card?: TrainingRecord | undefined;
  /** The columns of the training rows, if they are known. */
  columns?: RowColumns | undefined;
  /** Its file, if it is a compressed model. */
  compressed?: CompressedFile;
}

/** The parts of a model that reads texts. */
export interface TextModelParts<N extends NetworkSettings, V extends Validation = ValidationResult>
  extends ModelParts<N, V> {
  text: TokenSettings;
}

/** Base class of all models: a vocabulary, a network, saving and closing. */
export abstract class Model<N extends NetworkSettings = NetworkSettings, V extends Validation = ValidationResult>
  implements TrainedModel
{
  /** The words that the model knows. */
  readonly vocab: Vocab;
  /** How predictions multiply recurrent weights: `'int8'` if the model was loaded with this option. */
  readonly recurrentWeights: RecurrentWeights;
  /** Shape of the network. */
  readonly settings: Readonly<N>;
  /** One report per epoch of the training that made this model; empty for a loaded model. */
  readonly history: readonly Progress<V>[];
  /**
   * The report of the epoch whose weights the model has: the best one on the validation rows, or the last one without
   * validation rows. Undefined for a loaded model or one without a network.
   */
  readonly kept: Progress<V> | undefined;
  /** Training rows, without validation rows; 0 for a loaded model. */
  readonly trainedRows: number;
  /**
   * How the model was made: the settings of its training, a fingerprint of the rows, and its figures after each epoch.
   * Stored in its file. Undefined for files of earlier versions.
   */
  readonly card: TrainingRecord | undefined;
  /**
   * The columns that the training rows were read from, as options of their reader: `readRows('test.csv', model.columns)`
   * reads other rows in the same way. Stored in the model's file. Undefined for rows that no reader read from columns,
   * and for files of versions before 0.7.
   */
  readonly columns: RowColumns | undefined;
  /** Details of a compressed model; undefined for others. */
  readonly compression: Readonly<CompressionFacts> | undefined;
  readonly #parts: readonly ModelPart[];
  readonly #compressed: CompressedFile | undefined;
  /** Running work other than predictions. */
  readonly #works = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /**
   * @param parts - The network and related parts.
   * @param extra - Additional parts that are saved and freed with the network.
   * @internal
   */
  protected constructor(parts: ModelParts<N, V>, extra: readonly ModelPart[] = []) {
    this.vocab = parts.vocab;
    this.settings = parts.settings;
    this.history = parts.history ?? [];
    this.kept = this.history.find(({ epoch }) => epoch === parts.bestEpoch) ?? this.history.at(-1);
    this.trainedRows = parts.trainedRows ?? 0;
    this.card = parts.card;
    this.columns = parts.columns;
    this.recurrentWeights = parts.recurrentWeights ?? 'float32';
    this.compression = parts.compressed?.facts;
    this.#compressed = parts.compressed;
    this.#parts = [parts.engine, ...extra];
  }

  /**
   * The metadata of the model's file.
   *
   * @internal
   */
  protected abstract metadata(): Record<string, string>;

  /**
   * Writes the model to one safetensors file: weights under PyTorch's names and shapes, everything else in its
   * metadata. The file is written under a temporary name, synced and renamed, so that an existing file stays intact
   * until then. The same model gives the same bytes.
   *
   * @example
   * ```ts
   * await model.save('models/tickets.safetensors');
   * ```
   */
  async save(path: string): Promise<void> {
    this.checkOpen();
    if (typeof path !== 'string' || path === '') throw invalidArgument('path', 'the path of a file', path);
    await this.during(this.#save(path));
  }

  async #save(path: string): Promise<void> {
    // Compressing rounded weights again would change them: a compressed model is written unchanged.
    if (this.#compressed) return this.#compressed.packed.write(path);
    await writeModel(path, withCard(withColumns(this.metadata(), this.columns), this.card), await this.#state());
  }

  async #state(): Promise<StateEntry[]> {
    const states = await Promise.all(this.#parts.map((part) => part.state()));
    return states.flat();
  }

  /**
   * The contents of the model, for exports: its metadata and a copy of its arrays.
   *
   * @internal
   */
  async contents(): Promise<ModelContents> {
    this.checkOpen();
    return { metadata: this.metadata(), state: await this.during(this.#state()) };
  }

  /**
   * The file of a smaller model.
   *
   * @param described - What the file says of the model; left out, what that of this one does.
   * @internal
   */
  protected async packed(
    options: CompressOptions,
    kind: Compressible,
    described: Record<string, string> = this.metadata(),
  ): Promise<lightNamespace.PackedModel> {
    this.checkOpen();
    checkCompression(options, kind);
    if (this.#compressed) {
      const message = 'this model is already compressed; compress the original model instead';
      throw new RecurraError('INVALID_ARGUMENT', message);
    }
    const metadata = withCard(withColumns(described, this.columns), this.card);
    const work = async () => compressModel({ metadata, state: await this.#state(), vocab: this.vocab }, options, kind);
    return this.during(work());
  }

  /**
   * The vectors of the words in {@link vocab}, as read by the recurrent layers.
   *
   * @throws ArgumentError for a model without a network.
   * @internal
   */
  async wordVectors(turns: Turns): Promise<ModelVectors> {
    this.checkOpen();
    const state = await this.during(this.#state());
    turns.restart();
    const { members = 1 } = this as { members?: number };
    const { subwords } = this.settings as { subwords?: false | FeatureOptions };
    return modelVectors({ vocab: this.vocab, state, members, features: subwords || undefined }, turns);
  }

  /**
   * The words of the vocabulary whose vectors are most similar to that of a word: words that the model has learned to
   * treat alike. The word itself and specials, such as `<unk>`, are excluded; the most similar word comes first.
   * Vectors are compared as read by the recurrent layers: character features are appended to a word's own vector, and
   * the vectors of several networks are concatenated. Yields to the event loop.
   *
   * @param word - A word of {@link vocab}; a tagger that reads characters has a vector for any word.
   * @param k - Number of words, at least 1; default 10.
   * @throws {@link ArgumentError} for a word that the model does not know, and for a model without a network.
   * @throws {@link RecurraError} `DISPOSED` after the model was closed.
   *
   * @example
   * ```ts
   * for (const { word, similarity } of await model.similar('invoice', 5)) console.log(word, similarity);
   * ```
   */
  async similar(word: string, k = 10): Promise<Neighbour[]> {
    this.checkOpen();
    checkFilled('word', word, 'a word');
    checkInteger('k', k, 1);
    const turns = new Turns();
    const vectors = await this.wordVectors(turns);
    const query = vectorOf(vectors, this.vocab, word);
    const specials = new Set(this.vocab.specials);
    return turns.run(nearestWords(vectors, query, k, (other) => other === word || specials.has(other)));
  }

  /**
   * Closes the model: running and waiting calls are answered, then the native memory is freed. Later calls reject with
   * `DISPOSED`. Closing twice is harmless.
   *
   * @returns a promise that resolves when the memory is free; it never rejects and need not be awaited. If nothing was
   * running, the memory is free on return.
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
    const waiting = this.drain();
    if (waiting) await waiting;
    if (this.#works.size > 0) await Promise.allSettled(this.#works);
    for (const part of this.#parts) part.close();
  }

  /**
   * Waits until calls that share the model are answered; undefined if there are none.
   *
   * @internal
   */
  protected drain(): Promise<void> | undefined {
    return undefined;
  }

  /** Like {@link close}, for `using model = ...`; it does not wait. */
  [Symbol.dispose](): void {
    void this.close();
  }

  /** Like {@link close}, for `await using model = ...`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Keeps the model alive while some work is running.
   *
   * @internal
   */
  protected async during<T>(work: Promise<T>): Promise<T> {
    this.#works.add(work);
    try {
      return await work;
    } finally {
      this.#works.delete(work);
    }
  }

  /**
   * Throws `DISPOSED` if the model was closed.
   *
   * @internal
   */
  protected checkOpen(): void {
    if (this.#closing) throw new RecurraError('DISPOSED', `this ${this.constructor.name} has been closed`);
  }
}

/** Base class of text models, which adds shared calls. A task adds its questions and answers. */
export abstract class TextModel<
  N extends NetworkSettings = NetworkSettings,
  V extends Validation = ValidationResult,
> extends Model<N, V> {
  readonly #serving: SharedCalls;

  /**
   * @param parts - The network and related parts.
   * @param serving - Answers the model's calls.
   * @param extra - Additional parts that are saved and freed with the network.
   * @internal
   */
  protected constructor(parts: ModelParts<N, V>, serving: SharedCalls, extra: readonly ModelPart[] = []) {
    super(parts, extra);
    this.#serving = serving;
  }

  /**
   * Sets how calls share the model; options that are not given stay unchanged.
   *
   * @throws {@link ArgumentError} for an invalid option.
   *
   * @example
   * ```ts
   * model.setServing({ maxBatch: 256, maxWait: 2, maxQueue: 2_000 });
   * ```
   */
  setServing(options: ServingOptions): void {
    this.#serving.set(options);
  }

  /** How calls share the model, and their current state. */
  get serving(): ServingState {
    return this.#serving.state;
  }

  /** @internal */
  protected override drain(): Promise<void> | undefined {
    return this.#serving.busy ? this.#serving.drain() : undefined;
  }
}
