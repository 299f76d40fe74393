/** @internal */
export { clip_grad_norm_, clip_grad_value_ } from '../pythonFunctions.js';
export { clipGradNorm, clipGradValue } from './clip.js';
/** Packing of sequences of different lengths: `nn.utils.rnn`. */
export * as rnn from './rnn.js';
