import { ArgumentError } from '../../core/errors.js';

/**
 * A name as Python writes it: `load_state_dict` of `loadStateDict`.
 *
 * @internal
 */
export function pythonName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * A name of Python as it is here: `weightDecay` of `weight_decay`.
 *
 * @internal
 */
export function camelName(name: string): string {
  return name.replaceAll(/(?<=.)_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** What {@link refusePythonNames} is to know. */
export interface PythonNames {
  /** A variable for an object of the class, in messages: `net`. */
  variable: string;
  /** Names of properties that instances have and the prototype has not: `paramGroups`. */
  fields?: readonly string[];
  /** Methods of PyTorch that have another name here, and what to write. */
  others?: Readonly<Record<string, string>>;
}

const refuse = (message: string): never => {
  throw new ArgumentError('INVALID_ARGUMENT', message);
};

/**
 * Makes PyTorch's names of methods and properties throw, and name those here: `net.state_dict()` says that it is `net.stateDict()`. Without
 * this, methods would be `not a function`, and properties `undefined`. Types do not have these names; this is for programs without types.
 * A subclass may define such names itself.
 *
 * The names are derived from the methods and accessors of a prototype, or of a class for those of the class itself.
 *
 * @param target - The prototype, or the class.
 *
 * @internal
 */
export function refusePythonNames(target: object, { variable, fields = [], others = {} }: PythonNames): void {
  const own = (name: string, descriptor: PropertyDescriptor) => {
    if (!(name in target))
      Object.defineProperty(target, name, { configurable: true, enumerable: false, ...descriptor });
  };
  const method = (python: string, here: string) =>
    own(python, {
      writable: true,
      value: () => refuse(`PyTorch's ${variable}.${python}() is ${here}: names are in camelCase here`),
    });
  const property = (python: string, here: string) => {
    const message = `PyTorch's ${variable}.${python} is ${variable}.${here}: names are in camelCase here`;
    own(python, { get: () => refuse(message), set: () => refuse(message) });
  };
  for (const [python, here] of Object.entries(others))
    own(python, { writable: true, value: () => refuse(`PyTorch's ${variable}.${python}() is ${here}`) });
  for (const [name, descriptor] of members(target)) {
    const python = pythonName(name);
    if (python === name || name === 'toString' || name === 'toJSON') continue;
    if (typeof descriptor.value === 'function') method(python, `${variable}.${name}()`);
    else if (descriptor.get) property(python, name);
  }
  for (const name of fields) property(pythonName(name), name);
}

/** The properties along a chain of prototypes, but for those that every object or function has. */
function members(target: object): [string, PropertyDescriptor][] {
  const found: [string, PropertyDescriptor][] = [];
  for (
    let at: object | null = target;
    at !== null && at !== Object.prototype && at !== Function.prototype;
    at = Object.getPrototypeOf(at) as object | null
  )
    found.push(...Object.entries(Object.getOwnPropertyDescriptors(at)));
  return found;
}

/**
 * Functions that throw and name those of a namespace that are meant, in their order: for exports under PyTorch's names, which types do not have.
 *
 * @param namespace - What stands before the names, with a dot: `nn.utils.`.
 * @param names - Names here: `clipGradNorm`.
 * @param end - What PyTorch's names end with besides: `_`.
 *
 * @internal
 */
export function refusedFunctions(namespace: string, names: readonly string[], end = ''): (() => never)[] {
  return names.map((name) => () => {
    const python = pythonName(name) + end;
    return refuse(`PyTorch's ${namespace}${python} is ${namespace}${name}: names are in camelCase here`);
  });
}

/**
 * A namespace whose parts throw and name the namespace that is meant.
 *
 * @internal
 */
export function refusedNamespace(python: string, here: string): object {
  const get = (_: object, name: string | symbol) =>
    typeof name === 'string'
      ? refuse(`PyTorch's ${python}.${name} is ${here}.${name}: names are in camelCase here`)
      : undefined;
  return new Proxy({}, { get });
}
