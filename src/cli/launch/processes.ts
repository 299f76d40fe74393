import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';

/** How a process ended. */
export interface Ending {
  /** Number of the process, from 0. */
  rank: number;
  /** Its exit code; 128 plus the signal's number if a signal ended it, as in a shell. */
  exitCode: number;
  /** In words: `exit code 1`, `SIGKILL`. */
  how: string;
}

/** Times in milliseconds. */
export interface Patience {
  /** How long the other processes may take to notice and report that one has failed. */
  notice: number;
  /** How long they may take to end after SIGTERM. */
  end: number;
}

/** Processes of one command that are started and ended together. */
export class Processes {
  readonly #children: ChildProcess[];
  readonly #patience: Patience;
  readonly #endings: Promise<Ending>[];
  readonly #timers: NodeJS.Timeout[] = [];
  #first: Ending | undefined;

  /**
   * Starts the processes. They share the output of this process; the first one also gets its input.
   *
   * @param environments - The environment of each process.
   */
  constructor(
    [program, ...args]: readonly [string, ...string[]],
    environments: readonly NodeJS.ProcessEnv[],
    patience: Patience,
  ) {
    this.#patience = patience;
    this.#children = environments.map((env, rank) =>
      spawn(program, args, {
        env,
        stdio: [rank === 0 ? 'inherit' : 'ignore', 'inherit', 'inherit'],
        // Its own process group: a terminal's Ctrl-C reaches it once, from here, and its children can be ended with it.
        detached: process.platform !== 'win32',
      }),
    );
    this.#endings = this.#children.map((child, rank) => this.#ending(child, rank));
  }

  /**
   * Waits until all have ended; once one fails, the others are stopped.
   *
   * @returns how the first one failed; undefined if none did.
   * @throws the error of a program that cannot be started.
   */
  async ended(): Promise<Ending | undefined> {
    const results = await Promise.allSettled(this.#endings);
    for (const timer of this.#timers) clearTimeout(timer);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return this.#first;
  }

  /** Passes a signal on to every process. */
  signal(name: NodeJS.Signals): void {
    for (const child of this.#children) if (running(child)) child.kill(name);
  }

  async #ending(child: ChildProcess, rank: number): Promise<Ending> {
    const ending = await new Promise<Ending>((resolve, reject) => {
      child.once('error', (error) => {
        reject(error);
        this.#endOthers();
      });
      child.once('exit', (code, signal) => {
        const exitCode = code ?? 128 + constants.signals[signal!];
        resolve({ rank, exitCode, how: signal ?? `exit code ${code}` });
      });
    });
    // Also end the children it left running.
    endGroup(child, 'SIGTERM');
    if (ending.exitCode !== 0 && this.#first === undefined) {
      this.#first = ending;
      this.#endOthers();
    }
    return ending;
  }

  #endOthers(): void {
    if (this.#timers.length > 0) return;
    const { notice, end } = this.#patience;
    this.#timers.push(setTimeout(() => this.signal('SIGTERM'), notice));
    const kill = () => {
      for (const child of this.#children) {
        if (!endGroup(child, 'SIGKILL') && running(child)) child.kill('SIGKILL');
      }
    };
    this.#timers.push(setTimeout(kill, notice + end));
  }
}

function running({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

/** Sends a signal to a process and its children; returns whether any of them existed. */
function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): boolean {
  if (pid === undefined || process.platform === 'win32') return false;
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
