/** Validation figures. A task adds its own measures. */
export interface Validation {
  /** Rows measured. */
  rows: number;
  /** Mean loss per row, in nats. */
  loss: number;
}

/** Validation figures of a classifier. */
export interface ValidationResult extends Validation {
  /** Rows measured. */
  rows: number;
  /** Mean cross entropy per answer, in nats: one per row, or with `multiLabel` one per label. */
  loss: number;
  /** Share of rows answered correctly: with `multiLabel`, rows whose labels are all correct at a threshold of 0.5. */
  accuracy: number;
}

/** Progress of a training, as passed to {@link TrainOptions.onProgress}. */
export interface Progress<V extends Validation = ValidationResult> {
  /** The occasion: a few more batches, or the end of an epoch. */
  kind: 'step' | 'epoch';
  /** The current or just finished epoch, from 1. */
  epoch: number;
  /** Number of epochs. */
  epochs: number;
  /** Rows seen in all epochs so far. */
  samples: number;
  /** Rows that all epochs together will see. */
  totalSamples: number;
  /** Mean loss per row of this epoch so far, as minimised by the training, including weights and smoothing. */
  loss: number;
  /** Share of this epoch's rows so far answered correctly, before the respective step. */
  accuracy: number;
  /** Training speed since the start, without the time of validation. */
  samplesPerSecond: number;
  /** Estimated seconds that the training still needs, without validation. */
  secondsLeft: number;
  /** Validation figures, with `kind: 'epoch'` and validation rows. */
  validation?: V;
}
