import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { checkInteger } from '../core/checks.js';
import { invalidArgument, RecurraError } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import { light } from '../native/light.js';

/** Options of {@link SummaryWriter}. */
export interface SummaryWriterOptions {
  /**
   * Step at which a run resumes: TensorBoard then discards later steps in earlier files of the folder, as after a
   * crash. Default: none.
   */
  purgeStep?: number;
}

type Event = Parameters<ReturnType<typeof light>['encodeTensorboardEvent']>[0];

/** Number of files created by this process, so that two in the same second have different names. */
let files = 0;

/**
 * Writes numbers for TensorBoard, as `torch.utils.tensorboard.SummaryWriter` does. Each run has its own folder;
 * `tensorboard --logdir` shows all runs below a folder.
 *
 * Adding a number takes microseconds and never waits; the file is written in the background. Errors there are thrown by
 * {@link flush} and {@link close}.
 *
 * @example
 * ```ts
 * const writer = new SummaryWriter('runs/first');
 * writer.addScalar('loss/train', 0.25, 100); // at step 100
 * await writer.close();
 * ```
 */
export class SummaryWriter {
  /** The folder of the run. */
  readonly logDir: string;
  readonly #name: string;
  #records: Uint8Array[] = [];
  #file: FileHandle | undefined;
  #writing: Promise<void> | undefined;
  #failure: RecurraError | undefined;
  #closed = false;

  /**
   * @param logDir - Folder of the run; created if missing.
   * @param options - See {@link SummaryWriterOptions}.
   * @throws {@link ArgumentError} for other values.
   */
  constructor(logDir: string, options: SummaryWriterOptions = {}) {
    if (typeof logDir !== 'string' || logDir === '') throw invalidArgument('logDir', 'the path of a folder', logDir);
    checkOptionNames('SummaryWriter', options, ['purgeStep']);
    const { purgeStep } = options;
    if (purgeStep !== undefined) checkInteger('purgeStep', purgeStep, 0);
    this.logDir = logDir;
    const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
    this.#name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${files++}`;
    this.#add({ wallTime: Date.now() / 1000, step: 0, fileVersion: 'brain.Event:2' });
    if (purgeStep !== undefined) this.#add({ wallTime: Date.now() / 1000, step: purgeStep, restart: true });
  }

  /**
   * Adds a number.
   *
   * @param tag - Its name; a slash makes groups, as in `loss/train`.
   * @param value - The number; kept as float32.
   * @param step - Position on the horizontal axis, an integer from 0.
   * @throws {@link ArgumentError} for other values, {@link RecurraError} `DISPOSED` after {@link close}.
   */
  addScalar(tag: string, value: number, step: number): void {
    this.addScalars({ [tag]: value }, step);
  }

  /**
   * Adds several numbers of one step, by their names.
   *
   * @throws {@link ArgumentError} for other values, {@link RecurraError} `DISPOSED` after {@link close}.
   */
  addScalars(values: Readonly<Record<string, number>>, step: number): void {
    if (this.#closed) throw new RecurraError('DISPOSED', 'this SummaryWriter has been closed');
    checkInteger('step', step, 0);
    const scalars = Object.entries(values).map(([tag, value]) => {
      if (tag === '') throw invalidArgument('tag', 'a name', tag);
      if (typeof value !== 'number') throw invalidArgument(tag, 'a number', value);
      return { tag, value };
    });
    this.#add({ wallTime: Date.now() / 1000, step, scalars });
  }

  #add(event: Event): void {
    this.#records.push(light().encodeTensorboardEvent(event));
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      // Numbers added in the same turn of the event loop share one write.
      await undefined;
      if (!this.#file) {
        await mkdir(this.logDir, { recursive: true });
        this.#file = await open(join(this.logDir, this.#name), 'a');
      }
      while (this.#records.length > 0) {
        const records = this.#records;
        this.#records = [];
        await this.#file.appendFile(Buffer.concat(records));
      }
    } catch (cause) {
      // Records are dropped: the disk may stay full.
      this.#records = [];
      this.#failure ??= new RecurraError(
        'IO',
        `${join(this.logDir, this.#name)}: cannot write: ${(cause as Error).message}`,
        { cause },
      );
    } finally {
      this.#writing = undefined;
    }
  }

  /**
   * Waits until everything added so far is in the file.
   *
   * @throws {@link RecurraError} `IO` if something could not be written since the last time.
   */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure;
  }

  /**
   * Writes the rest and closes the file; closing twice is harmless.
   *
   * @throws {@link RecurraError} `IO` as {@link flush}.
   */
  async close(): Promise<void> {
    this.#closed = true;
    try {
      await this.flush();
    } finally {
      const file = this.#file;
      this.#file = undefined;
      await file?.close();
    }
  }

  /** Like {@link close}, for `await using writer = ...`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
