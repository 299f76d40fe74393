export { clipGradNorm, clipGradValue } from './clip.js';
/** Packing of sequences of different lengths: `nn.utils.rnn`. */
export * as rnn from './rnn.js';
