import { isSource } from '../../core/checks.js';
import type { Device } from '../../core/device.js';
import { ArgumentError, invalidArgument, mismatch } from '../../core/errors.js';
import { checkSignal, throwIfAborted } from '../../core/signals.js';
import { Turns } from '../../core/turns.js';
import { Module } from '../nn/module.js';
import { isTensor } from '../tensor/base.js';
import { shapeText } from '../tensor/dtype.js';
import { collect, disposeAll, record, type Scoped } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** What the loops hand to `forward` after moving it to the model's device. */
export type BatchInput = Tensor | Int32Array | readonly number[];

/** One batch: labels (int64, `[batch]`), then what the model's `forward` takes. */
export type Batch = readonly [labels: Tensor, ...inputs: BatchInput[]];

/** What the loops iterate over: a `DataLoader`, an array of batches, a generator, sync or async. */
export type BatchSource = Iterable<Batch> | AsyncIterable<Batch>;

/** A model: a module whose `forward` takes a batch's inputs and returns logits, `[batch, classes]`. */
export interface Classifier extends Module {
  /** Logits of a batch. */
  forward(...inputs: never[]): Tensor;
}

/** Computes the loss, one number, of logits `[batch, classes]` and labels `[batch]`. */
export type LossFunction = ((logits: Tensor, labels: Tensor) => Tensor) | LossModule;

/** A loss as a module, such as `CrossEntropyLoss`. */
export interface LossModule extends Module {
  /** The loss, one number, of logits `[batch, classes]` and labels `[batch]`. */
  forward(logits: Tensor, labels: Tensor): Tensor;
}

/** Figures while a loop runs and at its end. */
export interface TrainProgress {
  /** Number of batches so far. */
  batches: number;
  /** Number of samples so far. */
  count: number;
  /** Loss so far; see the function for what it is divided by. */
  loss: number;
  /** Share of samples so far whose largest logit is at the label. */
  accuracy: number;
}

/**
 * Throws unless `net` is a module.
 *
 * @internal
 */
export function checkNet(where: string, net: unknown): void {
  if (!(net instanceof Module)) throw invalidArgument(`net of ${where}`, 'a Module', net);
}

/**
 * The loss function as a function.
 *
 * @internal
 */
export function lossOf(where: string, lossFn: LossFunction): (logits: Tensor, labels: Tensor) => Tensor {
  if (lossFn instanceof Module) return (logits, labels) => lossFn.forward(logits, labels);
  if (typeof lossFn !== 'function') throw invalidArgument(`lossFn of ${where}`, 'a function or a Module', lossFn);
  return lossFn;
}

/**
 * Device of a model: that of its first parameter.
 *
 * @internal
 */
export function deviceOf(net: Module): Device {
  return net.parameters()[0]?.device ?? 'cpu';
}

/**
 * Splits a batch and moves its tensors to a device; lengths in arrays stay, and so do the inputs for which `stays` is
 * true.
 *
 * @internal
 */
export function prepare(
  where: string,
  batch: Batch,
  device: Device,
  stays: (index: number) => boolean = () => false,
): { labels: Tensor; inputs: BatchInput[] } {
  if (!Array.isArray(batch) || batch.length < 2) {
    throw invalidArgument(`batch of ${where}`, 'a batch [labels, ...inputs]', batch);
  }
  const [labels, ...inputs] = batch as unknown as [Tensor, ...BatchInput[]];
  if (!isTensor(labels)) throw invalidArgument(`labels of a batch of ${where}`, 'a Tensor', labels);
  if (labels.ndim !== 1 || labels.numel() === 0)
    throw mismatch(
      `labels of a batch of ${where}`,
      'shape [batch]',
      `shape ${shapeText(labels.shape)}`,
      'INVALID_SHAPE',
    );
  const move = (input: BatchInput, index: number) =>
    isTensor(input) && !stays(index) && input.device !== device ? input.to({ device }) : input;
  return { labels: move(labels, -1) as Tensor, inputs: inputs.map(move) };
}

/**
 * Logits of a batch.
 *
 * @throws `INVALID_SHAPE` unless they are `[batch, classes]`.
 *
 * @internal
 */
export function logitsOf(where: string, net: Classifier, inputs: readonly BatchInput[], labels: Tensor): Tensor {
  const logits = (net.forward as (...args: readonly BatchInput[]) => unknown)(...inputs);
  if (!isTensor(logits)) throw invalidArgument(`the result of forward in ${where}`, 'a Tensor of logits', logits);
  if (logits.ndim !== 2 || logits.shape[0] !== labels.shape[0]) {
    throw mismatch(
      `the result of forward in ${where}`,
      `logits of shape [${labels.shape[0]}, classes]`,
      `shape ${shapeText(logits.shape)}`,
      'INVALID_SHAPE',
    );
  }
  return logits;
}

/**
 * Calls `use` with each batch, one after the other, and lets the event loop run in between. Tensors of a batch that a
 * synchronous source made when it was asked for the batch are disposed after use; those it had before, or made
 * asynchronously, are left to it.
 *
 * @param use - Returns `false` to end.
 *
 * @internal
 */
export async function forEachBatch(
  where: string,
  source: BatchSource,
  signal: AbortSignal | undefined,
  use: (batch: Batch) => boolean | undefined,
): Promise<void> {
  if (!isSource(source)) throw invalidArgument(`loader of ${where}`, 'an iterable of batches', source);
  const turns = new Turns(checkSignal(`signal of ${where}`, signal), undefined, where);
  if (Symbol.iterator in source) {
    const iterator = source[Symbol.iterator]();
    let finished = false;
    try {
      for (;;) {
        const { result, created } = record(() => iterator.next());
        if (result.done) {
          finished = true;
          return;
        }
        const made = madeFor(result.value, created);
        try {
          if (use(result.value) === false) return;
        } finally {
          disposeAll(made);
        }
        if (turns.due) await turns.next();
        throwIfAborted(signal, where);
      }
    } finally {
      if (!finished) iterator.return?.();
    }
  }
  for await (const batch of source as AsyncIterable<Batch>) {
    if (use(batch) === false) return;
    if (turns.due) await turns.next();
    throwIfAborted(signal, where);
  }
}

function madeFor(batch: Batch, created: Set<Scoped>): Scoped[] {
  return created.size === 0
    ? []
    : ([...collect(batch, isTensor)] as unknown as Scoped[]).filter((tensor) => created.has(tensor));
}

/**
 * The error of a loop that met no batch.
 *
 * @internal
 */
export function emptyLoader(where: string): ArgumentError {
  return new ArgumentError('EMPTY_DATASET', `The loader of ${where} gave no batch`);
}
