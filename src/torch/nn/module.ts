import { checkFlag } from '../../core/checks.js';
import type { Device } from '../../core/device.js';
import { ArgumentError, invalidArgument } from '../../core/errors.js';
import { INSPECT, inspected } from '../../core/inspected.js';
import { resolveDevice } from '../../native/device.js';
import { isTensor, nativeOf, replaceNative, type ToOptions, toOptions } from '../tensor/base.js';
import { checkDtype, type DType, isFloating, isWeightDtype } from '../tensor/dtype.js';
import { noGrad } from '../tensor/grad.js';
import { refusePythonNames } from '../tensor/python.js';
import { untrack } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { WEIGHT_DTYPES } from './check.js';
import { Parameter } from './parameter.js';
import { copyState, type IncompatibleKeys, type LoadStateDictOptions, type StateDict } from './stateDict.js';

// Kept outside the instances, whose own properties belong to users.
const buffersOf = new WeakMap<Module, Set<string>>();

/**
 * Base of all layers and models. A subclass creates its layers in the constructor, assigns them to properties, and
 * computes in `forward`. Parameters, buffers and layers are found by these properties, and named by them, in the order
 * in which they were assigned; private (`#`) fields are not seen.
 *
 * @example
 * ```ts
 * class Classifier extends nn.Module {
 *   embedding = new nn.Embedding(1000, 64);
 *   fc = new nn.Linear(64, 4);
 *   forward(x: Tensor) {
 *     return this.fc.forward(this.embedding.forward(x).mean({ dim: 1 }));
 *   }
 * }
 * ```
 */
export abstract class Module {
  /**
   * `true` in training (the default), `false` in evaluation: set by {@link train} and {@link eval}; dropout reads it at
   * each call.
   */
  training = true;

  /** The computation of the module. */
  abstract forward(...args: never[]): unknown;

  /** Same as `forward`, as PyTorch's `module(x)`. */
  call(...args: Parameters<this['forward']>): ReturnType<this['forward']> {
    return this.forward(...(args as never[])) as ReturnType<this['forward']>;
  }

  /** The layers directly in this module, with their names. */
  namedChildren(): [string, Module][] {
    return Object.entries(this).filter((entry): entry is [string, Module] => entry[1] instanceof Module);
  }

  /** The layers directly in this module. */
  children(): Module[] {
    return this.namedChildren().map(([, module]) => module);
  }

  /** This module (named by `prefix`, empty by default) and all modules within, each once, with their paths. */
  namedModules(prefix = ''): [string, Module][] {
    const seen = new Set<Module>();
    const result: [string, Module][] = [];
    const visit = (module: Module, name: string): void => {
      if (seen.has(module)) return;
      seen.add(module);
      result.push([name, module]);
      for (const [childName, child] of module.namedChildren()) visit(child, name ? `${name}.${childName}` : childName);
    };
    visit(this, prefix);
    return result;
  }

  /** This module and all modules within, each once. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** All parameters, each once, with the names that the state dict has. */
  namedParameters(): [string, Parameter][] {
    const seen = new Set<Parameter>();
    return ownTensors(this).filter((entry): entry is [string, Parameter] => {
      const value = entry[1];
      if (!(value instanceof Parameter) || seen.has(value)) return false;
      seen.add(value);
      return true;
    });
  }

  /** All parameters, each once. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** All buffers: tensors that belong to the state but are not trained. */
  namedBuffers(): [string, Tensor][] {
    return ownTensors(this).filter(([, value]) => !(value instanceof Parameter));
  }

  /**
   * The parameter at a path such as `rnn.weight_ih_l0`.
   *
   * @throws `INVALID_ARGUMENT` if there is none; the message lists those there are.
   */
  getParameter(path: string): Parameter {
    const named = this.namedParameters();
    const found = named.find(([name]) => name === path);
    if (!found)
      throw invalidArgument(
        'path of getParameter',
        `one of ${named.map(([name]) => name).join(', ') || '(no parameters)'}`,
        path,
      );
    return found[1];
  }

  /** Makes `this[name]` a buffer: part of the state dict, moved by {@link to}, not trained, not disposed by `tidy`. */
  protected registerBuffer(name: string, value: Tensor): void {
    if (!isTensor(value)) throw invalidArgument(`buffer ${name}`, 'a Tensor', value);
    const names = buffersOf.get(this) ?? new Set();
    buffersOf.set(this, names.add(name));
    untrack(value);
    (this as unknown as StateDict)[name] = value;
  }

  /**
   * Parameters and buffers by name. The tensors share memory with the module: clone those that are to keep their
   * values.
   *
   * @example
   * ```ts
   * await saveFile(net.stateDict(), 'net.safetensors');
   * ```
   */
  stateDict(): StateDict {
    return Object.fromEntries(ownTensors(this).map(([name, value]) => [name, value.detach()]));
  }

  /**
   * Copies the tensors of a state dict into this module. Those of another dtype are converted to that of the module, as PyTorch does:
   * a file in float16 or float64 fits a module in float32.
   *
   * @param options - `{ strict: false }`, or `false` as in PyTorch, loads the names that both have. `{ prefix: 'model.' }` loads the
   * names that begin with it, without it: those of a wrapped module, or of a part of a larger one.
   * @returns The names that only one side has.
   * @throws `STATE_MISMATCH` if a shape differs or, unless `strict` is false, a name; the message lists all differences, and
   * nothing has been changed.
   *
   * @example
   * ```ts
   * const { tensors } = await loadFile('pretrained.safetensors');
   * const { missingKeys } = net.loadStateDict(tensors, { strict: false });
   * console.log('not loaded:', missingKeys);
   * ```
   */
  loadStateDict(state: StateDict, options?: LoadStateDictOptions | boolean): IncompatibleKeys {
    return copyState(this.constructor.name, ownTensors(this), state, options);
  }

  /** Sets this module and all within to training (or, with `false`, evaluation). */
  train(mode = true): this {
    checkFlag('mode of train', mode);
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /**
   * Sets this module and all within to evaluation: no dropout.
   *
   * @example
   * ```ts
   * net.eval();
   * const scores = noGrad(() => net.forward(x));
   * net.train();
   * ```
   */
  eval(): this {
    return this.train(false);
  }

  /**
   * Moves parameters and buffers to another device, or converts those of floats to another dtype, in place. Make the
   * optimizer afterwards: one made before refuses to continue.
   *
   * @param options - Also a dtype or a device alone: `to('float64')`, `to('cuda')`.
   */
  to(options: ToOptions | DType | Device): this {
    const { dtype, device } = toOptions(options);
    if (dtype !== undefined && !isWeightDtype(checkDtype('dtype of to', dtype))) {
      throw invalidArgument('dtype of to', WEIGHT_DTYPES, dtype, 'INVALID_DTYPE');
    }
    const place = device === undefined ? undefined : resolveDevice('device of to', device);
    noGrad(() => {
      for (const target of new Set(ownTensors(this).map(([, value]) => value))) {
        const wanted = {
          dtype: dtype !== undefined && isFloating(target.dtype) ? dtype : target.dtype,
          device: place ?? target.device,
        };
        if (wanted.dtype === target.dtype && wanted.device === target.device) continue;
        const { grad, requiresGrad } = target;
        const converted = target.to(wanted);
        const moved = nativeOf(converted).detach();
        converted.dispose();
        replaceNative(target, moved);
        moved.setRequiresGrad(requiresGrad);
        if (grad) target.grad = grad.to(wanted);
      }
    });
    for (const module of this.modules()) module.moved();
    return this;
  }

  /** Sets `requiresGrad` of all parameters. */
  requiresGrad_(on = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(on);
    return this;
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) nativeOf(parameter).zeroGrad();
  }

  /** Gives the memory of all parameters and buffers back; the module cannot be used afterwards. */
  dispose(): void {
    for (const [, value] of ownTensors(this)) value.dispose();
  }

  /** `using net = new Net()` disposes the module at the end of the block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The tree of layers with their options, as PyTorch prints a module. */
  toString(): string {
    const extra = this.extraRepr();
    const children = this.childrenRepr();
    if (children.length === 0) return `${this.constructor.name}(${extra})`;
    const lines = [...(extra === '' ? [] : extra.split('\n')), ...children].flatMap((line) => line.split('\n'));
    return `${this.constructor.name}(\n  ${lines.join('\n  ')}\n)`;
  }

  /**
   * The layers directly within, as {@link toString} shows them.
   *
   * @internal
   */
  protected childrenRepr(): string[] {
    return this.namedChildren().map(([name, child]) => `(${name}): ${child}`);
  }

  /**
   * Called after {@link to} has moved the parameters.
   *
   * @internal
   */
  protected moved(): void {}

  /** Options that {@link toString} shows; layers override it. */
  protected extraRepr(): string {
    return '';
  }

  /** @internal */
  [INSPECT](): object {
    return inspected(this.toString());
  }
}

refusePythonNames(Module.prototype, {
  variable: 'net',
  others: {
    cuda: "net.to('cuda'), before the optimizer is made",
    cpu: "net.to('cpu')",
    float: "net.to('float32')",
    double: "net.to('float64')",
    apply: 'for (const module of net.modules()) fn(module)',
    add_module: 'net.name = module, in the constructor',
    register_module: 'net.name = module, in the constructor',
    register_parameter: 'net.name = new nn.Parameter(tensor), in the constructor',
  },
});

/**
 * A line of {@link Module.extraRepr}: `start`, then the options that differ from their defaults.
 *
 * @internal
 */
export function optionsRepr(start: string, options: object, defaults: object = {}): string {
  const changed = Object.entries(options).filter(
    ([name, value]) => value !== (defaults as Record<string, unknown>)[name],
  );
  return [start, ...changed.map(([name, value]) => `${name}=${value}`)].join(', ');
}

// Parameters and buffers, of a module first and then of its children, as PyTorch orders them. Shared ones occur under
// each name.
function ownTensors(root: Module): [string, Tensor][] {
  const result: [string, Tensor][] = [];
  const path = new Set<Module>();
  const visit = (module: Module, prefix: string): void => {
    if (path.has(module))
      throw new ArgumentError(
        'INVALID_ARGUMENT',
        `${module.constructor.name} contains itself; modules must form a tree`,
      );
    path.add(module);
    const buffers = buffersOf.get(module);
    const entries = Object.entries(module);
    for (const [name, value] of entries) if (value instanceof Parameter) result.push([prefix + name, value]);
    for (const [name, value] of entries) if (buffers?.has(name) && isTensor(value)) result.push([prefix + name, value]);
    for (const [name, value] of entries) if (value instanceof Module) visit(value, `${prefix}${name}.`);
    path.delete(module);
  };
  visit(root, '');
  return result;
}
