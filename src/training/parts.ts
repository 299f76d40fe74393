import type { ExplainingEngine, StateEntry } from '../engine/engine.js';
import type { Checkpointer } from './checkpoints/checkpointer.js';
import type { BestEpoch, TrainingPosition } from './checkpoints/position.js';
import type { Company } from './distributed/company.js';
import type { TrainingControl } from './events/control.js';
import type { Choice } from './events/events.js';
import type { Progress } from './progress.js';
import type { RecordedCourse } from './record.js';
import type { Task, TaskTypes } from './task.js';

/** Why a training ended early, and a sentence about it. */
export interface TrainingFailure {
  code: 'ABORTED' | 'NON_FINITE_LOSS' | 'IO';
  message: string;
  cause?: unknown;
}

/** How a training ended. */
export interface TrainingOutcome<T extends TaskTypes> {
  /** The last report of each finished epoch, and of the one that was interrupted. */
  history: Progress<T['validation']>[];
  /** What the file of the model tells of the epochs. */
  course: RecordedCourse;
  /** The epoch whose weights were kept; undefined without validation data. */
  best: BestEpoch<T['validation'], T['chosen']> | undefined;
  /** What was chosen in that epoch; without one what a rehearsal chose. */
  chosen: T['chosen'] | undefined;
  /** Set when training ended early by itself; not for `stop()`. */
  failure?: TrainingFailure;
}

/** What a training works with. */
export interface TrainingParts<T extends TaskTypes> {
  task: Task<T>;
  engine: ExplainingEngine;
  data: T['data'];
  settings: T['settings'];
  /** Passes over the rows, at most. */
  epochs: number;
  /** Rows per step, at most. */
  batchSize: number;
  /** Length of the adversarial noise; 0 for none. */
  adversarial: number;
  /** What was chosen by the rows. */
  choices: readonly Choice[];
  /** Who watches and steers it. */
  control: TrainingControl<T['validation'], T['start']>;
  /** Where it begins. */
  position: TrainingPosition<T['validation'], T['chosen']>;
  /** The weights of the best epoch before that. */
  best: StateEntry[] | undefined;
  /** Writes checkpoints; undefined without the option. */
  checkpointer: Checkpointer | undefined;
  /** The processes that train. */
  company: Company;
  /** Describes the model for a checkpoint. */
  describe: (chosen: T['chosen'] | undefined, course: RecordedCourse) => Record<string, string>;
}
