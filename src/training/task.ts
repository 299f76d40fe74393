import type { RecurraError } from '../core/errors.js';
import type { OptionTable } from '../core/options/table.js';
import type { RandomState } from '../core/random.js';
import type { RowColumns } from '../data/readers/columns.js';
import type { RowsOrigin } from '../data/readers/rows.js';
import type { Chunk, ExplainingEngine, LossOptions, StateEntry } from '../engine/engine.js';
import type { HeadConfig, NetworkSettings } from '../engine/network.js';
import type { WordFeatures } from '../text/forms.js';
import type { Vocab } from '../text/vocab.js';
import type { BestEpoch } from './checkpoints/position.js';
import type { Share } from './distributed/share.js';
import type { Choice, PrepareEvent, TaskEvent, TrainingStart, WarningEvent } from './events/events.js';
import type { FirstWords } from './firstWords.js';
import type { TrainingOptions, TrainingSettings } from './options/train.js';
import type { BatchPlan } from './plan.js';
import type { Progress, Validation } from './progress.js';
import type { TrainingRecord } from './record.js';

/** Encoded rows that the trainer takes its batches from. */
export interface TrainingSet {
  /** Number of rows. */
  readonly length: number;
  /** Tokens of each row; `[length]`. */
  lengths(): Int32Array;
}

/** The data of a training. */
export interface TrainingData {
  train: TrainingSet;
  /** The data that the model is measured on after each epoch. */
  validation: TrainingSet | undefined;
  vocab: Vocab;
  /** Frees storage outside of memory at the end of the training, if any. */
  close?(): Promise<void>;
}

/** The settings of every task, without those whose types depend on the task. */
export type CommonSettings = Omit<TrainingSettings<unknown>, 'validation' | 'onEvent' | 'onProgress'>;

/** The listeners in a training's options. */
export interface Listeners<T extends TaskTypes> {
  onEvent: ((event: TaskEvent<T['validation'], T['start']>) => void) | undefined;
  onProgress: ((progress: Progress<T['validation']>) => void) | undefined;
}

/** The options that the trainer uses itself; a task checks the others. */
export type CommonOptions = Pick<TrainingOptions<unknown>, 'resume' | 'checkpoint'>;

/** The result of a training. */
export interface TrainedModel {
  /** One report per epoch of the training. */
  readonly history: readonly Progress<Validation>[];
  /** Writes the model to a file. */
  save(path: string): Promise<void>;
  /** Frees the native memory. */
  close(): Promise<void>;
}

/** The types in which tasks differ. */
export interface TaskTypes {
  /** The training rows. */
  rows: RowsOrigin;
  options: CommonOptions;
  settings: CommonSettings;
  /** The rows as numbers. */
  data: TrainingData;
  /** Validation figures. */
  validation: Validation;
  /**
   * Choices made on validation data (kept with the weights of the best epoch) or by a rehearsal: plain data that
   * survives JSON.
   */
  chosen: object;
  /** What the `start` event tells. */
  start: TrainingStart;
  model: TrainedModel;
}

/** A training's rows and settings, after examining its first rows. */
export interface Settled<T extends TaskTypes> {
  rows: T['rows'];
  settings: T['settings'];
  chosen: readonly Choice[];
}

/** Validation figures of a model. */
export interface Validated<T extends TaskTypes> {
  validation: T['validation'];
  /** Makes the choices for these weights; called if this is the best epoch so far. */
  choose(): Promise<T['chosen']> | T['chosen'];
}

/** The input of a training: enough to describe the model. */
export interface TrainingInput<T extends TaskTypes> {
  data: T['data'];
  settings: T['settings'];
  /** What the network looks like, the size of pretrained vectors included. */
  network: NetworkSettings;
}

/** The result of a finished training. */
export interface TrainingResult<T extends TaskTypes> extends TrainingInput<T> {
  /** Contains the weights to keep; the model owns it from now on. */
  engine: ExplainingEngine;
  best: BestEpoch<T['validation'], T['chosen']> | undefined;
  /** The choices of the best epoch; without validation rows, those of a {@link Task.rehearsal}, if any. */
  chosen: T['chosen'] | undefined;
  /** The last report of each finished epoch and of an interrupted one. */
  history: Progress<T['validation']>[];
  /** The training record for its file. */
  record: TrainingRecord;
  /** The columns that the rows were read from, if a reader read them from columns. */
  columns: RowColumns | undefined;
}

/**
 * The training of a network on a part of the rows, in the same way as the final one on all rows, to see how it does on
 * the others.
 */
export interface Rehearsal<T extends TaskTypes> {
  /** The data of that network; its vocabulary and head are those of the final one. */
  data: T['data'];
  /** Makes the choices with the trained network. */
  choose(engine: ExplainingEngine): Promise<T['chosen']>;
}

/** A listener for the time before the first step, such as {@link TrainingControl}. */
export interface Watcher {
  /** Receives progress. */
  prepare(about: PrepareEvent['about'], share: number): void;
  /** Receives warnings. */
  warn(about: WarningEvent['about'], error: RecurraError): void;
}

/** A stored model with everything that its training resumes from. */
export interface StoredTraining {
  /** What the network looks like, the size of pretrained vectors included. */
  network: NetworkSettings;
  /** A tokenizer in the file that is not a plain value. */
  tokenizer: TrainingOptions<unknown>['tokenizer'];
  /** The words that the model knows. Default: those of the rows. */
  vocab?: Vocab;
  /** The weights that the model would have if the training had ended there. */
  state: StateEntry[];
  /** Describes the training, as JSON; undefined for a model that is not a checkpoint. */
  checkpoint: string | undefined;
  /** The arrays that the engine resumes from. */
  training: StateEntry[];
}

/**
 * Everything specific to the training of one kind of model: its rows, its head and loss, its validation, and its file.
 * The trainer does the rest.
 */
export interface Task<T extends TaskTypes> {
  /** The table of all its options. */
  readonly options: OptionTable;
  /**
   * Checks options and fills in the defaults.
   *
   * @throws ArgumentError naming the option, what was expected and what was given.
   */
  settings(options: T['options']): T['settings'] & Listeners<T>;
  /**
   * Fills in the settings that depend on the first rows where no option gave them; left out, none do.
   *
   * @returns rows that replace the given ones, which may only be readable once; the settings; and the choices.
   */
  settle?(rows: T['rows'], settings: T['settings'], signal: AbortSignal): Promise<Settled<T>>;
  /**
   * Reads and encodes all rows, yielding to the event loop. A task may also train parts other than the network.
   *
   * @param watcher - Receives progress and warnings.
   * @param words - Additional words of the vocabulary; a task may ignore them.
   * @throws DataError for invalid rows.
   */
  prepare(
    rows: T['rows'],
    settings: T['settings'],
    signal: AbortSignal,
    watcher: Watcher,
    words: FirstWords,
  ): Promise<T['data']>;
  /**
   * A preceding training of another network, if the task needs one to choose something. The choices are stored in the
   * checkpoints. Optional.
   */
  rehearsal?(data: T['data'], settings: T['settings']): Rehearsal<T> | undefined;
  /**
   * The batches of an epoch, if they are not drawn from the rows in random order; {@link gather} is not called then.
   * With other ranks, a batch contains the rows of all, of which the plan returns those of `share`.
   */
  plan?(data: T['data'], epoch: number, random: RandomState, share: Share): BatchPlan;
  /** Copies the rows with these indices and their targets, in the given order. */
  gather(train: T['data']['train'], indices: Int32Array): Omit<Chunk, 'batchSizes'>;
  /** Whether there is a network. Default: true. Without one, there must be no epochs. */
  hasNetwork?(settings: T['settings']): boolean;
  /** Number of networks in the ensemble. Default: 1. */
  members?(settings: T['settings']): number;
  /** Passes over the rows where no option says how many, and why; 4 if left out. */
  epochs?(data: T['data']): { epochs: number; why: string };
  /** Length of the adversarial noise where no option says it, and why; 0 if left out. */
  adversarial?(data: T['data']): { adversarial: number; why: string };
  /** Further settings chosen from the rows; `rehearsed` are the choices of the {@link rehearsal}, if there was one. */
  chosen?(data: T['data'], settings: T['settings'], rehearsed: T['chosen'] | undefined): readonly Choice[];
  /**
   * Fills in the settings that depend on all rows, where no option gave them; left out, none do. What {@link settle} cannot tell.
   *
   * @param resumed - Whether a checkpoint gave the settings; settings that it does not contain are then off.
   */
  decide?(data: T['data'], settings: T['settings'], resumed: boolean): Omit<Settled<T>, 'rows'>;
  /**
   * The character features that the network reads in addition to words. The model then has longer, merged vectors.
   * Optional.
   */
  characters?(settings: T['settings']): WordFeatures | undefined;
  /** The network's head. */
  head(data: T['data'], settings: T['settings']): HeadConfig;
  /** Options of the head's loss. */
  loss(data: T['data'], settings: T['settings']): LossOptions;
  /**
   * Share of the network's own units that it reads in training, in an epoch from 1. Default: 0. See
   * `StepOptions.sampling`.
   */
  sampling?(settings: T['settings'], epoch: number, epochs: number): number;
  /** The arrays of parts other than the network, for a checkpoint. Optional. */
  beside?(data: T['data']): Promise<StateEntry[]>;
  /** What the `start` event tells. */
  start(common: TrainingStart, data: T['data']): T['start'];
  /** All contents of the data in a fixed order: a resumed training must have exactly the same. */
  contents(data: T['data']): Iterable<Contents>;
  /** Measures the model on the validation data, which exist. */
  validate(engine: ExplainingEngine, data: T['data']): Promise<Validated<T>>;
  /** The figure that ranks epochs: larger is better. For equal ones the smaller loss wins. */
  score(validation: T['validation'], settings: T['settings']): number;
  /**
   * Describes the model for its file. Costly work is done once for all checkpoints of a training; the choices of the
   * best epoch are added later.
   */
  describe(input: TrainingInput<T>): (chosen: T['chosen'] | undefined) => Record<string, string>;
  /**
   * Reads a file written with {@link describe}.
   *
   * @throws ModelFileError for a file that is missing, damaged, or of another kind of model.
   */
  read(path: string): Promise<StoredTraining>;
  /** Makes the model. */
  model(result: TrainingResult<T>): Promise<T['model']>;
}

/** Numbers in parts, which need not be in memory. */
export interface NumberParts {
  readonly length: number;
  parts(): AsyncIterable<Int32Array>;
}

/** A part of a task's data, for a fingerprint; undefined for a missing array. */
export type Contents = readonly string[] | Int32Array | Uint32Array | NumberParts | undefined;
