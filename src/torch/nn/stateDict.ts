import { checkFlag, checkOptions } from '../../core/checks.js';
import { describe, invalidArgument, RecurraError } from '../../core/errors.js';
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
}

/** What {@link Module.loadStateDict} returns: the names that only one side has. Both are empty where `strict` is true. */
export interface IncompatibleKeys {
  /** Names of the module that the state dict does not have; these tensors keep their values. */
  missingKeys: string[];
  /** Names of the state dict that the module does not have; these tensors are ignored. */
  unexpectedKeys: string[];
}

/** What `DistributedDataParallel` and `torch.compile` put before the names of a module. */
const PREFIXES = ['module.', '_orig_mod.'];

const quoted = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(', ');

/** The usual reasons why no name fits, and what to do about them. */
function advice(state: object, missing: readonly string[], unexpected: readonly string[]): string {
  if ('tensors' in state && 'metadata' in state && !isTensor(state.tensors))
    return ' This is what loadFile returns; its state dict is in the property tensors.';
  const prefix = PREFIXES.find((prefix) => unexpected.some((name) => name.startsWith(prefix)));
  if (prefix && missing.some((name) => unexpected.includes(prefix + name)))
    return ` Remove the prefix ${JSON.stringify(prefix)} of a wrapped module from the names.`;
  return missing.length + unexpected.length > 0
    ? ' loadStateDict(state, { strict: false }) loads the names that both have.'
    : '';
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
  state: StateDict,
  options: LoadStateDictOptions | boolean | undefined,
): IncompatibleKeys {
  if (typeof state !== 'object' || state === null)
    throw invalidArgument('state of loadStateDict', 'an object of tensors by name', state);
  if (isPromiseLike(state))
    throw invalidArgument('state of loadStateDict', 'an object of tensors by name (await the promise first)', state);
  const { strict = true } =
    typeof options === 'boolean' ? { strict: options } : checkOptions('options of loadStateDict', options, ['strict']);
  checkFlag('strict of loadStateDict', strict);
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
    const hint = strict ? advice(state, missingKeys, unexpectedKeys) : '';
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
