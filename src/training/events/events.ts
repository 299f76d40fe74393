import type { RecurraError } from '../../core/errors.js';
import type { Validation, ValidationResult } from '../progress.js';

/** Where a training is; every event has it. */
export interface TrainingPlace {
  /** The epoch that is running or has just ended, from 1; 0 while rows are read. */
  epoch: number;
  /** How many epochs there will be at most. */
  epochs: number;
  /** Steps of the optimizer so far, in all epochs. */
  step: number;
  /** Steps that all epochs together will make. */
  steps: number;
  /** Rows seen in all epochs so far. */
  samples: number;
  /** Rows that all epochs together will see. */
  totalSamples: number;
  /** Seconds of training, validation and checkpoints so far, those before a resumption included. */
  seconds: number;
}

/** A setting that no option gave: what the training chose for it by its rows, and why. */
export interface Choice {
  /** Name of the option that would have given it. */
  option: string;
  /** What was chosen. */
  value: string | number | boolean;
  /** Why, as a phrase. */
  why: string;
}

/**
 * Work before the first step is under way: word vectors are learned from `unlabelled` texts, the linear model beside the network is
 * trained, or a network that shows how much each of both is worth. It comes some times a second, also where nothing was finished in between.
 */
export interface PrepareEvent extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'prepare';
  /** What is prepared: word vectors from `unlabelled` texts, the linear model, or its mix with the network. */
  about: 'vectors' | 'linear' | 'mix';
  /** The share of that work that is done, from 0 to 1; an estimate that never falls. */
  share: number;
}

/** The rows have been read and the first step comes next. A task adds what there is to learn. */
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
  /** What was chosen by the rows, since no option said it; nothing in a training that resumes. */
  chosen: readonly Choice[];
}

/** Some steps were made: those of some tens of milliseconds. */
export interface StepEvent extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'step';
  /** Mean loss per row of these steps, in nats. */
  loss: number;
  /** Share of the rows of these steps that the model, as it was then, answered correctly. */
  accuracy: number;
  /** As `loss`, of the epoch so far. */
  epochLoss: number;
  /** As `accuracy`, of the epoch so far. */
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
  /** How it did. */
  validation: V;
  /** Whether this is the best result so far; the weights of the best one are kept. */
  best: boolean;
}

/** An epoch has ended, its validation included. */
export interface EpochEvent<V extends Validation = ValidationResult> extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'epoch';
  /** Mean loss per row of the epoch, in nats. */
  loss: number;
  /** Share of the epoch's rows that the model, as it was then, answered correctly. */
  accuracy: number;
  /** How the model does on the validation rows, where there are any. */
  validation?: V;
  /** Training speed since the start, without the time of validation. */
  samplesPerSecond: number;
  /** Estimated seconds that the training still needs, without validation. */
  secondsLeft: number;
}

/** An epoch that did better on the validation rows than all before. */
export interface BestResult<V extends Validation = ValidationResult> {
  /** The epoch, from 1. */
  epoch: number;
  /** How it did. */
  validation: V;
}

/** A checkpoint was written. */
export interface CheckpointEvent<V extends Validation = ValidationResult> extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'checkpoint';
  /** The file. */
  path: string;
  /** Seconds that it took, in which the training stood still. */
  took: number;
  /** The epoch whose weights the file has as a model and how it did on the validation rows, where there are any. */
  best?: BestResult<V>;
}

/** Something went wrong that does not end the training. */
export interface WarningEvent extends TrainingPlace {
  /** Discriminant of the event. */
  type: 'warning';
  /**
   * A checkpoint could not be written (the one before is still whole), or the files for TensorBoard, there will be no linear
   * model, no word vectors could be learned from the `unlabelled` texts, the validation rows are too few or lack labels, or rows or
   * options are otherwise than they may be meant.
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
   * Why: all epochs are done (or the options ended it before), `stop()` was called, its signal was aborted, or it failed. In the
   * last two cases `error` is what the training's promise rejects with.
   */
  outcome: 'finished' | 'stopped' | 'aborted' | 'failed';
  /** The epoch whose weights were kept and how it did on the validation rows, where there were any. */
  best?: BestResult<V>;
  /** What the training's promise rejects with. */
  error?: unknown;
}

/** What happens in a training, told apart by `type`. `V` is what a task measures, `S` how its trainings start. */
export type TaskEvent<V extends Validation = ValidationResult, S extends TrainingStart = TrainingStart> =
  | PrepareEvent
  | S
  | StepEvent
  | ValidationEvent<V>
  | EpochEvent<V>
  | CheckpointEvent<V>
  | WarningEvent
  | EndEvent<V>;

/** An event of whatever task. */
export type AnyTaskEvent = TaskEvent<Validation, TrainingStart>;
