import { existsSync } from 'node:fs';
import { copyFile, link, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { now } from '../../core/clock.js';
import { RecurraError } from '../../core/errors.js';
import type { Output } from '../../core/outputs.js';
import type { ResumableEngine, StateEntry } from '../../engine/engine.js';
import type { Validation } from '../progress.js';
import { type CheckpointFrame, type CheckpointMoment, writeCheckpoint } from './file.js';
import type { CheckpointSettings } from './options.js';

/** Consecutive failures after which a training stops: nothing would survive a crash. */
export const FAILURES = 3;

/** The files that checkpoints are written to: the latest, and the kept earlier ones. */
export function checkpointOutputs({ path, keep }: CheckpointSettings): Output[] {
  return Array.from({ length: keep }, (_, place) => ({
    option: 'checkpoint',
    what: 'the checkpoint',
    path: place === 0 ? path : `${path}.${place}`,
  }));
}

/**
 * Removes leftovers of a killed process.
 *
 * @throws {@link RecurraError} `IO`
 */
export async function prepareCheckpoints({ path }: CheckpointSettings): Promise<void> {
  const folder = dirname(resolve(path));
  try {
    const begun = `.${basename(path)}.`;
    for (const name of await readdir(folder)) {
      if (name.startsWith(begun) && name.endsWith('.tmp')) await rm(join(folder, name), { force: true });
    }
  } catch (cause) {
    throw new RecurraError('IO', `the checkpoint cannot be written to ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Decides when a training writes checkpoints, and writes them. */
export class Checkpointer {
  readonly settings: CheckpointSettings;
  readonly #frame: CheckpointFrame;
  #lastTime = now();
  #lastStep: number;
  /** Failures since the last success. */
  failures = 0;

  /** @param step - The step that needs no checkpoint: 0, or that of the resumed checkpoint. */
  constructor(settings: CheckpointSettings, frame: CheckpointFrame, step: number) {
    this.settings = settings;
    this.#frame = frame;
    this.#lastStep = step;
  }

  /** How many of the given steps may be made before {@link due} must be checked again. */
  stepsUntilDue(step: number, steps: number): number {
    const { everySteps } = this.settings;
    return everySteps === undefined ? steps : Math.min(steps, everySteps - (step % everySteps));
  }

  /** Whether a checkpoint is due. */
  due(step: number, epochEnded: boolean): boolean {
    const { everySteps, everyMinutes, everyEpoch } = this.settings;
    if (step === this.#lastStep && !epochEnded) return false;
    if (epochEnded && everyEpoch) return true;
    if (everySteps !== undefined && step % everySteps === 0) return true;
    return everyMinutes !== undefined && now() - this.#lastTime >= everyMinutes * 60_000;
  }

  /** Counts a checkpoint written by rank 0. */
  passed(step: number): void {
    this.#lastTime = now();
    this.#lastStep = step;
  }

  /** Whether anything has happened since the last checkpoint. */
  stale(step: number): boolean {
    return step !== this.#lastStep;
  }

  /**
   * Writes a checkpoint; the earlier one stays intact until then.
   *
   * @param best - The weights to keep; by default the engine's current ones.
   * @param extra - Arrays of parts other than the network.
   * @throws {@link RecurraError} `IO`
   */
  async save<V extends Validation, C extends object>(
    engine: Pick<ResumableEngine, 'trainingState'>,
    moment: CheckpointMoment<V, C>,
    best: StateEntry[] | undefined,
    extra: StateEntry[] = [],
  ): Promise<void> {
    // Counted from the attempt, so that a full disk is not tried again at every step.
    this.#lastTime = now();
    this.#lastStep = moment.position.step;
    this.failures++;
    const training = await engine.trainingState(best === undefined);
    await this.#moveOlder();
    await writeCheckpoint(this.settings.path, this.#frame, moment, [...(best ?? []), ...training, ...extra]);
    this.failures = 0;
  }

  /** Rotates the kept checkpoints. `path` itself always exists. */
  async #moveOlder(): Promise<void> {
    const { path, keep } = this.settings;
    if (keep === 1 || !existsSync(path)) return;
    try {
      for (let place = keep - 1; place > 1; place--) {
        if (existsSync(`${path}.${place - 1}`)) await rename(`${path}.${place - 1}`, `${path}.${place}`);
      }
      const between = join(dirname(path), `.${basename(path)}.older.tmp`);
      await rm(between, { force: true });
      // Not every file system has links.
      await link(path, between).catch(() => copyFile(path, between));
      await rename(between, `${path}.1`);
    } catch (cause) {
      throw new RecurraError('IO', `${path}: cannot keep the previous checkpoint: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
}
