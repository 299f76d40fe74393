export { Adam, type AdamOptions, AdamW } from './adam.js';
/** Schedules of learning rates. */
export * as lrScheduler from './lrScheduler.js';
export {
  type GroupParams,
  type NativeOptions,
  Optimizer,
  type ParamGroup,
  type ParamsInput,
} from './optimizer.js';
export type { OptimizerOptions } from './options.js';
/** @internal */
export { lr_scheduler } from './python.js';
export { SGD, type SGDOptions } from './sgd.js';
export type { GroupState, OptimizerState, PyTorchOptimizerState } from './state.js';
