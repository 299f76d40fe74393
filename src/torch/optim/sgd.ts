import { checkRange } from '../../core/checks.js';
import { constraint, invalidArgument } from '../../core/errors.js';
import { withDefaults } from './adam.js';
import { type NativeOptions, Optimizer, type ParamsInput } from './optimizer.js';
import type { OptimizerOptions } from './options.js';

/** Options of {@link SGD}. */
export interface SGDOptions extends OptimizerOptions {
  /** Share of the last step that is taken again. Default 0. */
  momentum: number;
  /** Share of the gradient left out of the momentum. Default 0. */
  dampening: number;
  /** Nesterov's momentum. Needs a momentum and no dampening. Default `false`. */
  nesterov: boolean;
}

/**
 * Stochastic gradient descent, with PyTorch's defaults: lr 1e-3, no momentum.
 *
 * @example
 * ```ts
 * const optimizer = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
 * ```
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: ParamsInput<SGDOptions>, options: Partial<SGDOptions> = {}) {
    const defaults: SGDOptions = {
      lr: 1e-3,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      maximize: false,
    };
    super('SGD', params, withDefaults('SGD', defaults, options));
  }

  /** @internal */
  protected override validate({ lr, momentum, dampening, weightDecay, nesterov }: SGDOptions): void {
    checkRange('lr of SGD', lr, { from: 0 });
    checkRange('momentum of SGD', momentum, { from: 0 });
    checkRange('weightDecay of SGD', weightDecay, { from: 0 });
    if (typeof dampening !== 'number' || Number.isNaN(dampening))
      throw invalidArgument('dampening of SGD', 'a number', dampening);
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw constraint('nesterov of SGD', 'nesterov of SGD needs a momentum above 0 and no dampening');
    }
  }

  /** @internal */
  protected override toNative({ lr, momentum, dampening, weightDecay, nesterov, maximize }: SGDOptions): NativeOptions {
    return { lr, momentum, dampening, weightDecay, nesterov, maximize };
  }
}
