/** Precision of the computations of a training: `bfloat16` as `amp.autocast` of `recurra/torch` has it. */
export type Precision = 'float32' | 'bfloat16';

/** All precisions. */
export const PRECISIONS = ['float32', 'bfloat16'] as const satisfies readonly Precision[];
