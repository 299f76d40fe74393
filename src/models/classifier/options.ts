import type { StartEvent, TrainingEvent } from '../../training/events/events.js';
import {
  type TrainOptions as TrainOptionsOf,
  type TrainSettings as TrainSettingsOf,
  trainSettings,
} from '../../training/options/index.js';
import type { ValidationResult } from '../../training/progress.js';

/** The rows have been read and the first step comes next. */
export interface ClassifierStartEvent extends StartEvent {
  /** The labels, in the order of the model's outputs. */
  labels: readonly string[];
}

/** What happens in the training of a classifier, told apart by `type`. */
export type ClassifierEvent = TrainingEvent<ValidationResult, ClassifierStartEvent>;

/** Options of {@link TextClassifier.train}. */
export interface TrainOptions extends TrainOptionsOf<ClassifierEvent> {}

/** {@link TrainOptions} with every default filled in. */
export interface ClassifierSettings extends TrainSettingsOf<ClassifierEvent> {}

/**
 * Checks {@link TrainOptions} and fills in the defaults.
 *
 * @throws ArgumentError naming the option, what was expected and what was given.
 */
export function classifierSettings(options: TrainOptions): ClassifierSettings {
  return trainSettings(options);
}
