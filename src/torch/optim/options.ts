/** Options that every optimizer has. */
export interface OptimizerOptions {
  /** Learning rate. */
  lr: number;
  /** Decay of the weights: added to the gradient (L2), but by AdamW applied to the weights themselves. */
  weightDecay: number;
  /** Whether the objective is maximised. */
  maximize: boolean;
}
