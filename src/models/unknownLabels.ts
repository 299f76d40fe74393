/** What an evaluation does with a label that the model does not have. */
export type OnUnknownLabel = 'error' | 'wrong';
