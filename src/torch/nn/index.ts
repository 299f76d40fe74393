import './pythonFields.js';

export { LogSoftmax, ReLU, Sigmoid, Softmax, SoftmaxBase, Tanh } from './activation.js';
export { type CellOptions, GRUCell, LSTMCell, RecurrentCell, RNNCell, type RNNCellOptions } from './cells.js';
export type { FactoryOptions } from './check.js';
export { ModuleList, Sequential } from './containers.js';
export { Dropout } from './dropout.js';
export {
  Embedding,
  EmbeddingBag,
  type EmbeddingBagLayerOptions,
  type EmbeddingOptions,
  type PretrainedOptions,
} from './embedding.js';
export type { CrossEntropyOptions, EmbeddingBagMode, EmbeddingBagOptions, NLLLossOptions } from './functional.js';
/** Layers without state, as functions: `nn.functional.relu(x)`. */
export * as functional from './functional.js';
/** Initial values: `nn.init.uniform_(tensor, -0.1, 0.1)`. */
export * as init from './init.js';
export { Linear, type LinearOptions } from './linear.js';
export { CrossEntropyLoss, NLLLoss } from './loss.js';
export { Module } from './module.js';
/** Modules that several processes train together. */
export * as parallel from './parallel/index.js';
export { Parameter } from './parameter.js';
export { GRU, LSTM, type LSTMOptions, type LSTMState, RNN, type RNNOptions } from './recurrent.js';
export { RecurrentBase, type RecurrentMode, type RecurrentOptions, type RecurrentResult } from './recurrentBase.js';
export type { IncompatibleKeys, LoadStateDictOptions, StateDict } from './stateDict.js';
/** Gradient clipping and, in `utils.rnn`, packing. */
export * as utils from './utils/index.js';
