import { checkFlag, checkOptions } from '../../core/checks.js';
import { constraint, describe, invalidArgument, RecurraError } from '../../core/errors.js';
import { listed } from '../../core/listed.js';
import { isTensor } from '../tensor/base.js';
import { shapeText } from '../tensor/dtype.js';
import { noGrad } from '../tensor/grad.js';
import { isPromiseLike } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** Parameters and buffers by name, as PyTorch's state dict: `rnn.weight_ih_l0`. */
export type StateDict = Record<string, Tensor>;

/** Options of {@link Module.loadStateDict}. */
export interface LoadStateDictOptions {
  /** Whether the names of the state dict must be exactly those of the module. Default `true`. */
  strict?: boolean;
  /**
   * What stands before the module's names in the state dict, such as `model.`. Names that begin with it are loaded without it, and all
   * others are left out, as if they were not there. Default: nothing.
   */
  prefix?: string;
}

/** What {@link Module.loadStateDict} returns: the names that only one side has. Both are empty where `strict` is true. */
export interface IncompatibleKeys {
  /** Names of the module that the state dict does not have; these tensors keep their values. */
  missingKeys: string[];
  /** Names of the state dict that the module does not have; these tensors are ignored. */
  unexpectedKeys: string[];
}

const quoted = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(', ');

/** The usual reasons why no name fits, and what to do about them. */
function advice(state: object, prefix: string, missing: readonly string[], unexpected: readonly string[]): string {
  if ('tensors' in state && 'metadata' in state && !isTensor(state.tensors))
    return ' This is what loadFile returns; its state dict is in the property tensors.';
  const text = JSON.stringify;
  const before = commonPrefix(missing, unexpected);
  if (before !== undefined) {
    const all = Object.keys(state).every((name) => name.startsWith(before));
    const whole = text(prefix + before);
    const which = all ? `All names of the state dict begin with ${whole}` : `Names that begin with ${whole} fit`;
    return ` ${which}: loadStateDict(state, { prefix: ${whole} }) loads them without it.`;
  }
  const inside = commonPrefix(unexpected, missing);
  if (inside !== undefined)
    return ` The names of the state dict are those of the part ${text(inside.slice(0, -1))}: load it into that module.`;
  return missing.length + unexpected.length > 0
    ? ' loadStateDict(state, { strict: false }) loads the names that both have.'
    : '';
}

/**
 * What stands before most of the names in the longer ones, up to a dot: `model.`, which wrappers such as `DistributedDataParallel`,
 * `torch.compile` and trainers add, or the path of a part of a larger network.
 */
function commonPrefix(names: readonly string[], longer: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  const wanted = new Set(names);
  for (const name of longer) {
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const prefix = name.slice(0, dot + 1);
      if (wanted.has(name.slice(dot + 1))) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  // One name in common, such as a bias, says nothing of a state dict of many.
  const [best] = [...counts].sort(([, a], [, b]) => b - a);
  return best && 2 * best[1] > names.length ? best[0] : undefined;
}

/** The names of a state dict that begin with a prefix, without it. */
function withoutPrefix(state: StateDict, prefix: string): StateDict {
  if (prefix === '') return state;
  const found = Object.keys(state).filter((name) => name.startsWith(prefix));
  if (found.length === 0)
    throw constraint(
      'prefix of loadStateDict',
      `No name of the state dict begins with ${JSON.stringify(prefix)}; its names are ${listed(Object.keys(state), 5)}`,
    );
  return Object.fromEntries(found.map((name) => [name.slice(prefix.length), state[name]!]));
}

/**
 * Copies a state dict into the tensors of a module, as {@link Module.loadStateDict} says.
 *
 * @param kind - Name of the module's class, for the message.
 * @param own - Parameters and buffers of the module, by name.
 *
 * @internal
 */
export function copyState(
  kind: string,
  own: readonly [string, Tensor][],
  given: StateDict,
  options: LoadStateDictOptions | boolean | undefined,
): IncompatibleKeys {
  if (typeof given !== 'object' || given === null)
    throw invalidArgument('state of loadStateDict', 'an object of tensors by name', given);
  if (isPromiseLike(given))
    throw invalidArgument('state of loadStateDict', 'an object of tensors by name (await the promise first)', given);
  const { strict = true, prefix = '' } =
    typeof options === 'boolean'
      ? { strict: options }
      : checkOptions('options of loadStateDict', options, ['strict', 'prefix']);
  checkFlag('strict of loadStateDict', strict);
  if (typeof prefix !== 'string') throw invalidArgument('prefix of loadStateDict', 'a string such as "model."', prefix);
  const state = withoutPrefix(given, prefix);
  const names = new Set(own.map(([name]) => name));
  const missingKeys = [...names].filter((name) => !Object.hasOwn(state, name) || state[name] === undefined);
  const unexpectedKeys = Object.keys(state).filter((name) => !names.has(name));
  const missing = new Set(missingKeys);
  const present = own.filter(([name]) => !missing.has(name));
  const problems: string[] = [];
  if (strict && missingKeys.length > 0) problems.push(`Missing key(s) in stateDict: ${quoted(missingKeys)}.`);
  if (strict && unexpectedKeys.length > 0) problems.push(`Unexpected key(s) in stateDict: ${quoted(unexpectedKeys)}.`);
  for (const [name, target] of present) {
    const source: unknown = state[name];
    if (!isTensor(source)) {
      problems.push(`expected a Tensor for ${name} but received ${describe(source)}`);
    } else {
      const [given, wanted] = [shapeText(source.shape), shapeText(target.shape)];
      if (given !== wanted)
        problems.push(
          `size mismatch for ${name}: copying a param with shape ${given} from checkpoint, the shape in current model is ${wanted}.`,
        );
    }
  }
  if (problems.length > 0) {
    const hint = strict ? advice(state, prefix, missingKeys, unexpectedKeys) : '';
    throw new RecurraError(
      'STATE_MISMATCH',
      `Error(s) in loading stateDict for ${kind}:\n\t${problems.join('\n\t')}\n\tNothing was changed.${hint}`,
    );
  }
  noGrad(() => {
    for (const [name, target] of present) target.copy_(state[name]!);
  });
  return { missingKeys, unexpectedKeys };
}
