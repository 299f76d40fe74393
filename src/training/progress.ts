/** How a model does on validation data. A task adds measures of its own. */
export interface Validation {
  /** Rows measured. */
  rows: number;
  /** Mean loss per row, in nats. */
  loss: number;
}

/** How a model does on validation rows. */
export interface ValidationResult extends Validation {
  /** Rows measured. */
  rows: number;
  /** Mean cross entropy per answer, in nats: a row has one, or with `multiLabel` one for each label. */
  loss: number;
  /** Share of rows answered correctly: with `multiLabel` all of a row's answers, each yes above a half. */
  accuracy: number;
}

/** How far a training is, as {@link TrainOptions.onProgress} sees it. */
export interface Progress<V extends Validation = ValidationResult> {
  /** What has just happened: a few more batches, or the end of an epoch. */
  kind: 'step' | 'epoch';
  /** The epoch that is running or has just ended, from 1. */
  epoch: number;
  /** How many epochs there will be. */
  epochs: number;
  /** Rows seen in all epochs so far. */
  samples: number;
  /** Rows that all epochs together will see. */
  totalSamples: number;
  /** Mean loss per row of this epoch so far, as the training minimizes it, with weights and smoothing if it has them. */
  loss: number;
  /** Share of this epoch's rows so far that the model, as it was then, answered correctly. */
  accuracy: number;
  /** Training speed since the start, without the time of validation. */
  samplesPerSecond: number;
  /** Estimated seconds that the training still needs, without validation. */
  secondsLeft: number;
  /** With `kind: 'epoch'` and validation rows: how the model does on them. */
  validation?: V;
}
