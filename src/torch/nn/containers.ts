import { checkInteger } from '../../core/checks.js';
import { ArgumentError, invalidArgument } from '../../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

function checkModules(where: string, modules: readonly Module[]): void {
  modules.forEach((module, i) => {
    if (!(module instanceof Module)) throw invalidArgument(`module ${i} of ${where}`, 'a Module', module);
  });
}

/**
 * A list of modules whose parameters belong to the module that contains the list: `layers.0.weight`.
 *
 * @example
 * ```ts
 * const layers = new nn.ModuleList([new nn.Linear(8, 8), new nn.Linear(8, 2)]);
 * let y = randn([3, 8]);
 * for (const layer of layers) y = layer.forward(y);
 * y.shape; // [3, 2]
 * ```
 */
export class ModuleList<M extends Module = Module> extends Module implements Iterable<M> {
  constructor(modules: Iterable<M> = []) {
    super();
    for (const module of modules) this.append(module);
  }

  /** Number of modules. */
  get length(): number {
    return this.namedChildren().length;
  }

  /** Adds a module at the end. */
  append(module: M): this {
    checkModules('ModuleList', [module]);
    // The modules are properties named by their positions, so that names in the state dict are PyTorch's.
    (this as unknown as Record<string, Module>)[String(this.length)] = module;
    return this;
  }

  /** The module at a position, counted from the end if negative. */
  at(index: number): M {
    const { length } = this;
    checkInteger('index of ModuleList', index, -length, length - 1);
    return (this as unknown as Record<string, M>)[String(index < 0 ? index + length : index)]!;
  }

  /** The modules in order. */
  *[Symbol.iterator](): Iterator<M> {
    for (const [, module] of this.namedChildren()) yield module as M;
  }

  // PyTorch shows equal layers that follow each other as one line: `(0-1): 2 x Linear(...)`.
  /** @internal */
  protected override childrenRepr(): string[] {
    const texts = this.children().map(String);
    const starts = [...texts.keys()].filter((i) => i === 0 || texts[i] !== texts[i - 1]);
    return starts.map((first, i) => {
      const end = starts[i + 1] ?? texts.length;
      return end - first === 1
        ? `(${first}): ${texts[first]}`
        : `(${first}-${end - 1}): ${end - first} x ${texts[first]}`;
    });
  }

  /** Always throws: a list computes nothing. */
  forward(): never {
    throw new ArgumentError('INVALID_ARGUMENT', 'A ModuleList has no forward; call its modules, or use Sequential');
  }
}

/**
 * Modules called one after the other, each with the result of the one before.
 *
 * @example
 * ```ts
 * const mlp = new nn.Sequential(new nn.Linear(8, 4), new nn.Dropout(0.1), new nn.Linear(4, 2));
 * mlp.forward(randn([3, 8])).shape; // [3, 2]
 * ```
 */
export class Sequential extends Module {
  constructor(...modules: Module[]) {
    super();
    checkModules('Sequential', modules);
    modules.forEach((module, i) => {
      (this as unknown as Record<string, Module>)[String(i)] = module;
    });
  }

  /** Result of the last module; `input` itself if there are none. */
  forward(input: Tensor): Tensor {
    let result = input;
    for (const module of this.children()) result = (module as Module & { forward(x: Tensor): Tensor }).forward(result);
    return result;
  }
}
