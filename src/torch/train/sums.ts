import type { Device } from '../../core/device.js';
import { invalidArgument, RecurraError } from '../../core/errors.js';
import { type TorchBinding, torch } from '../../native/torch.js';
import { Optimizer } from '../optim/optimizer.js';
import { isTensor, nativeOf } from '../tensor/base.js';
import type { Tensor } from '../tensor/tensor.js';

/** What a loop sums up over its batches: for each batch first `watch`, then perhaps `step`, then `add`. */
export interface Sums {
  /** Looks at a batch's loss, before a step follows from it. */
  watch(loss: Tensor): void;
  /** Makes the optimizer's step, unless the loss was not finite. */
  step(optimizer: Pick<Optimizer, 'step'>): void;
  /** Adds the batch: its loss times `weight`, and which rows of the logits have their largest value at the label. */
  add(loss: Tensor, logits: Tensor, labels: Tensor, weight: number): void;
  /**
   * The sums so far.
   *
   * @throws `NON_FINITE_LOSS` naming the batch, if a loss was not finite.
   */
  read(): { total: number; correct: number };
}

const ADVICE = 'Try a smaller learning rate or clipGradNorm';

function checkLoss(where: string, loss: Tensor): void {
  if (isTensor(loss) && loss.numel() === 1) return;
  throw invalidArgument(`the result of lossFn of ${where}`, 'a Tensor of one element', loss);
}

/** Reads every loss at once, so that the first that is not finite ends the loop before anything is moved. */
class HostSums implements Sums {
  readonly #where: string;
  #loss = 0;
  #batches = 0;
  #rows = 0;
  #total = 0;
  #correct = 0;

  constructor(where: string) {
    this.#where = where;
  }

  watch(loss: Tensor): void {
    checkLoss(this.#where, loss);
    this.#batches++;
    this.#loss = loss.item();
    if (Number.isFinite(this.#loss)) return;
    throw new RecurraError(
      'NON_FINITE_LOSS',
      `The loss of batch ${this.#batches} (counted from 1; after ${this.#rows} samples) is ${this.#loss}; the weights are those before this batch. ${ADVICE}`,
    );
  }

  step(optimizer: Pick<Optimizer, 'step'>): void {
    optimizer.step();
  }

  add(_loss: Tensor, logits: Tensor, labels: Tensor, weight: number): void {
    this.#total += this.#loss * weight;
    this.#correct += torch().countCorrect(nativeOf(logits), nativeOf(labels));
    this.#rows += labels.shape[0]!;
  }

  read(): { total: number; correct: number } {
    return { total: this.#total, correct: this.#correct };
  }
}

/**
 * Sums up on a device and reads nothing before `read`, since every read waits for a GPU. It is the device that makes no step once a
 * loss was not finite.
 */
export class DeviceSums implements Sums {
  readonly #where: string;
  readonly #tally: InstanceType<TorchBinding['NativeTally']>;

  constructor(where: string, device: Device) {
    this.#where = where;
    this.#tally = new (torch().NativeTally)(device);
  }

  watch(loss: Tensor): void {
    checkLoss(this.#where, loss);
    this.#tally.watch(nativeOf(loss));
  }

  step(optimizer: Pick<Optimizer, 'step'>): void {
    // One with its own step does not know the tally.
    if (optimizer instanceof Optimizer && optimizer.step === Optimizer.prototype.step) {
      optimizer.stepUnless(this.#tally);
    } else optimizer.step();
  }

  add(loss: Tensor, logits: Tensor, labels: Tensor, weight: number): void {
    this.#tally.add(nativeOf(loss), nativeOf(logits), nativeOf(labels), weight);
  }

  read(): { total: number; correct: number } {
    const { loss, right, batches, bad } = this.#tally.read();
    if (!bad) return { total: loss, correct: right };
    throw new RecurraError(
      'NON_FINITE_LOSS',
      `The loss of batch ${batches + 1} (counted from 1) is not finite; the weights are those before this batch. ${ADVICE}`,
    );
  }
}

/** Sums for a model on a device. */
export function sumsOn(where: string, device: Device): Sums {
  return device === 'cpu' ? new HostSums(where) : new DeviceSums(where, device);
}
