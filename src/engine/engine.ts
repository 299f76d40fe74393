import type { light, NamedArray } from '../../index.d.js';
import type { NativeEncoder } from '../text/encoder.js';
import type { Forms } from '../text/forms.js';
import type { HeadConfig, NetworkSettings, OptimizerName, SubwordsConfig } from './network.js';
import type { TranslatingEngine } from './translating.js';
import type { WritingEngine } from './writing.js';

/** One named array of a network's state: PyTorch's name, dtype, shape, and the little-endian elements. */
export type StateEntry = NamedArray;

/** The weights in a file, which the addon holds until an engine takes them; names that begin with `except` are skipped. */
export interface HeldWeights {
  file: light.HeldTensors;
  except: string | undefined;
}

/** What an engine is built from. */
export interface EngineConfig extends NetworkSettings {
  /** What stands on the recurrent layers. */
  head: HeadConfig;
  /** Number of tokens that have a vector. */
  vocabSize: number;
  /** The token whose vector stays zero; -1 for none. */
  paddingIdx: number;
  /** The token that a dropped one is read as; -1 for none. */
  unknownIdx: number;
  /** What the characters of a word add to its own vector; then tokens are numbers of forms. Nothing if left out. */
  subwords?: SubwordsConfig | undefined;
  /**
   * With `subwords` the forms of all words of the vocabulary, in its order: tokens are then ids of words as without them. The state of
   * such an engine is that of one without subwords whose vectors have `embeddingDim + subwords.dim` numbers; once it took such a state
   * from outside it only predicts, until `restore`. The caller closes the forms once the engine is made.
   */
  ownForms?: Forms | undefined;
  /** Standard deviation of the initial vectors of words and features; 1, as PyTorch's, if left out. */
  embeddingStd?: number;
  /** Whether the vectors of the words are the weights of the head's linear layer too; not if left out. */
  tieWeights?: boolean;
  /** Share of elements dropped from what the head's linear layer reads; `dropout` if left out. */
  outputDropout?: number;
  /** Share of the recurrent weights dropped, one mask for each step; 0 if left out. */
  recurrentDropout?: number;
  seed: number;
  /** Networks that answer as one, the first of which has `seed`; 1 if left out. */
  members?: number;
  threads: number | undefined;
}

/** Some batches that are trained in one call, away from the event loop. */
export interface Chunk {
  /** Token ids of all rows, one row after the other; with `forms` the numbers of forms. */
  tokens: Int32Array;
  /** What the tokens are, for a network with `subwords` and for no other. */
  forms?: Forms | undefined;
  /** Tokens of each row, at least 1. */
  lengths: Int32Array;
  /**
   * The output that each row is trained towards; with `targetStarts` the outputs of all rows, one row after the other; with a head of
   * tags the tag of each token; with a head of sequences its units, the last of which is the end.
   */
  targets: Int32Array;
  /** Where the outputs of each row begin in `targets`, and at last how many there are; where a row may have any number. */
  targetStarts?: Uint32Array | undefined;
  /** Rows in each batch. */
  batchSizes: Int32Array;
}

/** What the loss weighs and smooths. */
export interface LossOptions {
  /** A weight for each output, or none for 1 each. */
  weights: readonly number[];
  /** Share of the target that is spread over all outputs. */
  smoothing: number;
}

/** How an engine learns from a chunk. */
export interface StepOptions {
  /** Learning rate of each batch. */
  learningRates: Float64Array;
  /** Largest norm of all gradients together; 0 for no limit. */
  clipNorm: number;
  /** The optimizer. As in PyTorch its state stays where only its options change. */
  optimizer: OptimizerName;
  weightDecay: number;
  /** Momentum of `sgd`; turning it on or off begins with a fresh state. */
  momentum: number;
  loss: LossOptions;
  /** Leaves the embedding as it is; its state of the optimizer stays too. */
  freezeEmbedding: boolean;
  /** Length of the adversarial noise, as a share of that of a text's embedded tokens; 0 for none. */
  adversarial: number;
  /**
   * With `begin` and `continue` the rows of a batch begin with the final states of the batch before, but with zeros in the first batch of
   * a chunk that begins: truncated backpropagation through time. All batches have as many rows then, equally long within a batch.
   * Without it rows begin with zeros.
   */
  initial?: 'begin' | 'continue' | undefined;
  /**
   * With a head of sequences the share of the units read by the decoder that are its own of the step before, in place of the right ones:
   * scheduled sampling. 0 if left out.
   */
  sampling?: number | undefined;
}

/** Sums over a chunk. */
export interface ChunkStats {
  /** Sum over the batches of the mean loss times the number of answers. */
  loss: number;
  /** Answers that were right, before the step that their batch made; of sets of outputs, exactly. */
  correct: number;
  /** Answers trained on: rows, or with a head of tags tokens. `loss / answers` is the mean loss, `correct / answers` the accuracy. */
  answers: number;
  /** Rows trained on. */
  rows: number;
  /** Batch whose loss was not finite, counted in the chunk; no step was made from it on. -1 if there was none. */
  nonFiniteBatch: number;
}

/** Rows of tokens whose right tags are known. */
export interface MeasuredTags {
  /** As {@link Engine.scores} gives them. `[tokens, TAG_SCORES]` */
  scores: Float32Array;
  /** Of each row the negative logarithm of the probability of its right tags, in nats. `[rows]` */
  losses: Float32Array;
}

/** What many texts gave. */
export interface TextScores {
  /** Scores as {@link Engine.scores} gives them, text by text. */
  scores: Float32Array;
  /** Of each text, the tokens that were read and how many of them are known. */
  counts: Uint32Array;
}

/** Computes for a model, whatever it is for; everything long runs off the main thread. */
export interface Engine {
  /** Makes one optimizer step per batch. */
  train(chunk: Chunk, options: StepOptions): Promise<ChunkStats>;
  /**
   * What the head answers, row-major in the order of the rows: `[rows, outputs]`, or with tags `[tokens, TAG_SCORES]`. A network with
   * `subwords` needs the forms whose numbers the tokens are, here and below; another takes none.
   */
  scores(tokens: Int32Array, lengths: Int32Array, forms?: Forms): Promise<Float32Array>;
  /** The same at once, on the calling thread; undefined for what would take too long there, or would have to wait. */
  scoresNow?(tokens: Int32Array, lengths: Int32Array, forms?: Forms): Float32Array | undefined;
  /**
   * Scores a text at once, if it is short: `row` receives the scores, the tokens that were read, and how many of them are
   * known. False for what would take too long on the calling thread.
   */
  scoreTextNow?(encoder: NativeEncoder, text: string, row: Float32Array): boolean;
  /** Scores texts that the addon reads itself. Two calls may be under way. */
  scoreTexts?(encoder: NativeEncoder, texts: readonly string[]): Promise<TextScores>;
  /** Tokens that a chunk should have at the most. */
  readonly chunkTokens: number;
  /** Multiply-adds that a token takes, by `tokenWork`. */
  readonly workPerToken: number;
  /** Overwrites the vectors of some words, row by row; nothing else changes. Refuses the padding, whose vector stays zero. */
  setWordVectors(words: Int32Array, vectors: Float32Array): Promise<void>;
  /** A copy of all parameters. */
  state(): Promise<StateEntry[]>;
  /** Replaces all parameters; refuses, before anything changes, what does not fit by name, shape or dtype. */
  loadState(entries: StateEntry[]): Promise<void>;
  /** Frees the native memory. */
  close(): void;
}

/** An engine whose training can be interrupted and resumed, in another process too, to the same bits. */
export interface ResumableEngine extends Engine {
  /** As {@link Engine.loadState} with the weights of a file, whose memory it frees. */
  loadHeld(weights: HeldWeights): Promise<void>;
  /**
   * All that a training resumes from, and with `weights` also what {@link Engine.state} gives. Unlike that one it leaves the
   * training as it is: making up missed steps early would round them otherwise.
   */
  trainingState(weights: boolean): Promise<StateEntry[]>;
  /** Takes over what `trainingState(false)` gave; refuses, before anything changes, what does not fit. */
  restore(entries: StateEntry[]): Promise<void>;
}

/** What the tokens of a row contribute to one output. */
export interface Explanation {
  /** The output explained. */
  output: number;
  /** What the head's last layer gave, one number for each output. */
  raw: Float32Array;
  /** What {@link Engine.scores} makes of them. */
  scores: Float32Array;
  /** Gradient of the output's raw score with respect to the embedded token, times it; one for each token. */
  contributions: Float32Array;
}

/** An engine that can also say why, and write texts where its head is made for that. */
export interface ExplainingEngine extends ResumableEngine {
  /** Writes and reads texts unit by unit; an engine on libtorch, and an ensemble, cannot. */
  readonly writing?: WritingEngine;
  /** Writes sequences for others; with a head of sequences only, which in turn gives no scores. */
  readonly translating?: TranslatingEngine;
  /** What `scores` are made of, row-major: `[rows, outputs]`, or with tags `[tokens, outputs]`. */
  rawScores(tokens: Int32Array, lengths: Int32Array, forms?: Forms): Promise<Float32Array>;
  /** Scores of rows with a head of tags, and how far they are from the right tags, one for each token. */
  measure?(tokens: Int32Array, lengths: Int32Array, tags: Int32Array, forms?: Forms): Promise<MeasuredTags>;
  /** Trains from now on with the ranks of the process group at this address, or alone without one; on the CPU only. */
  distribute?(table: bigint | undefined): void;
  /** Explains one row; -1 for the output with the largest score. A head of tags refuses. */
  explain(tokens: Int32Array, output: number, forms?: Forms): Promise<Explanation>;
}

/**
 * Multiply-adds up to which a prediction is computed at once: some 0.1 to 0.2 ms, about what two changes of thread cost on a busy
 * machine, and too little to be felt on the event loop.
 */
export const AT_ONCE_WORK = 4_000_000;
