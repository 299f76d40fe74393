/** What the comparison's programs say to each other. Both workers (ours, PyTorch's) take the same requests. */

/** How long the made-up texts are; see `data.ts`. */
export interface Lengths {
  /** Tokens of a text: of each of them if `even`, else on the average. */
  mean: number;
  /** `news`: as AG News; `even`: all equal; `uneven`: from some tokens to five times the mean. */
  spread: 'news' | 'even' | 'uneven';
}

/** The network and the batches of a comparison. */
export interface Shape {
  cell: 'rnn' | 'lstm' | 'gru';
  embedding: number;
  hidden: number;
  layers: number;
  bidirectional: boolean;
  /** Texts in a batch. */
  batch: number;
  /** Rows of the embedding, the two specials included. */
  vocabulary: number;
  classes: number;
  lengths: Lengths;
}

/** Order of the texts: `random` as the lesson shuffles them, `bucketed` into batches of similar length. */
export type Order = 'random' | 'bucketed';

/** What a worker is to do; also the name under which it keeps what it needs for it. */
export type Spec = OurSpec | TheirSpec;

interface CommonSpec {
  /** `train`: samples a second; `predictMany`: texts a second; `predictOne`: median microseconds a text. */
  work: 'train' | 'predictMany' | 'predictOne';
  shape: Shape;
  /** Where it computes; the CPU where nothing is said. */
  device?: 'cuda';
  /** Folder with `tokens.i32`, `lengths.i32` and `labels.i32`. */
  folder: string;
}

/** A work of recurra. */
export interface OurSpec extends CommonSpec {
  side: 'ours';
  /** Which part of the API does it. */
  api: 'TextClassifier' | 'nn.Module';
  /** Threads of the numeric work; the worker was started with as many. */
  threads: number;
  /** TextClassifier: recurrent weights in eight bits, where they are not in 32. */
  recurrentWeights?: 'int8';
  /** nn.Module: how the texts of a batch get into the recurrent layers. */
  input?: 'packed' | 'padded';
  /** nn.Module: file with the order of the texts; TextClassifier makes batches of similar length by itself. */
  order?: string;
}

/** A work of PyTorch. */
export interface TheirSpec extends CommonSpec {
  side: 'theirs';
  input: 'packed' | 'padded';
  /** `default`: `torch.optim.Adam(parameters, lr=1e-3)`; else with `foreach=True` or `fused=True`. */
  adam: 'default' | 'foreach' | 'fused';
  /** On a GPU: whether the batches are there before the clock runs; else each is moved in its step, as the lesson does. */
  resident?: boolean;
  /** `torch.backends.mkldnn`. */
  onednn: boolean;
  /** File with the order of the texts. */
  order: string;
}

/** How long a worker works. */
export interface Timing {
  /** Seconds before anything is counted. */
  warmup: number;
  /** Minimum seconds that are counted; a running batch is finished. */
  seconds: number;
  /** Only for TextClassifier's training: continues until then, in seconds since 1970. */
  until?: number;
}

/** What a worker answers to `measure`. */
export interface Measured {
  /** Samples a second, or with `predictOne` microseconds a text. */
  value: number;
  /** Only of TextClassifier's training: seconds since 1970 and samples by then, from the first one that counts. */
  progress?: [time: number, samples: number][];
}

/** A line of the result. `ratio` says how many times as fast ours is, but where `work` is a cost: then it is ours over theirs. */
export interface Row {
  work: string;
  against: string;
  /** Threads of ours. */
  threads: number;
  ours: number;
  theirs: number;
  unit: string;
  ratio: number;
  /** Network, batch and lengths. */
  shape: string;
  /** Settings of both sides that gave the figures. */
  settings: { ours: string; theirs: string };
}
