/** Precision of a training's computations. `bfloat16` is the mixed precision of `amp.autocast` in `recurra/torch`. */
export type Precision = 'float32' | 'bfloat16';

/**
 * How predictions multiply recurrent weights: as `float32`, or as `int8`, rounded to 8 bits with a scale per row, as the
 * states are.
 */
export type RecurrentWeights = 'float32' | 'int8';

/** Both. */
export const RECURRENT_WEIGHTS = ['float32', 'int8'] as const satisfies readonly RecurrentWeights[];

/** All precisions. */
export const PRECISIONS = ['float32', 'bfloat16'] as const satisfies readonly Precision[];
