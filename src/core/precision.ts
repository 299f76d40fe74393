/** What {@link Precision} may be. */
export const PRECISIONS = ['float32', 'bfloat16'] as const;

/** Precision of the computations of a training: `bfloat16` as `amp.autocast` of `recurra/torch` has it. */
export type Precision = (typeof PRECISIONS)[number];
