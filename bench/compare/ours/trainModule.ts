import { padify, padLength, trainEpochEmb } from 'recurra/lesson';
import { type Batch, DataLoader, manualSeed, optim, trainEpoch } from 'recurra/torch';
import type { OurSpec, Timing } from '../types.js';
import { RecurrentClassifier } from './model.js';
import { readInts, Texts } from './texts.js';

/** Training of a user-composed module as the lesson does it: DataLoader, padify or padLength, trainEpoch or trainEpochEmb, Adam. */
export class ModuleTraining {
  readonly #net: RecurrentClassifier;
  readonly #optimizer: optim.Adam;
  readonly #batches: Iterator<Batch>;
  readonly #packed: boolean;

  constructor(spec: OurSpec) {
    manualSeed(0);
    this.#packed = spec.input === 'packed';
    this.#net = new RecurrentClassifier(spec.shape).to({ device: spec.device ?? 'cpu' });
    this.#optimizer = new optim.Adam(this.#net.parameters(), { lr: 1e-3 });
    const loader = new DataLoader(new Texts(spec.folder).dataset, {
      batchSize: spec.shape.batch,
      indices: readInts(spec.order!),
      collate: (rows): Batch => (this.#packed ? padLength(rows) : padify(rows)),
    });
    this.#batches = forever(loader);
  }

  /** Samples a second, collating included. */
  async measure({ warmup, seconds }: Timing): Promise<number> {
    await this.#train(warmup);
    const begun = performance.now();
    const samples = await this.#train(seconds);
    return samples / ((performance.now() - begun) / 1000);
  }

  async #train(seconds: number): Promise<number> {
    const until = performance.now() + seconds * 1000;
    let first = true;
    // Ends like an epoch when the time is over, after at least one batch.
    const source: Iterable<Batch> = {
      [Symbol.iterator]: () => ({
        next: () => {
          if (!first && performance.now() >= until) return { done: true, value: undefined };
          first = false;
          return this.#batches.next();
        },
      }),
    };
    const options = { optimizer: this.#optimizer };
    const { count } = this.#packed
      ? await trainEpochEmb(this.#net, source, { ...options, usePackSequence: true })
      : await trainEpoch(this.#net, source, options);
    return count;
  }

  close(): void {
    this.#optimizer.dispose();
    this.#net.dispose();
  }
}

function* forever<T>(source: Iterable<T>): Generator<T, void, undefined> {
  for (;;) yield* source;
}
