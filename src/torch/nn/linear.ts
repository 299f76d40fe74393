import { checkFlag, checkInteger, checkOptions } from '../../core/checks.js';
import { zeros } from '../tensor/create.js';
import { tidy } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFactory, type FactoryOptions } from './check.js';
import { linear } from './functional.js';
import { kaimingUniform_, uniform_ } from './init.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';

/** Options of {@link Linear}. */
export interface LinearOptions extends FactoryOptions {
  /** Whether a bias is added. Default `true`. */
  bias?: boolean;
}

/**
 * `x @ weight^T + bias`: `[.., inFeatures]` gives `[.., outFeatures]`. Initial values are U(-k, k) with k = 1 /
 * sqrt(inFeatures).
 *
 * @example
 * ```ts
 * const fc = new nn.Linear(64, 4);
 * fc.forward(randn([16, 64])).shape; // [16, 4]
 * ```
 */
export class Linear extends Module {
  /** Size of the last dimension of the input. */
  readonly inFeatures: number;
  /** Size of the last dimension of the output. */
  readonly outFeatures: number;
  /** `[outFeatures, inFeatures]`. */
  weight: Parameter;
  /** `[outFeatures]`, or `null`. */
  bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options?: LinearOptions) {
    super();
    const { bias = true, ...rest } = checkOptions('options of Linear', options, ['bias', 'dtype', 'device']);
    checkFlag('bias of Linear', bias);
    const { dtype, device } = checkFactory('Linear', rest);
    this.inFeatures = checkInteger('inFeatures of Linear', inFeatures, 1);
    this.outFeatures = checkInteger('outFeatures of Linear', outFeatures, 1);
    // Weight before bias, by torch.nn.Linear.reset_parameters' own bounds, so that a seed gives PyTorch's values.
    this.weight = tidy(
      () =>
        new Parameter(kaimingUniform_(zeros([outFeatures, inFeatures], { dtype }), { a: Math.sqrt(5) }).to({ device })),
    );
    const bound = 1 / Math.sqrt(inFeatures);
    this.bias = bias
      ? tidy(() => new Parameter(uniform_(zeros([outFeatures], { dtype }), -bound, bound).to({ device })))
      : null;
  }

  /** `[.., inFeatures]` gives `[.., outFeatures]`. */
  forward(input: Tensor): Tensor {
    return linear(input, this.weight, this.bias);
  }

  protected override extraRepr(): string {
    return `inFeatures=${this.inFeatures}, outFeatures=${this.outFeatures}, bias=${this.bias !== null}`;
  }
}
