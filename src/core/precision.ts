/** Precision of a training's computations. `bfloat16` is the mixed precision of `amp.autocast` in `recurra/torch`. */
export type Precision = 'float32' | 'bfloat16';

/** All precisions. */
export const PRECISIONS = ['float32', 'bfloat16'] as const satisfies readonly Precision[];
