import type { RecurraError } from '../../core/errors.js';
import type { Validation, ValidationResult } from '../progress.js';

/** Position of a training, part of every event. */
export interface TrainingPlace {
  /** The current or just finished epoch, from 1; 0 while rows are read. */
  epoch: number;
  /** Maximum number of epochs. */
  epochs: number;
  /** Optimizer steps so far, in all epochs. */
  step: number;
  /** Steps that all epochs together will make. */
  steps: number;
  /** Rows seen in all epochs so far. */
  samples: number;
  /** Rows that all epochs together will see. */
  totalSamples: number;
  /** Seconds of training, validation and checkpoints so far, including those before a resumption. */
  seconds: number;
}

/** A setting without an option: the value chosen from the rows, and why. */
export interface Choice {
  /** Name of the option for it. */
  option: string;
  /** What was chosen. */
  value: string | number | boolean;
  /** Why, as a phrase. */
  why: string;
}

/**
 * Progress of work before the first step: learning word vectors from `unlabelled` texts, training the linear model, or
 * training a network to choose the mix. Sent several times a second, even without new progress.
 */
export interface PrepareEvent extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'prepare';
  /** The work: word vectors from `unlabelled` texts, the linear model, or its mix with the network. */
  about: 'vectors' | 'linear' | 'mix';
  /** Finished share of that work, from 0 to 1; an estimate that never decreases. */
  share: number;
}

/** The rows have been read and the first step comes next. A task adds its own fields. */
export interface TrainingStart extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'start';
  /** Rows of the training set. */
  rows: number;
  /** Rows of the validation set; 0 for none. */
  validationRows: number;
  /** Words that the model knows. */
  vocabulary: number;
  /** Whether it resumes from a checkpoint. */
  resumed: boolean;
  /** Processes that train as one; 1 without `distributed`. */
  ranks: number;
  /** The number of this one among them, from 0. Rank 0 writes the files. */
  rank: number;
  /** Settings chosen from the rows because no option set them; empty for a resumed training. */
  chosen: readonly Choice[];
}

/** A few steps were made: some tens of milliseconds of work. */
export interface StepEvent extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'step';
  /** Mean loss per row of these steps, in nats. */
  loss: number;
  /** Share of the rows of these steps answered correctly, before the respective step. */
  accuracy: number;
  /** Like `loss`, for the epoch so far. */
  epochLoss: number;
  /** Like `accuracy`, for the epoch so far. */
  epochAccuracy: number;
  /** Learning rate of the last one of these steps. */
  learningRate: number;
  /** Training speed since the start, without the time of validation. */
  samplesPerSecond: number;
  /** Estimated seconds that the training still needs, without validation. */
  secondsLeft: number;
}

/** The model was measured on the validation rows. */
export interface ValidationEvent<V extends Validation = ValidationResult> extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'validation';
  /** Its validation figures. */
  validation: V;
  /** Whether this is the best result so far; the weights of the best one are kept. */
  best: boolean;
}

/** An epoch has ended, including its validation. */
export interface EpochEvent<V extends Validation = ValidationResult> extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'epoch';
  /** Mean loss per row of the epoch, in nats. */
  loss: number;
  /** Share of the epoch's rows answered correctly, before the respective step. */
  accuracy: number;
  /** Validation figures, if there are validation rows. */
  validation?: V;
  /** Training speed since the start, without the time of validation. */
  samplesPerSecond: number;
  /** Estimated seconds that the training still needs, without validation. */
  secondsLeft: number;
}

/** The best epoch so far on the validation rows. */
export interface BestResult<V extends Validation = ValidationResult> {
  /** The epoch, from 1. */
  epoch: number;
  /** Its validation figures. */
  validation: V;
}

/** A checkpoint was written. */
export interface CheckpointEvent<V extends Validation = ValidationResult> extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'checkpoint';
  /** The file. */
  path: string;
  /** Seconds that it took, during which the training paused. */
  took: number;
  /** The epoch of the file's model weights, with its validation figures, if there are validation rows. */
  best?: BestResult<V>;
}

/** Something went wrong that does not end the training. */
export interface WarningEvent extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'warning';
  /**
   * The subject: a checkpoint could not be written (the previous one is intact), or the files for TensorBoard; there
   * will be no linear model; no word vectors could be learned from the `unlabelled` texts; the validation rows are too
   * few or lack labels; or rows or options may not be as intended.
   */
  about: 'checkpoint' | 'tensorboard' | 'linear' | 'unlabelled' | 'validation' | 'rows' | 'options';
  /** What went wrong. */
  error: RecurraError;
}

/** The training has ended: always the last event. */
export interface EndEvent<V extends Validation = ValidationResult> extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'end';
  /**
   * Why: all epochs are done (or the options ended it earlier), `stop()` was called, its signal was aborted, or it
   * failed. In the last two cases, the training's promise rejects with `error`.
   */
  outcome: 'finished' | 'stopped' | 'aborted' | 'failed';
  /** The epoch whose weights were kept, with its validation figures, if there were validation rows. */
  best?: BestResult<V>;
  /** The error that the training's promise rejects with. */
  error?: unknown;
}

/** An event of a training, distinguished by `type`. `V` are a task's validation figures, `S` its start event. */
export type TaskEvent<V extends Validation = ValidationResult, S extends TrainingStart = TrainingStart> =
  | PrepareEvent
  | S
  | StepEvent
  | ValidationEvent<V>
  | EpochEvent<V>
  | CheckpointEvent<V>
  | WarningEvent
  | EndEvent<V>;

/** An event of any task. */
export type AnyTaskEvent = TaskEvent<Validation, TrainingStart>;
