import type { light, NamedArray } from '../../index.d.js';
import type { RecurrentWeights } from '../core/precision.js';
import type { NativeEncoder } from '../text/encoder.js';
import type { Forms } from '../text/forms.js';
import type { HeadConfig, NetworkSettings, OptimizerName, SubwordsConfig } from './network.js';
import type { TranslatingEngine } from './translating.js';
import type { WritingEngine } from './writing.js';

/** One named array of a network's state: PyTorch's name, dtype, shape, and the little-endian elements. */
export type StateEntry = NamedArray;

/** The weights of a file, kept by the addon until an engine takes them. Names that start with `except` are skipped. */
export interface HeldWeights {
  file: light.HeldTensors;
  except: string | undefined;
}

/** Configuration of an engine. */
export interface EngineConfig extends NetworkSettings {
  /** The head on the recurrent layers. */
  head: HeadConfig;
  /** Number of tokens that have a vector. */
  vocabSize: number;
  /** The token whose vector stays zero; -1 for none. */
  paddingIdx: number;
  /** The token that replaces a dropped one; -1 for none. */
  unknownIdx: number;
  /** Vectors of a word's characters, appended to its own vector; tokens are then numbers of forms. None if omitted. */
  subwords?: SubwordsConfig | undefined;
  /**
   * With `subwords`, the forms of all words of the vocabulary, in its order: tokens are then word ids, as without
   * subwords. The state of such an engine is that of one without subwords whose vectors have
   * `embeddingDim + subwords.dim` numbers. After loading such a state from outside it only predicts, until `restore`.
   * The caller closes the forms after the engine is made.
   */
  ownForms?: Forms | undefined;
  /** Standard deviation of the initial vectors of words and features; 1, as in PyTorch, if omitted. */
  embeddingStd?: number;
  /** Whether the word vectors are also the weights of the head's linear layer; false if omitted. */
  tieWeights?: boolean;
  /** Dropout rate of the head's linear layer's input; `dropout` if omitted. */
  outputDropout?: number;
  /** Dropout rate of the recurrent weights, one mask per step; 0 if omitted. */
  recurrentDropout?: number;
  seed: number;
  /** Number of networks in the ensemble; the first one uses `seed`. 1 if omitted. */
  members?: number;
  threads: number | undefined;
  /** How predictions multiply recurrent weights; `float32` if omitted. Only the kernels know `int8`. */
  recurrentWeights?: RecurrentWeights;
}

/** Batches trained in one call, off the event loop. */
export interface Chunk {
  /** Token ids of all rows, concatenated; with `forms`, the numbers of forms. */
  tokens: Int32Array;
  /** The forms of the tokens; only for a network with `subwords`. */
  forms?: Forms | undefined;
  /** Tokens of each row, at least 1. */
  lengths: Int32Array;
  /**
   * The target of each row; with `targetStarts`, the targets of all rows, concatenated; for a head of tags, the tag of
   * each token; for a head of sequences, its units, ending with the end unit.
   */
  targets: Int32Array;
  /**
   * Where the targets of each row begin in `targets`, followed by their total number; for rows with any number of
   * targets.
   */
  targetStarts?: Uint32Array | undefined;
  /** Rows in each batch. */
  batchSizes: Int32Array;
}

/** Weights and smoothing of the loss. */
export interface LossOptions {
  /** A weight for each output; empty for 1 each. */
  weights: readonly number[];
  /** Share of the target that is spread over all outputs (label smoothing). */
  smoothing: number;
}

/** Settings of the steps on a chunk. */
export interface StepOptions {
  /** Learning rate of each batch. */
  learningRates: Float64Array;
  /** Maximum norm of all gradients together; 0 for no limit. */
  clipNorm: number;
  /** The optimizer. As in PyTorch, its state is kept if only its options change. */
  optimizer: OptimizerName;
  weightDecay: number;
  /** Momentum of `sgd`; turning it on or off resets the state. */
  momentum: number;
  loss: LossOptions;
  /** Freezes the embedding and its optimizer state. */
  freezeEmbedding: boolean;
  /** Norm of the adversarial noise, relative to that of a text's embedded tokens; 0 for none. */
  adversarial: number;
  /**
   * With `begin` and `continue`, the rows of a batch start from the final states of the batch before (truncated
   * backpropagation through time); `begin` starts the first batch of the chunk from zeros. All batches then have the
   * same number of rows, of equal length within a batch. Without it, rows start from zeros.
   */
  initial?: 'begin' | 'continue' | undefined;
  /**
   * For a head of sequences: the share of decoder inputs that are its own output of the step before instead of the
   * target (scheduled sampling). 0 if omitted.
   */
  sampling?: number | undefined;
}

/** Sums over a chunk. */
export interface ChunkStats {
  /** Sum over the batches of the mean loss times the number of answers. */
  loss: number;
  /** Correct answers, before the step of their batch; a set of outputs must match exactly. */
  correct: number;
  /**
   * Answers trained on: rows, or tokens for a head of tags. `loss / answers` is the mean loss, `correct / answers` the
   * accuracy.
   */
  answers: number;
  /** Rows trained on. */
  rows: number;
  /**
   * Index in the chunk of the first batch with a non-finite loss; no steps were made from it on. -1 if there was none.
   */
  nonFiniteBatch: number;
}

/** Measures of rows of tokens with known tags. */
export interface MeasuredTags {
  /** As returned by {@link Engine.scores}. `[tokens, TAG_SCORES]` */
  scores: Float32Array;
  /** For each row, the negative log-probability of its correct tags, in nats. `[rows]` */
  losses: Float32Array;
}

/** The scores of many texts. */
export interface TextScores {
  /** Scores as returned by {@link Engine.scores}, text by text. */
  scores: Float32Array;
  /** For each text, the number of tokens read and of known ones among them. */
  counts: Uint32Array;
}

/** Does the numeric work of a model of any kind; long work runs off the main thread. */
export interface Engine {
  /** Makes one optimizer step per batch. */
  train(chunk: Chunk, options: StepOptions): Promise<ChunkStats>;
  /**
   * The head's answers, row-major in the order of the rows: `[rows, outputs]`, or `[tokens, TAG_SCORES]` for tags. Here
   * and below, a network with `subwords` needs the forms that the tokens index; others take none.
   */
  scores(tokens: Int32Array, lengths: Int32Array, forms?: Forms): Promise<Float32Array>;
  /** The same, synchronously on the calling thread; undefined if it would take too long or have to wait. */
  scoresNow?(tokens: Int32Array, lengths: Int32Array, forms?: Forms): Float32Array | undefined;
  /**
   * Scores a short text synchronously: `row` receives the scores, the number of tokens read, and the number of known
   * ones. False if it would take too long on the calling thread.
   */
  scoreTextNow?(encoder: NativeEncoder, text: string, row: Float32Array): boolean;
  /** Scores texts that the addon reads itself. Two calls may run at a time. */
  scoreTexts?(encoder: NativeEncoder, texts: readonly string[]): Promise<TextScores>;
  /** Maximum tokens that a chunk should have. */
  readonly chunkTokens: number;
  /** Multiply-adds per token, from `tokenWork`. */
  readonly workPerToken: number;
  /** Overwrites the vectors of some words, row by row; nothing else changes. Refuses the padding, whose vector stays zero. */
  setWordVectors(words: Int32Array, vectors: Float32Array): Promise<void>;
  /** A copy of all parameters. */
  state(): Promise<StateEntry[]>;
  /** Replaces all parameters; refuses mismatched names, shapes or dtypes before anything changes. */
  loadState(entries: StateEntry[]): Promise<void>;
  /** Frees the native memory. */
  close(): void;
}

/** An engine whose training can be interrupted and resumed bit for bit, even in another process. */
export interface ResumableEngine extends Engine {
  /** Like {@link Engine.loadState} with the weights of a file, whose memory it frees. */
  loadHeld(weights: HeldWeights): Promise<void>;
  /**
   * Everything that a training resumes from; with `weights`, also the arrays of {@link Engine.state}. Unlike that
   * method it does not change the training: applying deferred steps early would round differently.
   */
  trainingState(weights: boolean): Promise<StateEntry[]>;
  /** Restores the arrays of `trainingState(false)`; refuses mismatched arrays before anything changes. */
  restore(entries: StateEntry[]): Promise<void>;
}

/** What the tokens of a row contribute to one output. */
export interface Explanation {
  /** The output explained. */
  output: number;
  /** Output of the head's last layer, one number per output. */
  raw: Float32Array;
  /** The scores that {@link Engine.scores} derives from them. */
  scores: Float32Array;
  /** Gradient of the output's raw score with respect to each embedded token, times the token; one number per token. */
  contributions: Float32Array;
}

/** An engine that can also explain, and write texts if its head is made for that. */
export interface ExplainingEngine extends ResumableEngine {
  /** Writes and reads texts unit by unit; an engine on libtorch, and an ensemble, cannot. */
  readonly writing?: WritingEngine;
  /** Writes sequences for others; only with a head of sequences, which has no scores. */
  readonly translating?: TranslatingEngine;
  /** Raw values that `scores` are derived from, row-major: `[rows, outputs]`, or with tags `[tokens, outputs]`. */
  rawScores(tokens: Int32Array, lengths: Int32Array, forms?: Forms): Promise<Float32Array>;
  /** Scores of rows with a head of tags, and their losses with respect to the correct tags, given one per token. */
  measure?(tokens: Int32Array, lengths: Int32Array, tags: Int32Array, forms?: Forms): Promise<MeasuredTags>;
  /**
   * From now on trains together with the ranks of the process group at this address, or alone if undefined; CPU only.
   */
  distribute?(table: bigint | undefined): void;
  /** Explains one row; -1 for the output with the largest score. A head of tags throws. */
  explain(tokens: Int32Array, output: number, forms?: Forms): Promise<Explanation>;
}

/**
 * Multiply-adds up to which a prediction is computed synchronously: about 0.1 to 0.2 ms, the cost of two thread
 * switches on a busy machine, and too short to delay the event loop.
 */
export const AT_ONCE_WORK = 4_000_000;
