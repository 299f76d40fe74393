export { Adam, type AdamOptions, AdamW } from './adam.js';
/** Schedules of learning rates. */
export * as lrScheduler from './lrScheduler.js';
export {
  type GroupParams,
  type GroupState,
  type NativeOptions,
  Optimizer,
  type OptimizerOptions,
  type OptimizerState,
  type ParamGroup,
  type ParamsInput,
} from './optimizer.js';
export { SGD, type SGDOptions } from './sgd.js';
