import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** What one training gave; shares are from 0 to 1. */
export interface Figures {
  accuracy: number;
  macroF1: number;
  /** In nats a row. */
  logLoss: number;
  /** Calibration error of the most probable label, 15 bins. */
  calibration: number;
  /** From texts in memory to the trained model. */
  seconds: number;
  /** From texts in memory to labels, per text, all test texts together. */
  microseconds: number;
  /** Of the saved model. */
  bytes: number;
  /** Seconds of processors that the training took, of all threads; older results have none. */
  processorSeconds?: number;
  /** Largest resident memory until the model was trained, in MB of 2^20 bytes; older results have none. */
  megabytes?: number;
}

/** A line of the file of results. */
export interface Result extends Figures {
  set: string;
  rows: number;
  testRows: number;
  labels: number;
  program: string;
  seed: number;
  threads: number;
  /** What was run: versions of the other programs, or the trees of recurra's sources in git. */
  code: string;
  processor: string;
  /** Mean number of running processes in the minute before. */
  load: number;
  date: string;
}

/** What makes two results the same measurement. */
export type Measurement = Pick<Result, 'set' | 'program' | 'seed' | 'threads' | 'code'>;

const keyOf = ({ set, program, seed, threads, code }: Measurement) => [set, program, seed, threads, code].join('\n');

/** Results as JSON lines, one after each training, so that a run that broke off resumes. */
export class Results {
  readonly #path: string;
  readonly #known = new Set<string>();

  constructor(path: string) {
    this.#path = path;
    for (const result of readResults(path)) this.#known.add(keyOf(result));
  }

  has(measurement: Measurement): boolean {
    return this.#known.has(keyOf(measurement));
  }

  add(result: Result): void {
    appendFileSync(this.#path, `${JSON.stringify(result)}\n`);
    this.#known.add(keyOf(result));
  }
}

/** All lines of a file of results; the last one may have broken off. */
export function readResults<R = Result>(path: string): R[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as R);
}
