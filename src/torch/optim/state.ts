import { invalidArgument, RecurraError } from '../../core/errors.js';
import type { NativeTensor } from '../../native/torch.js';
import { isTensor, nativeOf } from '../tensor/base.js';
import { shapeText } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { OptimizerOptions } from './options.js';

/** A group in {@link OptimizerState}. */
export interface GroupState {
  /** Numbers of the parameters, counted over all groups. */
  params: number[];
  /** Learning rate at the beginning, which schedulers set. */
  initialLr?: number;
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

/**
 * Checks a state against the parameters of an optimizer. Returns its tensors as the binding takes them, and copies of
 * the groups' options.
 *
 * @param own - The groups of the optimizer.
 * @param known - Names of the options of a group.
 * @throws As {@link Optimizer.loadStateDict}.
 *
 * @internal
 */
export function checkState<O extends OptimizerOptions>(
  kind: string,
  own: readonly { params: readonly Tensor[] }[],
  known: readonly string[],
  given: unknown,
): { entries: { index: number; name: string; tensor: NativeTensor }[]; options: Partial<O>[] } {
  if (!isObject(given) || !isObject(given.state) || !Array.isArray(given.paramGroups)) {
    const kept = isObject(given) && 'param_groups' in given ? " (PyTorch's param_groups is paramGroups here)" : '';
    throw invalidArgument(`state of ${kind}`, `what stateDict() returns, { state, paramGroups }${kept}`, given);
  }
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
  const entries = Object.entries(given.state).flatMap(([index, tensors]) => {
    const param = params[Number(index)];
    return Object.entries(isObject(tensors) ? tensors : {}).flatMap(([name, tensor]) => {
      if (!isTensor(tensor))
        throw invalidArgument(`${name} of parameter ${index} of the state of ${kind}`, 'a Tensor', tensor);
      if (!param) differences.push(`${name} of parameter ${index}: there is no such parameter`);
      else if (name !== 'step' && shapeText(param.shape) !== shapeText(tensor.shape)) {
        differences.push(
          `${name} of parameter ${index}: expected shape ${shapeText(param.shape)}, received ${shapeText(tensor.shape)}`,
        );
      }
      return { index: Number(index), name, tensor: nativeOf(tensor) };
    });
  });
  if (differences.length > 0)
    throw new RecurraError('STATE_MISMATCH', `The state does not fit this ${kind}:\n  ${differences.join('\n  ')}`);
  return { entries, options };
}
