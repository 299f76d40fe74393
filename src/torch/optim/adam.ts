import { checkRange } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { type NativeOptions, Optimizer, type ParamsInput } from './optimizer.js';
import type { OptimizerOptions } from './options.js';

/** Options of {@link Adam} and {@link AdamW}. */
export interface AdamOptions extends OptimizerOptions {
  /** Decay of the running means of the gradient and of its square. Default `[0.9, 0.999]`. */
  betas: readonly [beta1: number, beta2: number];
  /** Added to the denominator. Default 1e-8. */
  eps: number;
  /** Whether the denominator never falls (Reddi et al., 2018). Default `false`. */
  amsgrad: boolean;
}

function validateAdam(kind: string, { lr, betas, eps, weightDecay }: AdamOptions): void {
  checkRange(`lr of ${kind}`, lr, { from: 0 });
  checkRange(`eps of ${kind}`, eps, { from: 0 });
  checkRange(`weightDecay of ${kind}`, weightDecay, { from: 0 });
  if (!Array.isArray(betas) || betas.length !== 2) throw invalidArgument(`betas of ${kind}`, 'two numbers', betas);
  for (const [i, beta] of betas.entries()) checkRange(`betas[${i}] of ${kind}`, beta, { from: 0, below: 1 });
}

function nativeAdam({ lr, betas, eps, weightDecay, amsgrad, maximize }: AdamOptions): NativeOptions {
  return { lr, beta1: betas[0], beta2: betas[1], eps, weightDecay, amsgrad, maximize };
}

const defaults: AdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
  maximize: false,
};

/**
 * Adam (Kingma and Ba, 2015), with PyTorch's defaults: lr 1e-3, betas 0.9 and 0.999, eps 1e-8.
 *
 * @example
 * ```ts
 * const optimizer = new optim.Adam(net.parameters(), { lr: 1e-3 });
 * optimizer.zeroGrad();
 * loss.backward();
 * optimizer.step();
 * ```
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: ParamsInput<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super('Adam', params, withDefaults('Adam', defaults, options));
  }

  /** @internal */
  protected override validate(options: AdamOptions): void {
    validateAdam('Adam', options);
  }

  /** @internal */
  protected override toNative(options: AdamOptions): NativeOptions {
    return nativeAdam(options);
  }
}

/**
 * Adam with decay of the weights themselves (Loshchilov and Hutter, 2019); `weightDecay` is 0.01 by default, the rest
 * as {@link Adam}.
 *
 * @example
 * ```ts
 * const optimizer = new optim.AdamW(net.parameters(), { lr: 1e-3, weightDecay: 0.01 });
 * ```
 */
export class AdamW extends Optimizer<AdamOptions> {
  constructor(params: ParamsInput<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super('AdamW', params, withDefaults('AdamW', { ...defaults, weightDecay: 0.01 }, options));
  }

  /** @internal */
  protected override validate(options: AdamOptions): void {
    validateAdam('AdamW', options);
  }

  /** @internal */
  protected override toNative(options: AdamOptions): NativeOptions {
    return nativeAdam(options);
  }
}

/**
 * Options over defaults; unknown names throw.
 *
 * @internal
 */
export function withDefaults<O extends object>(kind: string, base: O, options: Partial<O>): O {
  if (typeof options !== 'object' || options === null)
    throw invalidArgument(`options of ${kind}`, 'an object of options, such as { lr: 0.01 }', options);
  checkOptionNames(`options of ${kind}`, options, Object.keys(base));
  const result = { ...base };
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) result[name as keyof O] = value as O[keyof O];
  }
  return result;
}
