import type { ExplainingEngine, StateEntry } from '../engine/engine.js';
import type { Checkpointer } from './checkpoints/checkpointer.js';
import type { BestEpoch, TrainingPosition } from './checkpoints/position.js';
import type { Company } from './distributed/company.js';
import type { TrainingControl } from './events/control.js';
import type { Choice } from './events/events.js';
import type { Progress } from './progress.js';
import type { RecordedCourse } from './record.js';
import type { Task, TaskTypes } from './task.js';

/** Why a training ended early, as code and sentence. */
export interface TrainingFailure {
  code: 'ABORTED' | 'NON_FINITE_LOSS' | 'IO';
  message: string;
  cause?: unknown;
}

/** How a training ended. */
export interface TrainingOutcome<T extends TaskTypes> {
  /** The last report of each finished epoch and of an interrupted one. */
  history: Progress<T['validation']>[];
  /** The epochs as recorded in the model's file. */
  course: RecordedCourse;
  /** The epoch whose weights were kept; undefined without validation data. */
  best: BestEpoch<T['validation'], T['chosen']> | undefined;
  /** The choices of that epoch; without one, those of a rehearsal. */
  chosen: T['chosen'] | undefined;
  /** Set if the training ended early by itself; not for `stop()`. */
  failure?: TrainingFailure;
}

/** The parts of a training. */
export interface TrainingParts<T extends TaskTypes> {
  task: Task<T>;
  engine: ExplainingEngine;
  data: T['data'];
  settings: T['settings'];
  /** Maximum passes over the rows. */
  epochs: number;
  /** Maximum rows per step. */
  batchSize: number;
  /** Norm of the adversarial noise; 0 for none. */
  adversarial: number;
  /** Settings chosen from the rows. */
  choices: readonly Choice[];
  /** Its listeners and controls. */
  control: TrainingControl<T['validation'], T['start']>;
  /** Its initial position. */
  position: TrainingPosition<T['validation'], T['chosen']>;
  /** The weights of the best earlier epoch. */
  best: StateEntry[] | undefined;
  /** Writes checkpoints; undefined without the option. */
  checkpointer: Checkpointer | undefined;
  /** The processes that train. */
  company: Company;
  /** Describes the model for a checkpoint. */
  describe: (chosen: T['chosen'] | undefined, course: RecordedCourse) => Record<string, string>;
}
