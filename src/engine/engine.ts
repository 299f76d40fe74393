import type { light as lightNamespace, NamedArray } from '../../index.d.js';
import type { EncodedDataset, GatheredRows } from '../data/sets/encoded.js';
import type { NativeEncoder } from '../text/encoder.js';
import type { NetworkSettings, OptimizerName, Pooling } from './network.js';

/** One named array of a model's state: PyTorch's name, dtype, shape, and the little-endian elements. */
export type StateEntry = NamedArray;

/** The weights in a file, which the addon holds until an engine takes them; what `except` begins the name of is not theirs. */
export interface HeldWeights {
  file: lightNamespace.HeldTensors;
  except: string | undefined;
}

/** What an engine is built from. */
export interface EngineConfig extends NetworkSettings {
  /** How a text's outputs become one vector. */
  pooling: Pooling;
  /** Whether a text may have any number of classes. */
  multiLabel: boolean;
  vocabSize: number;
  numClasses: number;
  paddingIdx: number;
  /** The word that a dropped word is read as. */
  unknownIdx: number;
  /** Standard deviation of the initial word vectors; 1, as PyTorch's, if left out. */
  embeddingStd?: number;
  seed: number;
  threads: number | undefined;
}

/** Some batches that are trained in one go, away from the event loop. */
export interface Chunk extends GatheredRows {
  /** Rows in each batch. */
  batchSizes: Int32Array;
}

/** How an engine learns from a chunk. */
export interface StepOptions {
  /** Learning rate of each batch. */
  learningRates: Float64Array;
  /** Largest norm of all gradients together; 0 for no limit. */
  clipNorm: number;
  optimizer: OptimizerName;
  weightDecay: number;
  /** Momentum of `sgd`. */
  momentum: number;
  /** A weight for each class, or none for 1 each; see {@link LearningOptions.classWeights}. */
  classWeights: readonly number[];
  labelSmoothing: number;
  /** Leaves the embedding as it is; its state of the optimizer stays too. */
  freezeEmbedding: boolean;
}

/** Sums over a chunk. */
export interface ChunkStats {
  /** Sum over the batches of the mean loss times the number of rows. */
  loss: number;
  /** Rows labelled rightly, before the step that their batch made; with several labels, rows with exactly the right ones. */
  correct: number;
  /** Rows trained on. */
  rows: number;
  /** Batch whose loss was not finite, counted in the chunk; no step was made from it on. -1 if there was none. */
  nonFiniteBatch: number;
}

/** What many texts gave. */
export interface PredictedTexts {
  /** Probabilities, text by text. */
  probabilities: Float32Array;
  /** Of each text, the tokens that were read and how many of them are known. */
  counts: Uint32Array;
}

/** Computes for a {@link TextClassifier}; everything long runs off the main thread. */
export interface Engine {
  /** Makes one optimizer step per batch. */
  train(chunk: Chunk, options: StepOptions): Promise<ChunkStats>;
  /** Probabilities, `[rows, numClasses]` row-major, in the order of the rows. */
  predict(tokens: Int32Array, lengths: Int32Array): Promise<Float32Array>;
  /** The same at once, on the calling thread; undefined for what would take too long there, or would have to wait. */
  predictNow?(tokens: Int32Array, lengths: Int32Array): Float32Array | undefined;
  /**
   * Labels a text at once, if it is short: `row` receives the probabilities, the tokens that were read, and how many of them
   * are known. False for what would take too long on the calling thread.
   */
  predictTextNow?(encoder: NativeEncoder, text: string, row: Float32Array): boolean;
  /** Labels texts that the addon reads itself. Two calls may be under way. */
  predictTexts?(encoder: NativeEncoder, texts: readonly string[]): Promise<PredictedTexts>;
  /** Tokens that a chunk should have at the most. */
  readonly chunkTokens: number;
  /** Multiply-adds that a token takes in the recurrent layers. */
  readonly workPerToken: number;
  /** Gives some words other vectors, row by row; all else stays. Refuses the padding word, whose vector stays zero. */
  setWordVectors(words: Int32Array, vectors: Float32Array): Promise<void>;
  /** A copy of all parameters. */
  state(): Promise<StateEntry[]>;
  /** Replaces all parameters; refuses, before anything changes, what does not fit by name, shape or dtype. */
  loadState(entries: StateEntry[]): Promise<void>;
  /** Frees the native memory. */
  close(): void;
}

/** An engine whose training can be interrupted and go on, in another process too, to the same bits. */
export interface ResumableEngine extends Engine {
  /** As {@link Engine.loadState} with the weights of a file, whose memory it frees. */
  loadHeld(weights: HeldWeights): Promise<void>;
  /**
   * All that a training goes on from, and with `weights` also what {@link Engine.state} gives. Unlike that one it leaves the
   * training as it is: making up missed steps early would round them otherwise.
   */
  trainingState(weights: boolean): Promise<StateEntry[]>;
  /** Takes over what `trainingState(false)` gave; refuses, before anything changes, what does not fit. */
  restore(entries: StateEntry[]): Promise<void>;
}

/** What the tokens of a text contribute to one class. */
export interface NativeExplanation {
  /** The class explained. */
  classIndex: number;
  /** The linear layer's outputs, one for each class. */
  logits: Float32Array;
  /** Their probabilities, as `predict` gives them. */
  probabilities: Float32Array;
  /** Gradient of the class's logit with respect to the embedded token, times it; one for each token. */
  contributions: Float32Array;
}

/** An engine that can also say why. */
export interface ExplainingEngine extends ResumableEngine {
  /** What `predict` makes probabilities of, `[rows, numClasses]` row-major. */
  logits(tokens: Int32Array, lengths: Int32Array): Promise<Float32Array>;
  /** Explains one text; -1 for the class with the largest logit. */
  explain(tokens: Int32Array, classIndex: number): Promise<NativeExplanation>;
}

/**
 * Multiply-adds up to which a prediction is computed at once: some 0.2 ms, about what two changes of thread cost on a busy
 * machine, and too little to be felt on the event loop.
 */
export const AT_ONCE_WORK = 2_000_000;

/** Puts the rows of some batches, which stand in `order` from `start`, together for the engine. */
export function chunkOf(dataset: EncodedDataset, order: Int32Array, start: number, batchSizes: Int32Array): Chunk {
  const rows = batchSizes.reduce((sum, size) => sum + size, 0);
  return { ...dataset.gather(order.subarray(start, start + rows)), batchSizes };
}
