import { fileURLToPath } from 'node:url';
import { Child } from '../compare/child.js';
import type { Parts } from './sets.js';

/** A program that tags: what it is called in tables, and how it is started. */
export interface Tagger {
  name: string;
  /** Its name in a table. */
  title: string;
  /** Whether other programs are compared with it. */
  other: boolean;
}

/** All programs, each with its own defaults. */
export const TAGGERS: readonly Tagger[] = [
  { name: 'recurra', title: 'recurra', other: false },
  { name: 'pytorch', title: 'PyTorch', other: true },
  { name: 'spacy', title: 'spaCy', other: true },
];

/** What is trained, and on what. */
export interface Work {
  /** Files of JSON lines. */
  parts: Record<keyof Parts, string>;
  /** `null` if the tags are not entities. */
  scheme: string | null;
  /** File of word vectors, or null. */
  vectors: string | null;
  seed: number;
  /** The sentence whose answer is timed alone. */
  one: readonly string[];
}

/** A training from the beginning to the end. */
export interface Fit {
  seconds: number;
  /** Seconds and score on the dev part, each time that it was measured. */
  curve: [seconds: number, score: number][];
}

const python = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** A program in its own process. */
export class Process {
  readonly tagger: Tagger;
  readonly #child: Child;

  constructor(tagger: Tagger, threads: number, pythonFile: string) {
    this.tagger = tagger;
    const env = { OMP_NUM_THREADS: `${threads}`, MKL_NUM_THREADS: `${threads}` };
    if (tagger.other) {
      const module = tagger.name === 'spacy' ? 'pipeline' : 'network';
      const args = ['-B', '-u', '-W', 'ignore', python('server.py'), module, `${threads}`];
      this.#child = new Child(tagger.title, pythonFile, args, env);
    } else {
      this.#child = new Child(
        tagger.title,
        process.execPath,
        [...process.execArgv, python('ours.ts'), `${threads}`],
        env,
      );
    }
  }

  hello(): Promise<Record<string, string>> {
    return this.#child.request('hello');
  }

  load(work: Work): Promise<void> {
    return this.#child.request('load', work);
  }

  /** Trains to the end, or until `epochs` or `seconds` are over. Without limits recurra follows its own defaults. */
  fit(limits: { epochs: number; seconds: number }): Promise<Fit> {
    return this.#child.request('fit', limits);
  }

  /** The tags of a part, by the model of the last training. */
  predict(part: keyof Parts): Promise<string[][]> {
    return this.#child.request('predict', { part });
  }

  /** Sentences a second in training at 32 a batch (null where the program chooses its batches), median microseconds of one sentence, or words a second. */
  measure(what: Speed, seconds: number): Promise<number | null> {
    return this.#child.request(what, { seconds });
  }

  close(): void {
    this.#child.close();
  }
}

/** What is measured in turns. */
export const SPEEDS = ['train', 'one', 'many'] as const;

export type Speed = (typeof SPEEDS)[number];
