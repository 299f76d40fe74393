import { invalidArgument, RecurraError } from '../../core/errors.js';
import type { NativeTensor } from '../../native/torch.js';
import { isTensor, nativeOf } from '../tensor/base.js';
import { full } from '../tensor/create.js';
import { shapeText } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { OptimizerOptions } from './options.js';
import { fromPyTorch, missingTensors, notAState } from './pytorchState.js';

/** A group in {@link OptimizerState}. */
export interface GroupState {
  /** Numbers of the parameters, counted over all groups. */
  params: number[];
  /** Learning rate at the beginning, which schedulers set. */
  initialLr?: number;
}

/** State as PyTorch's `optimizer.state_dict()` lays it out, with its names; {@link Optimizer.loadStateDict} takes it. */
export interface PyTorchOptimizerState {
  /** State tensors of each parameter. */
  state: Record<number, Record<string, Tensor | number | null>>;
  /** Options of each group, such as `weight_decay`, and the numbers of its parameters. */
  param_groups: Record<string, unknown>[];
}

/** State of an optimizer, laid out as PyTorch's: tensors by the parameter's number, options by group. */
export interface OptimizerState<O extends OptimizerOptions = OptimizerOptions> {
  /**
   * State tensors of each parameter, under PyTorch's names: `step`, `exp_avg`, `exp_avg_sq`, `max_exp_avg_sq`,
   * `momentum_buffer`.
   */
  state: Record<number, Record<string, Tensor>>;
  /** Options of each group, and the numbers of its parameters. */
  paramGroups: (O & GroupState)[];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Options of the groups, without the numbers of their parameters. */
function groupsOf<O>(kind: string, known: readonly string[], groups: readonly unknown[]): Partial<O>[] {
  return groups.map((group, i) => {
    const name = `paramGroups[${i}] of the state of ${kind}`;
    if (!isObject(group) || !Array.isArray(group.params))
      throw invalidArgument(name, 'an object of options with params, the numbers of its parameters', group);
    const { params: _, ...options } = group;
    for (const option of Object.keys(options))
      if (!known.includes(option)) throw invalidArgument(name, `options of ${known.join(', ')}`, option);
    return structuredClone(options) as Partial<O>;
  });
}

/** The tensors of a parameter's state. Old versions of PyTorch have numbers as steps, and None for a momentum before the first step. */
function stateTensors(kind: string, index: string, state: unknown): Record<string, Tensor> {
  const name = `parameter ${index} of the state of ${kind}`;
  if (!isObject(state)) throw invalidArgument(name, 'an object of tensors by name', state);
  const found: Record<string, Tensor> = {};
  for (const [key, value] of Object.entries(state)) {
    if (value === null) continue;
    const tensor = key === 'step' && typeof value === 'number' ? full([], value) : value;
    if (!isTensor(tensor)) throw invalidArgument(`${key} of ${name}`, 'a Tensor', value);
    found[key] = tensor;
  }
  return found;
}

/**
 * Checks a state against the parameters of an optimizer. Returns its tensors as the binding takes them, and copies of
 * the groups' options.
 *
 * @param own - The groups of the optimizer.
 * @param known - Names of the options of a group.
 * @param foreign - The state, in the names here or in PyTorch's.
 * @throws As {@link Optimizer.loadStateDict}.
 *
 * @internal
 */
export function checkState<O extends OptimizerOptions>(
  kind: string,
  own: readonly { params: readonly Tensor[] }[],
  known: readonly string[],
  foreign: unknown,
): { entries: { index: number; name: string; tensor: NativeTensor }[]; options: Partial<O>[] } {
  const given = fromPyTorch(kind, foreign);
  if (!isObject(given) || !isObject(given.state) || !Array.isArray(given.paramGroups)) throw notAState(kind, foreign);
  const options = groupsOf<O>(kind, known, given.paramGroups);
  const differences: string[] = [];
  if (own.length !== options.length) differences.push(`expected ${own.length} groups, received ${options.length}`);
  else {
    own.forEach(({ params }, i) => {
      const count = (given.paramGroups as GroupState[])[i]!.params.length;
      if (params.length !== count)
        differences.push(`group ${i}: expected ${params.length} parameters, received ${count}`);
    });
  }
  const params = own.flatMap((group) => group.params);
  // The numbers name parameters by their order in the groups, whatever they are.
  const numbers = (given.paramGroups as GroupState[]).flatMap((group) => group.params);
  const places = new Map(numbers.map((number, place) => [String(number), place]));
  const amsgrads = own.flatMap((group, i) => {
    const { amsgrad } = { ...group, ...options[i] } as { amsgrad?: boolean };
    return group.params.map(() => amsgrad === true);
  });
  const entries = Object.entries(given.state).flatMap(([index, state]) => {
    const place = places.get(index) ?? -1;
    const param = params[place];
    const tensors = stateTensors(kind, index, state);
    if (param)
      for (const name of missingTensors(kind, tensors, amsgrads[place]!))
        differences.push(`${name} of parameter ${index} is missing`);
    return Object.entries(tensors).flatMap(([name, tensor]) => {
      if (!param) differences.push(`${name} of parameter ${index}: there is no such parameter`);
      else if (name !== 'step' && shapeText(param.shape) !== shapeText(tensor.shape)) {
        differences.push(
          `${name} of parameter ${index}: expected shape ${shapeText(param.shape)}, received ${shapeText(tensor.shape)}`,
        );
      }
      return { index: place, name, tensor: nativeOf(tensor) };
    });
  });
  if (differences.length > 0)
    throw new RecurraError('STATE_MISMATCH', `The state does not fit this ${kind}:\n  ${differences.join('\n  ')}`);
  return { entries, options };
}
