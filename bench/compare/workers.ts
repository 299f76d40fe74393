import { fileURLToPath } from 'node:url';
import { Child } from './child.js';

/** What a worker of PyTorch says about itself. */
export interface TheirVersions {
  python: string;
  torch: string;
  /** Vector instructions that PyTorch uses. */
  capability: string;
  onednn: boolean;
  /** The first GPU that PyTorch sees. */
  gpu: string | null;
  threads: number;
}

/** What a worker of recurra says about itself. */
export interface OurVersions {
  node: string;
  recurra: string;
}

const OURS = fileURLToPath(new URL('./ours/server.ts', import.meta.url));
const THEIRS = fileURLToPath(new URL('../pytorch/server.py', import.meta.url));

/** Starts and keeps the worker processes: one for each side and number of threads, so that thread pools never share a process. */
export class Workers {
  readonly #python: string;
  readonly #started = new Map<string, Child>();

  constructor(python: string) {
    this.#python = python;
  }

  /** A worker of recurra; another `instance` is another process. */
  ours(threads: number, instance = 0): Child {
    return this.#get(`recurra, ${threads} threads, process ${instance + 1}`, (name) => {
      return new Child(name, process.execPath, [...process.execArgv, OURS], threadVariables(threads));
    });
  }

  /** A worker of PyTorch. */
  theirs(threads: number): Child {
    return this.#get(`PyTorch, ${threads} threads`, (name) => {
      return new Child(
        name,
        this.#python,
        ['-B', '-u', '-W', 'ignore', THEIRS, String(threads)],
        threadVariables(threads),
      );
    });
  }

  #get(name: string, start: (name: string) => Child): Child {
    let child = this.#started.get(name);
    // One that has ended, because memory ran out for instance, must not take the other comparisons with it.
    if (child === undefined || child.ended) {
      child = start(name);
      this.#started.set(name, child);
    }
    return child;
  }

  /** Ends all of them. */
  close(): void {
    for (const child of this.#started.values()) child.close();
    this.#started.clear();
  }
}

function threadVariables(threads: number): Record<string, string> {
  return { OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) };
}
