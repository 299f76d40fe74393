import { checkChoice, checkInteger, checkOptions } from '../../core/checks.js';
import { mismatch } from '../../core/errors.js';
import { checkTensor } from '../tensor/base.js';
import { zeros } from '../tensor/create.js';
import { shapeText } from '../tensor/dtype.js';
import { noGrad } from '../tensor/grad.js';
import { tidy } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkExactShape, checkFactory, type FactoryOptions } from './check.js';
import { type EmbeddingBagMode, embedding, embeddingBag } from './functional.js';
import { Module, optionsRepr } from './module.js';
import { resolvePadding } from './padding.js';
import { Parameter } from './parameter.js';

/** Options of {@link Embedding}. */
export interface EmbeddingOptions extends FactoryOptions {
  /** Row that stays zero: its initial value and its gradient are zero. Counted from the end if negative. */
  paddingIdx?: number | undefined;
  /**
   * Vectors, `[numEmbeddings, embeddingDim]`, to use instead of random ones; their memory is shared. They determine
   * dtype and device.
   */
  weight?: Tensor | undefined;
}

/** Options of {@link EmbeddingBag}. */
export interface EmbeddingBagLayerOptions extends EmbeddingOptions {
  /** Reduction of a bag's vectors. Default `mean`. */
  mode?: EmbeddingBagMode;
}

/** Options of `fromPretrained`. */
export interface PretrainedOptions {
  /** Whether the vectors are frozen. Default `true`. */
  freeze?: boolean;
  /** Row whose gradient is zero; its given values stay. */
  paddingIdx?: number | undefined;
}

// Drawn on the CPU from PyTorch's generator, as torch.nn.Embedding.reset_parameters does.
function initialWeight(
  where: string,
  rows: number,
  dim: number,
  padding: number,
  options: EmbeddingOptions,
): Parameter {
  if (options.weight !== undefined) {
    checkExactShape(`weight of ${where}`, options.weight, [rows, dim], '[numEmbeddings, embeddingDim]');
    return new Parameter(options.weight);
  }
  const factory = checkFactory(where, options);
  return tidy(() =>
    noGrad(() => {
      const weight = zeros([rows, dim], { dtype: factory.dtype }).normal_();
      if (padding >= 0) weight.select(0, padding).zero_();
      return new Parameter(weight.to({ device: factory.device }));
    }),
  );
}

function pretrainedSize(weight: Tensor): [number, number] {
  checkTensor('weight of fromPretrained', weight);
  if (weight.ndim !== 2)
    throw mismatch(
      'weight of fromPretrained',
      'shape [rows, dim]',
      `shape ${shapeText(weight.shape)}`,
      'INVALID_SHAPE',
    );
  return weight.shape as unknown as [number, number];
}

/**
 * A table of vectors, looked up by id: ids `[..]` give `[.., embeddingDim]`. Initial values are N(0, 1).
 *
 * @example
 * ```ts
 * const embedding = new nn.Embedding(vocab.size, 64, { paddingIdx: 1 });
 * embedding.forward(tensor([[5, 2, 1]])).shape; // [1, 3, 64]
 * ```
 */
export class Embedding extends Module {
  /** Number of vectors. */
  readonly numEmbeddings: number;
  /** Size of each vector. */
  readonly embeddingDim: number;
  /** Row that stays zero, if there is one. */
  readonly paddingIdx: number | undefined;
  /** The vectors, `[numEmbeddings, embeddingDim]`. */
  weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingOptions) {
    super();
    const { paddingIdx, ...rest } = checkOptions('options of Embedding', options, [
      'paddingIdx',
      'weight',
      'dtype',
      'device',
    ]);
    this.numEmbeddings = checkInteger('numEmbeddings of Embedding', numEmbeddings, 1);
    this.embeddingDim = checkInteger('embeddingDim of Embedding', embeddingDim, 1);
    const padding = resolvePadding(paddingIdx, numEmbeddings);
    this.paddingIdx = padding < 0 ? undefined : padding;
    this.weight = initialWeight('Embedding', numEmbeddings, embeddingDim, padding, rest);
  }

  /** An embedding of given vectors, `[rows, dim]`, whose memory it shares. */
  static fromPretrained(weight: Tensor, options?: PretrainedOptions): Embedding {
    const { freeze = true, paddingIdx } = checkOptions('options of fromPretrained', options, [
      'freeze',
      'paddingIdx',
      'mode',
    ]);
    const result = new Embedding(...pretrainedSize(weight), { weight, paddingIdx });
    result.requiresGrad_(!freeze);
    return result;
  }

  /** Vectors at the ids, int64 or int32 of any shape. */
  forward(ids: Tensor): Tensor {
    return embedding(ids, this.weight, { paddingIdx: this.paddingIdx });
  }

  protected override extraRepr(): string {
    return optionsRepr(`${this.numEmbeddings}, ${this.embeddingDim}`, { paddingIdx: this.paddingIdx });
  }
}

/**
 * One vector per bag of ids, without materialising a vector per id: the sum, mean or maximum of the vectors of a bag.
 *
 * @example
 * ```ts
 * const bag = new nn.EmbeddingBag(vocab.size, 64);
 * bag.forward(tensor([4, 8, 15, 16]), new Int32Array([0, 1])).shape; // [2, 64]
 * ```
 */
export class EmbeddingBag extends Module {
  /** Number of vectors. */
  readonly numEmbeddings: number;
  /** Size of each vector. */
  readonly embeddingDim: number;
  /** Ids to ignore, if any. */
  readonly paddingIdx: number | undefined;
  /** Reduction of a bag's vectors. */
  readonly mode: EmbeddingBagMode;
  /** The vectors, `[numEmbeddings, embeddingDim]`. */
  weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingBagLayerOptions) {
    super();
    const {
      mode = 'mean',
      paddingIdx,
      ...rest
    } = checkOptions('options of EmbeddingBag', options, ['mode', 'paddingIdx', 'weight', 'dtype', 'device']);
    this.mode = checkChoice('mode of EmbeddingBag', mode, ['sum', 'mean', 'max']);
    this.numEmbeddings = checkInteger('numEmbeddings of EmbeddingBag', numEmbeddings, 1);
    this.embeddingDim = checkInteger('embeddingDim of EmbeddingBag', embeddingDim, 1);
    const padding = resolvePadding(paddingIdx, numEmbeddings);
    this.paddingIdx = padding < 0 ? undefined : padding;
    this.weight = initialWeight('EmbeddingBag', numEmbeddings, embeddingDim, padding, rest);
  }

  /** A bag of given vectors, `[rows, dim]`, whose memory it shares. */
  static fromPretrained(weight: Tensor, options?: PretrainedOptions & { mode?: EmbeddingBagMode }): EmbeddingBag {
    const { freeze = true, ...rest } = checkOptions('options of fromPretrained', options, [
      'freeze',
      'paddingIdx',
      'mode',
    ]);
    const result = new EmbeddingBag(...pretrainedSize(weight), { weight, ...rest });
    result.requiresGrad_(!freeze);
    return result;
  }

  /**
   * Vectors of the bags, `[bags, embeddingDim]`: of ids `[bags, length]`, or of ids `[total]` with `offsets`, where
   * each bag begins. `perSampleWeights` (of the ids' shape, mode `sum` only) multiply the vectors.
   */
  forward(ids: Tensor, offsets?: Tensor | Int32Array | readonly number[] | null, perSampleWeights?: Tensor): Tensor {
    return embeddingBag(ids, this.weight, offsets, { mode: this.mode, paddingIdx: this.paddingIdx, perSampleWeights });
  }

  protected override extraRepr(): string {
    const { numEmbeddings, embeddingDim, mode, paddingIdx } = this;
    return optionsRepr(`${numEmbeddings}, ${embeddingDim}, mode='${mode}'`, { paddingIdx });
  }
}
