import { constraint, invalidArgument, RecurraError } from '../../core/errors.js';
import { isTensor } from '../tensor/base.js';
import { camelName } from '../tensor/python.js';

/** Options of PyTorch that choose an implementation, and what its schedulers keep in a group; none of them changes a step. */
const LEFT_OUT: readonly string[] = [
  'capturable',
  'differentiable',
  'foreach',
  'fused',
  'param_names',
  'base_momentum',
  'max_lr',
  'max_momentum',
  'min_lr',
];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A state in this library's names: `param_groups` of PyTorch's `optimizer.state_dict()` becomes `paramGroups`, and so do the options in
 * it. Anything else is returned as it is, for the checks that follow.
 *
 * @param kind - The optimizer: `Adam`.
 * @throws RecurraError `STATE_MISMATCH` if it is the state of Adam, and the optimizer AdamW, or the other way round.
 *
 * @internal
 */
export function fromPyTorch(kind: string, given: unknown): unknown {
  if (!isObject(given) || !Array.isArray(given.param_groups) || 'paramGroups' in given) return given;
  const paramGroups = given.param_groups.map((group: unknown) => {
    if (!isObject(group)) return group;
    checkDecoupled(kind, group.decoupled_weight_decay);
    const entries = Object.entries(group).filter(
      ([name]) => name !== 'decoupled_weight_decay' && !LEFT_OUT.includes(name),
    );
    return Object.fromEntries(entries.map(([name, value]) => [camelName(name), plainNumber(value)]));
  });
  return { state: given.state, paramGroups };
}

// Both are one class in PyTorch; the states differ in this option alone.
function checkDecoupled(kind: string, decoupled: unknown): void {
  if (typeof decoupled !== 'boolean' || (kind !== 'Adam' && kind !== 'AdamW') || decoupled === (kind === 'AdamW'))
    return;
  const theirs = decoupled ? 'AdamW' : 'Adam';
  throw new RecurraError('STATE_MISMATCH', `The state is one of ${theirs}, not of ${kind}; make an optim.${theirs}`);
}

/** A learning rate may be a tensor of one element. */
function plainNumber(value: unknown): unknown {
  return isTensor(value) && value.numel() === 1 ? value.item() : value;
}

/**
 * The error for a value that is not a state of an optimizer. It says what is missing, or where in the value a state is.
 *
 * @internal
 */
export function notAState(kind: string, given: unknown): Error {
  const named = `state of ${kind}`;
  if (!isObject(given)) return invalidArgument(named, 'what stateDict() returns, { state, paramGroups }', given);
  const fault = (what: string) =>
    constraint(named, `loadStateDict of ${kind} expects what stateDict() returns, { state, paramGroups }; ${what}`);
  const inside = Object.keys(given).find((name) => {
    const value = Array.isArray(given[name]) ? (given[name] as unknown[])[0] : given[name];
    return isObject(value) && 'state' in value && ('paramGroups' in value || 'param_groups' in value);
  });
  if (inside !== undefined)
    return fault(`pass the property ${inside}${Array.isArray(given[inside]) ? '[0]' : ''} of this object`);
  if (Object.keys(given).some((name) => /(^|\.)state\.\d+\./.test(name)))
    return fault(
      'these are the tensors of a file by their paths, as loadFile(path) gives them: load(path) gives the whole value',
    );
  const missing = [
    ...(isObject(given.state) ? [] : ['state']),
    ...(Array.isArray(given.paramGroups) || Array.isArray(given.param_groups)
      ? []
      : ["paramGroups (PyTorch's param_groups)"]),
  ];
  return fault(`this object lacks ${missing.join(' and ')}`);
}

/** The tensors that the state of a parameter has together. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  Adam: ['step', 'exp_avg', 'exp_avg_sq'],
  AdamW: ['step', 'exp_avg', 'exp_avg_sq'],
  SGD: [],
};

/**
 * Names of the tensors that the state of a parameter lacks; a parameter that was never stepped has none.
 *
 * @internal
 */
export function missingTensors(kind: string, tensors: Readonly<Record<string, unknown>>, amsgrad: boolean): string[] {
  const together = TOGETHER[kind] ?? [];
  if (!Object.keys(tensors).some((name) => together.includes(name))) return [];
  return [...together, ...(amsgrad && together.length > 0 ? ['max_exp_avg_sq'] : [])].filter(
    (name) => !(name in tensors),
  );
}
