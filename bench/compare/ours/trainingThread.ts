/** The thread of a {@link ClassifierTraining}: trains until it is ended, and measures itself when asked to. */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { TextClassifier } from 'recurra';
import type { Measured, Timing } from '../types.js';
import type { TrainingThreadData } from './classifierTraining.js';
import { Texts } from './texts.js';
import { trainOptions } from './training.js';

const { spec, port, flag } = workerData as TrainingThreadData;

/** Sleeps until there is an order. The event loop sleeps as well, and with it the training, whose report this is called from. */
function nextOrder(): Timing {
  for (;;) {
    const received = receiveMessageOnPort(port);
    if (received) return received.message as Timing;
    Atomics.wait(flag, 0, 0);
    Atomics.store(flag, 0, 0);
  }
}

/** One measurement: from a report of progress to a later one, so that what went before the first is left out. */
class Measurement {
  readonly #timing: Timing;
  readonly #progress: [time: number, samples: number][] = [];
  #begun: number | undefined;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  /** Takes a report; returns the result when it was the last one. */
  add(samples: number): Measured | undefined {
    const { warmup, seconds, until = 0 } = this.#timing;
    const now = (performance.timeOrigin + performance.now()) / 1000;
    this.#begun ??= now;
    if (now - this.#begun < warmup) return undefined;
    this.#progress.push([now, samples]);
    const [[begin, before]] = this.#progress as [[number, number]];
    if (now - begin < seconds || now < until) return undefined;
    return { value: (samples - before) / (now - begin), progress: this.#progress };
  }
}

const texts = new Texts(spec.folder);
let measurement: Measurement | undefined;
await TextClassifier.train(texts.numbers(), {
  ...trainOptions(spec.shape, spec.threads),
  tokenizer: texts.ids,
  device: spec.device ?? 'cpu',
  onEvent(event) {
    if (event.type === 'start' && event.vocabulary !== spec.shape.vocabulary) {
      throw new Error(`the vocabulary has ${event.vocabulary} words, not ${spec.shape.vocabulary}`);
    }
    if (event.type !== 'step') return;
    measurement ??= new Measurement(nextOrder());
    const measured = measurement.add(event.samples);
    if (!measured) return;
    port.postMessage(measured);
    measurement = new Measurement(nextOrder());
  },
});
