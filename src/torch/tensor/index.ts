export {
  type NestedArray,
  TensorBase,
  type ToOptions,
} from './base.js';
export {
  type ArangeOptions,
  arange,
  type CreateOptions,
  cat,
  eye,
  full,
  manualSeed,
  ones,
  onesLike,
  rand,
  randint,
  randLike,
  randn,
  randnLike,
  randperm,
  stack,
  type TensorOptions,
  tensor,
  where,
  zeros,
  zerosLike,
} from './create.js';
export type { TensorData, TensorElement } from './data.js';
export { type DType, dtypes, type TypedArray } from './dtype.js';
export { enableGrad, isGradEnabled, noGrad } from './grad.js';
export { type AddInPlaceOptions, TensorInPlace } from './inPlace.js';
export { type Bounds, type Operand, TensorMath } from './math.js';
export { keep, tidy } from './memory.js';
/** @internal */
export {
  enable_grad,
  is_grad_enabled,
  manual_seed,
  no_grad,
  ones_like,
  rand_like,
  randn_like,
  zeros_like,
} from './pythonFunctions.js';
export { type ReduceDimOptions, type ReduceOptions, TensorReduce, type ValuesAndIndices } from './reduce.js';
export { type SliceOptions, TensorShape } from './shape.js';
export { type BackwardOptions, Tensor } from './tensor.js';
