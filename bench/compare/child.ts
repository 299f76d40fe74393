import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A child process that answers JSON lines: one request, one answer, in order. */
export class Child {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #waiting: { resolve: (value: never) => void; reject: (error: Error) => void }[] = [];
  #errors = '';
  #ended: Error | undefined;

  constructor(name: string, command: string, args: readonly string[], env: Record<string, string>) {
    this.#name = name;
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process = child;
    child.stderr.on('data', (data: Buffer) => {
      this.#errors = (this.#errors + data.toString()).slice(-4_000);
    });
    child.on('error', (error) => this.#end(error.message));
    child.on('close', (code, signal) => this.#end(`ended with ${signal ?? `code ${code}`}`));
    // Writing to a process that has ended is reported by its end.
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => this.#answer(line));
  }

  #answer(line: string): void {
    const waiting = this.#waiting.shift();
    let answer: { result?: never; error?: string };
    try {
      answer = JSON.parse(line);
    } catch {
      answer = { error: `expected an answer in JSON but received ${JSON.stringify(line.slice(0, 200))}` };
    }
    const { result, error } = answer;
    if (error === undefined) waiting?.resolve(result as never);
    else waiting?.reject(new Error(`${this.#name}: ${error}`));
  }

  #end(why: string): void {
    this.#ended ??= new Error(`${this.#name} ${why}${this.#errors === '' ? '' : `:\n${this.#errors.trimEnd()}`}`);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }

  /** Whether it has ended, whatever the reason. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Sends a request and waits for its answer; rejects if the child says that it failed, or ends. */
  request<T>(method: string, params: object = {}): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#process.stdin!.write(`${JSON.stringify({ method, ...params })}\n`);
    });
  }

  /** Ends the child, also in the middle of its work. */
  close(): void {
    this.#ended ??= new Error(`${this.#name} was closed`);
    this.#process.kill('SIGKILL');
  }
}
