import { ArgumentError, invalidArgument } from '../../core/errors.js';
import { INSPECT, inspected } from '../../core/inspected.js';
import { type NativeOptimizer, type NativeTensor, torch } from '../../native/torch.js';
import { isTensor, nativeOf, wrapUntracked } from '../tensor/base.js';
import { tidy } from '../tensor/memory.js';
import { refusePythonNames } from '../tensor/python.js';
import type { Tensor } from '../tensor/tensor.js';
import type { OptimizerOptions } from './options.js';
import { checkState, type OptimizerState, type PyTorchOptimizerState } from './state.js';

/** Parameters that share options. Options may be changed at any time; the next step takes them. */
export type ParamGroup<O extends OptimizerOptions = OptimizerOptions> = O & {
  /** The parameters. */
  params: Tensor[];
  /** Learning rate at the beginning, which schedulers set. */
  initialLr?: number;
};

/** Parameters of an optimizer: a list, or groups with their own options. */
export type ParamsInput<O extends OptimizerOptions> = Iterable<Tensor> | readonly (GroupParams & Partial<O>)[];

/** Parameters of a group as they are given. */
export interface GroupParams {
  /** The parameters. */
  params: Iterable<Tensor>;
}

/** Options as the binding takes them. */
export interface NativeOptions {
  /** Learning rate. */
  lr: number;
  /** Decay of the mean of the gradient. */
  beta1?: number;
  /** Decay of the mean of its square. */
  beta2?: number;
  /** Added to the denominator. */
  eps?: number;
  /** Decay of the weights. */
  weightDecay?: number;
  /** Whether the denominator never falls. */
  amsgrad?: boolean;
  /** Share of the last step taken again. */
  momentum?: number;
  /** Share of the gradient left out of the momentum. */
  dampening?: number;
  /** Nesterov's momentum. */
  nesterov?: boolean;
  /** Whether the objective is maximised. */
  maximize?: boolean;
}

/** Base of the optimizers: groups of parameters, and the state of each. Not made directly. */
export abstract class Optimizer<O extends OptimizerOptions = OptimizerOptions> {
  /** The groups; change their options to change the next step. */
  readonly paramGroups: ParamGroup<O>[] = [];
  /** Options that groups have if they do not say otherwise. */
  readonly defaults: Readonly<O>;
  readonly #kind: 'Adam' | 'AdamW' | 'SGD';
  #native: NativeOptimizer;
  // What the native side was last told, to tell it only of changes; and which handles it holds.
  #sent: NativeOptions[] = [];
  #handles: NativeTensor[] = [];

  /** @internal */
  constructor(kind: 'Adam' | 'AdamW' | 'SGD', params: ParamsInput<O>, defaults: O) {
    this.#kind = kind;
    this.defaults = defaults;
    this.validate(defaults);
    const list = toList(kind, params);
    if (list.length === 0) throw invalidArgument(`params of ${kind}`, 'at least one parameter', list);
    const groups = list.every(isTensor)
      ? [{ params: list } as { params: Tensor[] } & Partial<O>]
      : (list as (GroupParams & Partial<O>)[]);
    for (const group of groups) this.#addGroup(group);
    this.#native = this.#create();
  }

  /** Throws unless the options are in range. @internal */
  protected abstract validate(options: O): void;

  /** The options as the binding takes them. @internal */
  protected abstract toNative(options: O): NativeOptions;

  /** Adds a group of parameters with its own options; the state of the others is kept. */
  addParamGroup(group: GroupParams & Partial<O>): void {
    this.#addGroup(group);
    const previous = this.#native;
    this.#native = this.#create();
    const state = previous.state();
    this.#native.loadState(state);
    for (const { tensor } of state) tensor.dispose();
    previous.dispose();
  }

  #addGroup(group: GroupParams & Partial<O>): void {
    if (typeof group !== 'object' || group === null || !('params' in group)) {
      throw invalidArgument(`params of ${this.#kind}`, 'tensors, or groups { params, ...options }', group);
    }
    const known = ['params', 'initialLr', ...Object.keys(this.defaults)];
    for (const name of Object.keys(group)) {
      if (!known.includes(name))
        throw invalidArgument(`a group of ${this.#kind}`, `options of ${known.join(', ')}`, name);
    }
    const params = toList(this.#kind, group.params) as Tensor[];
    const taken = new Set(this.paramGroups.flatMap((other) => other.params));
    params.forEach((param, i) => {
      if (!isTensor(param)) throw invalidArgument(`parameter ${i} of ${this.#kind}`, 'a Tensor', param);
      if (!param.isLeaf)
        throw new ArgumentError(
          'INVALID_ARGUMENT',
          `Parameter ${i} of ${this.#kind} is the result of an operation; only leaf tensors can be optimized`,
        );
      if (taken.has(param))
        throw new ArgumentError('INVALID_ARGUMENT', `Parameter ${i} of ${this.#kind} is given twice`);
      taken.add(param);
    });
    const full = { ...this.defaults, ...group, params } as ParamGroup<O>;
    this.validate(full);
    this.paramGroups.push(full);
  }

  #create(): NativeOptimizer {
    this.#handles = this.paramGroups.flatMap(({ params }) => params.map((param) => nativeOf(param)));
    const groups = this.paramGroups.map((group) => ({
      params: group.params.map((param) => nativeOf(param)),
      options: this.toNative(group),
    }));
    this.#sent = groups.map(({ options }) => options);
    return new (torch().NativeOptimizer)(this.#kind, groups);
  }

  // Options and handles may have changed since the last step.
  #synchronize(): void {
    let next = 0;
    this.paramGroups.forEach((group, i) => {
      for (const param of group.params) {
        if (nativeOf(param) !== this.#handles[next++]) {
          throw new ArgumentError(
            'INVALID_ARGUMENT',
            `A parameter was moved by Module.to() after ${this.#kind} was made; make the optimizer after moving the module`,
          );
        }
      }
      const options = this.toNative(group);
      if (!sameOptions(options, this.#sent[i]!)) {
        this.validate(group);
        this.#native.setOptions(i, options);
        this.#sent[i] = options;
      }
    });
  }

  /** Changes the parameters by their gradients; those without a gradient stay. */
  step(): void {
    this.#synchronize();
    this.#native.step();
  }

  /**
   * As {@link step}, but nothing moves once the tally has met a loss that is not finite; a GPU is not waited for.
   *
   * @internal
   */
  stepUnless(tally: Parameters<NativeOptimizer['stepUnless']>[0]): void {
    this.#synchronize();
    this.#native.stepUnless(tally);
  }

  /** Like {@link step}, off the main thread. Nothing else may use the parameters until it is done. */
  async stepAsync(): Promise<void> {
    this.#synchronize();
    await this.#native.stepAsync();
  }

  /** Forgets the gradients of all parameters, as PyTorch's `zero_grad(set_to_none=True)`. */
  zeroGrad(): void {
    this.#native.zeroGrad();
  }

  /** A copy of the state: what {@link loadStateDict} takes. */
  stateDict(): OptimizerState<O> {
    const state: OptimizerState<O>['state'] = {};
    for (const { index, name, tensor } of this.#native.state()) {
      state[index] ??= {};
      const handle = wrapUntracked(tensor);
      state[index][name] = tidy(() => handle.detach().clone());
      handle.dispose();
    }
    let next = 0;
    const paramGroups = this.paramGroups.map(({ params, ...options }) => ({
      ...structuredClone(options),
      params: params.map(() => next++),
    }));
    return { state, paramGroups: paramGroups as unknown as OptimizerState<O>['paramGroups'] };
  }

  /**
   * Takes a state over: the tensors are copied, the options replaced. PyTorch's own state, with `param_groups`, is taken as `load`
   * gives it; its parameters must have been given to the optimizer in the same order.
   *
   * @throws `STATE_MISMATCH` if the groups have other numbers of parameters, or a state tensor does not fit its
   * parameter; `INVALID_ARGUMENT` if it is not the state of an optimizer. Nothing has been changed.
   *
   * @example
   * ```ts
   * await save({ net: net.stateDict(), optimizer: optimizer.stateDict() }, 'checkpoint.safetensors');
   * // later, with a new network and a new optimizer
   * const checkpoint = await load<{ net: nn.StateDict; optimizer: optim.OptimizerState }>('checkpoint.safetensors');
   * net.loadStateDict(checkpoint.net);
   * optimizer.loadStateDict(checkpoint.optimizer);
   * ```
   */
  loadStateDict(state: OptimizerState | PyTorchOptimizerState): void {
    const known = ['initialLr', ...Object.keys(this.defaults)];
    const { entries, options } = checkState<O>(this.#kind, this.paramGroups, known, state);
    for (const one of options) this.validate({ ...this.defaults, ...one });
    this.#native.loadState(entries as Parameters<NativeOptimizer['loadState']>[0]);
    this.paramGroups.forEach((group, i) => {
      Object.assign(group, options[i]);
    });
  }

  /** Gives the memory of the state back; the optimizer cannot be used afterwards. */
  dispose(): void {
    this.#native.dispose();
  }

  /** `using optimizer = new Adam(...)` disposes the optimizer at the end of the block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The options of each group, as PyTorch prints an optimizer. */
  toString(): string {
    const groups = this.paramGroups.map(({ params: _, ...options }, i) => {
      const lines = Object.entries<unknown>(options).map(([name, value]) => `    ${name}: ${optionText(value)}\n`);
      return `\nParameter Group ${i}\n${lines.sort().join('')}`;
    });
    return `${this.#kind} (${groups.join('')})`;
  }

  /** @internal */
  [INSPECT](): object {
    return inspected(this.toString());
  }
}

refusePythonNames(Optimizer.prototype, { variable: 'optimizer', fields: ['paramGroups'] });

const optionText = (value: unknown) => (Array.isArray(value) ? `[${value.join(', ')}]` : String(value));

// At every step, so without making anything.
function sameOptions(a: NativeOptions, b: NativeOptions): boolean {
  for (const name in a) {
    if (!Object.is(a[name as keyof NativeOptions], b[name as keyof NativeOptions])) return false;
  }
  return true;
}

function toList(kind: string, params: unknown): unknown[] {
  if (isTensor(params) || typeof params !== 'object' || params === null || !(Symbol.iterator in params)) {
    throw invalidArgument(`params of ${kind}`, 'a list of parameters, such as net.parameters()', params);
  }
  return [...(params as Iterable<unknown>)];
}
