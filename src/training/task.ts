import type { RecurraError } from '../core/errors.js';
import type { OptionTable } from '../core/options/table.js';
import type { RandomState } from '../core/random.js';
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

/** Rows as numbers, from which the trainer takes its batches. */
export interface TrainingSet {
  /** Number of rows. */
  readonly length: number;
  /** Tokens of each row; `[length]`. */
  lengths(): Int32Array;
}

/** What a training works on. */
export interface TrainingData {
  train: TrainingSet;
  /** What the model is measured on after each epoch. */
  validation: TrainingSet | undefined;
  vocab: Vocab;
  /** Frees what the data take outside of memory, at the end of the training; nothing if left out. */
  close?(): Promise<void>;
}

/** The settings that every task has: all but those whose types are the task's. */
export type CommonSettings = Omit<TrainingSettings<unknown>, 'validation' | 'onEvent' | 'onProgress'>;

/** Whom a training's options name to hear of it. */
export interface Listeners<T extends TaskTypes> {
  onEvent: ((event: TaskEvent<T['validation'], T['start']>) => void) | undefined;
  onProgress: ((progress: Progress<T['validation']>) => void) | undefined;
}

/** The options that the trainer looks at itself; what else there is, a task checks. */
export type CommonOptions = Pick<TrainingOptions<unknown>, 'resume' | 'checkpoint'>;

/** What a training makes. */
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
  /** What is given to learn from. */
  rows: RowsOrigin;
  options: CommonOptions;
  settings: CommonSettings;
  /** The rows as numbers. */
  data: TrainingData;
  /** How the model does on validation data. */
  validation: Validation;
  /** What is chosen on validation data and kept beside the weights of the best epoch, or by a rehearsal: plain data that survives JSON. */
  chosen: object;
  /** What the `start` event tells. */
  start: TrainingStart;
  model: TrainedModel;
}

/** A training's rows and settings, once its first rows were looked at. */
export interface Settled<T extends TaskTypes> {
  rows: T['rows'];
  settings: T['settings'];
  chosen: readonly Choice[];
}

/** How a model did on validation data. */
export interface Validated<T extends TaskTypes> {
  validation: T['validation'];
  /** Chooses what goes with these weights; called if this is the best epoch so far. */
  choose(): Promise<T['chosen']> | T['chosen'];
}

/** What a training was begun with: enough to describe the model. */
export interface TrainingInput<T extends TaskTypes> {
  data: T['data'];
  settings: T['settings'];
  /** What the network looks like, the size of pretrained vectors included. */
  network: NetworkSettings;
}

/** What a finished training leaves. */
export interface TrainingResult<T extends TaskTypes> extends TrainingInput<T> {
  /** Holds the weights to keep; the model owns it from now on. */
  engine: ExplainingEngine;
  best: BestEpoch<T['validation'], T['chosen']> | undefined;
  /** What was chosen in the best epoch; without validation rows what a {@link Task.rehearsal} chose, if there was one. */
  chosen: T['chosen'] | undefined;
  /** The last report of each finished epoch, and of the one that was interrupted. */
  history: Progress<T['validation']>[];
  /** What its file tells of the training. */
  record: TrainingRecord;
}

/**
 * The training of a network on a part of the rows, as the one that is kept is trained on all of them, to see how it does on the
 * others.
 */
export interface Rehearsal<T extends TaskTypes> {
  /** What that network is trained on; its vocabulary and its head are those of the other one. */
  data: T['data'];
  /** Chooses by the network that was trained. */
  choose(engine: ExplainingEngine): Promise<T['chosen']>;
}

/** Who hears what happens before the first step; {@link TrainingControl} is one. */
export interface Watcher {
  /** Told how far the work is. */
  prepare(about: PrepareEvent['about'], share: number): void;
  /** Told of what does not end the training. */
  warn(about: WarningEvent['about'], error: RecurraError): void;
}

/** A file that a task can read: a model with what its training resumes from. */
export interface StoredTraining {
  /** What the network looks like, the size of pretrained vectors included. */
  network: NetworkSettings;
  /** A tokenizer that the file holds and that is no plain value. */
  tokenizer: TrainingOptions<unknown>['tokenizer'];
  /** The words that the model knows; left out, they are those of the rows. */
  vocab?: Vocab;
  /** The weights that the model would have, had the training ended there. */
  state: StateEntry[];
  /** Describes the training, as JSON; undefined for a model that is no checkpoint. */
  checkpoint: string | undefined;
  /** What the engine resumes from. */
  training: StateEntry[];
}

/**
 * Everything in which the training of one kind of model differs from that of another: its rows, the head of its network and the
 * head's loss, how it is measured, and what its file says. The trainer knows the rest.
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
   * @returns rows to take in place of those given, since perhaps they can be read once only; the settings; and what was chosen.
   */
  settle?(rows: T['rows'], settings: T['settings'], signal: AbortSignal): Promise<Settled<T>>;
  /**
   * Reads all rows and makes numbers of them, yielding to the event loop. A task may also train what stands beside the network.
   *
   * @param watcher - Told how far that is, and of what does not end the training.
   * @param words - Words that the vocabulary gets beside those of the rows; a task may leave them aside.
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
   * The training of another network before, where the task needs one to choose something; left out or undefined, there is none. What
   * was chosen is in the checkpoints.
   */
  rehearsal?(data: T['data'], settings: T['settings']): Rehearsal<T> | undefined;
  /**
   * The batches of an epoch, where they are not drawn from the rows in random order; {@link gather} is not called then. With other ranks
   * a batch has the rows of all, of which the plan gives those of `share`.
   */
  plan?(data: T['data'], epoch: number, random: RandomState, share: Share): BatchPlan;
  /** Copies the rows with these indices, in the order given, with what the engine is to learn from them. */
  gather(train: T['data']['train'], indices: Int32Array): Omit<Chunk, 'batchSizes'>;
  /** Whether there is a network; left out, there always is. Without one no epoch must be asked for. */
  hasNetwork?(settings: T['settings']): boolean;
  /** Networks that are trained as one model; left out, it is one. */
  members?(settings: T['settings']): number;
  /** Passes over the rows where no option says how many, and why; 4 if left out. */
  epochs?(data: T['data']): { epochs: number; why: string };
  /** Length of the adversarial noise where no option says it, and why; 0 if left out. */
  adversarial?(data: T['data']): { adversarial: number; why: string };
  /** What else was chosen by the rows, since no option said it; `rehearsed` by the {@link rehearsal}, if there was one. */
  chosen?(data: T['data'], settings: T['settings'], rehearsed: T['chosen'] | undefined): readonly Choice[];
  /**
   * Fills in the settings that depend on all rows, where no option gave them; left out, none do. What {@link settle} cannot tell.
   *
   * @param resumed - Whether a checkpoint gave the settings: then what it does not say is off.
   */
  decide?(data: T['data'], settings: T['settings'], resumed: boolean): Omit<Settled<T>, 'rows'>;
  /**
   * What the network reads of the characters of its words, although its tokens are words; left out or undefined, nothing. The model then
   * has longer vectors, in which both are one.
   */
  characters?(settings: T['settings']): WordFeatures | undefined;
  /** What the network's head looks like. */
  head(data: T['data'], settings: T['settings']): HeadConfig;
  /** What the head's loss depends on, beside the data. */
  loss(data: T['data'], settings: T['settings']): LossOptions;
  /** Share of the network's own units that it reads in training, in an epoch from 1; 0 if left out. See `StepOptions.sampling`. */
  sampling?(settings: T['settings'], epoch: number, epochs: number): number;
  /** The arrays of what stands beside the network, for a checkpoint; nothing if the task has none. */
  beside?(data: T['data']): Promise<StateEntry[]>;
  /** What the `start` event tells. */
  start(common: TrainingStart, data: T['data']): T['start'];
  /** Everything that makes up the data, in a fixed order: a resumed training must have the very same. */
  contents(data: T['data']): Iterable<Contents>;
  /** Measures the model on the validation data, which there are. */
  validate(engine: ExplainingEngine, data: T['data']): Promise<Validated<T>>;
  /** The figure that decides which of two epochs was the better one: the larger one. Of equal ones the smaller loss decides. */
  score(validation: T['validation'], settings: T['settings']): number;
  /**
   * Describes the model for its file. What is costly is done once for all checkpoints of a training; what was chosen in the best
   * epoch comes later.
   */
  describe(input: TrainingInput<T>): (chosen: T['chosen'] | undefined) => Record<string, string>;
  /**
   * Reads a file that was written with {@link describe}.
   *
   * @throws ModelFileError for a file that is missing, damaged, or of another kind of model.
   */
  read(path: string): Promise<StoredTraining>;
  /** Makes the model. */
  model(result: TrainingResult<T>): Promise<T['model']>;
}

/** Numbers that need not be in memory, part by part. */
export interface NumberParts {
  readonly length: number;
  parts(): AsyncIterable<Int32Array>;
}

/** A part of a task's data, for a fingerprint; undefined for an array that the data do not have. */
export type Contents = readonly string[] | Int32Array | Uint32Array | NumberParts | undefined;
