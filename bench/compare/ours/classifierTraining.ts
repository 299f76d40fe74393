import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Measured, OurSpec, Timing } from '../types.js';

/** What the thread gets that trains; see `trainingThread.ts`. */
export interface TrainingThreadData {
  spec: OurSpec;
  /** Where it gets a {@link Timing} for each measurement and sends a {@link Measured} back. */
  port: MessagePort;
  /** Set to 1 when there is a new order. */
  flag: Int32Array;
}

const THREAD = new URL('./trainingThread.ts', import.meta.url).href;
/** Node 20 does not give a thread the loader of its process. */
const IN_TYPESCRIPT = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(THREAD)})))`;

/**
 * A training of a TextClassifier that stands still between measurements. It runs on its own thread, which sleeps in the
 * report of its progress; so each repetition continues where the last one ended, as PyTorch's does, and texts are read
 * once.
 */
export class ClassifierTraining {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #flag = new Int32Array(new SharedArrayBuffer(4));
  readonly #failed: Promise<never>;

  constructor(spec: OurSpec) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData: TrainingThreadData = { spec, port: port2, flag: this.#flag };
    this.#worker = new Worker(IN_TYPESCRIPT, { eval: true, workerData, transferList: [port2] });
    this.#failed = new Promise((_, reject) => {
      this.#worker.once('error', reject);
      this.#worker.once('exit', (code) => reject(new Error(`the thread that trains ended with code ${code}`)));
    });
    this.#failed.catch(() => {});
  }

  /** Samples a second. */
  async measure(timing: Timing): Promise<Measured> {
    const measured = new Promise<Measured>((resolve) => this.#port.once('message', resolve));
    this.#port.postMessage(timing);
    Atomics.store(this.#flag, 0, 1);
    Atomics.notify(this.#flag, 0);
    return Promise.race([measured, this.#failed]);
  }

  close(): void {
    this.#port.close();
    void this.#worker.terminate();
  }
}
