import { checkFlag, checkInteger, checkOptions, checkProbability } from '../../core/checks.js';
import { invalidArgument, mismatch } from '../../core/errors.js';
import { type NativeTensor, torch } from '../../native/torch.js';
import { isTensor, nativeOf, wrap } from '../tensor/base.js';
import { zeros } from '../tensor/create.js';
import { shapeText } from '../tensor/dtype.js';
import { tidy } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkExactShape, checkFactory, checkLikeWeight, type FactoryOptions } from './check.js';
import { uniform_ } from './init.js';
import { Module, optionsRepr } from './module.js';
import { Parameter } from './parameter.js';
import { PackedSequence, packedOf, planOf } from './utils/packedSequence.js';

/** Options of all recurrent layers. */
export interface RecurrentOptions extends FactoryOptions {
  /** Number of layers, each but the first fed by the one before. Default 1. */
  numLayers?: number;
  /** Whether biases are added. Default `true`. */
  bias?: boolean;
  /** Whether input and output are `[batch, time, features]` rather than `[time, batch, features]`. Default `false`. */
  batchFirst?: boolean;
  /** Probability of dropout on the output of each layer but the last, in training. Default 0. */
  dropout?: number;
  /** Whether a second set of weights runs backwards in time; outputs are concatenated. Default `false`. */
  bidirectional?: boolean;
}

/**
 * Names of the options of all recurrent layers.
 *
 * @internal
 */
export const RECURRENT_OPTIONS: readonly string[] = [
  'numLayers',
  'bias',
  'batchFirst',
  'dropout',
  'bidirectional',
  'dtype',
  'device',
];

/** Names of the recurrences in the binding. */
export type RecurrentMode = 'RNN_TANH' | 'RNN_RELU' | 'LSTM' | 'GRU';

/** What {@link RecurrentBase} gives its layers. */
export interface RecurrentResult {
  /** Outputs of the last layer. */
  output: Tensor | PackedSequence;
  /** Final states: h, and of an LSTM c. */
  states: Tensor[];
}

/**
 * What `RNN`, `LSTM` and `GRU` have in common. Not made directly.
 *
 * Parameters are named as PyTorch's, in its order: for layer k and direction `weight_ih_lk`, `weight_hh_lk`,
 * `bias_ih_lk`, `bias_hh_lk` (and `weight_hr_lk` with a projection), the backward direction with `_reverse` after them.
 * Initial values are U(-s, s) with s = 1 / sqrt(hiddenSize).
 */
export abstract class RecurrentBase extends Module {
  /** Weights by PyTorch's names: `weight_ih_l0`, `weight_hh_l1_reverse`, `weight_hr_l0`. */
  [weight: `weight_${string}`]: Parameter;
  /** Biases by PyTorch's names: `bias_ih_l0`, `bias_hh_l1_reverse`. */
  [bias: `bias_${string}`]: Parameter;
  /** Size of the features of the input. */
  readonly inputSize: number;
  /** Size of the hidden state. */
  readonly hiddenSize: number;
  /** Number of layers. */
  readonly numLayers: number;
  /** Whether there are biases. */
  readonly bias: boolean;
  /** Whether input and output are `[batch, time, features]`. */
  readonly batchFirst: boolean;
  /** Probability of dropout between layers. */
  readonly dropout: number;
  /** Whether there is a backward direction. */
  readonly bidirectional: boolean;
  /** Size of the output after projection; 0 without one. */
  readonly projSize: number;
  readonly #mode: RecurrentMode;
  readonly #parameterNames: string[] = [];

  /** @internal */
  constructor(
    kind: string,
    mode: RecurrentMode,
    inputSize: number,
    hiddenSize: number,
    options: RecurrentOptions | undefined,
    projSize = 0,
  ) {
    super();
    const {
      numLayers = 1,
      bias = true,
      batchFirst = false,
      dropout = 0,
      bidirectional = false,
      ...rest
    } = checkOptions(`options of ${kind}`, options, RECURRENT_OPTIONS);
    const { dtype, device } = checkFactory(kind, rest);
    this.#mode = mode;
    this.inputSize = checkInteger(`inputSize of ${kind}`, inputSize, 1);
    this.hiddenSize = checkInteger(`hiddenSize of ${kind}`, hiddenSize, 1);
    this.numLayers = checkInteger(`numLayers of ${kind}`, numLayers, 1);
    this.bias = checkFlag(`bias of ${kind}`, bias);
    this.batchFirst = checkFlag(`batchFirst of ${kind}`, batchFirst);
    this.dropout = checkProbability(`dropout of ${kind}`, dropout);
    this.bidirectional = checkFlag(`bidirectional of ${kind}`, bidirectional);
    this.projSize = checkInteger(`projSize of ${kind}`, projSize, 0);
    if (projSize >= hiddenSize)
      throw invalidArgument(
        `projSize of ${kind}`,
        `an integer less than hiddenSize ${hiddenSize}`,
        projSize,
        'OUT_OF_RANGE',
      );
    if (dropout > 0 && numLayers === 1) {
      process.emitWarning(
        `dropout of ${kind} acts on the output of every layer but the last, so that dropout ${dropout} with numLayers 1 does nothing; use nn.Dropout on the output, or more layers`,
        'RecurraWarning',
      );
    }
    const bound = 1 / Math.sqrt(hiddenSize);
    for (const [name, shape] of this.#layout()) {
      this.#parameterNames.push(name);
      (this as unknown as Record<string, Parameter>)[name] = tidy(
        () => new Parameter(uniform_(zeros(shape, { dtype }), -bound, bound).to({ device })),
      );
    }
    this.flattenParameters();
  }

  /**
   * Packs all weights on a GPU into one contiguous buffer, as cuDNN expects; does nothing on the CPU. The layer does it
   * itself when it is made or moved with {@link to}; needed only after a weight was replaced by another.
   */
  flattenParameters(): void {
    if (this.#first().device === 'cpu') return;
    const { bias, numLayers, bidirectional, batchFirst } = this;
    torch().flattenRnnWeights(this.#mode, this.#weights(), bias, numLayers, bidirectional, batchFirst);
  }

  protected override moved(): void {
    this.flattenParameters();
  }

  *#layout(): Iterable<[string, number[]]> {
    const { inputSize, hiddenSize, projSize, numLayers, bidirectional, bias } = this;
    const gates = { RNN_TANH: 1, RNN_RELU: 1, GRU: 3, LSTM: 4 }[this.#mode] * hiddenSize;
    const outputSize = projSize || hiddenSize;
    for (let layer = 0; layer < numLayers; layer++) {
      const layerInput = layer === 0 ? inputSize : outputSize * (bidirectional ? 2 : 1);
      for (const suffix of bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`]) {
        yield [`weight_ih_${suffix}`, [gates, layerInput]];
        yield [`weight_hh_${suffix}`, [gates, outputSize]];
        if (bias) {
          yield [`bias_ih_${suffix}`, [gates]];
          yield [`bias_hh_${suffix}`, [gates]];
        }
        if (projSize > 0) yield [`weight_hr_${suffix}`, [projSize, hiddenSize]];
      }
    }
  }

  /** @internal */
  protected run(input: Tensor | PackedSequence, initial: readonly Tensor[] | undefined): RecurrentResult {
    return tidy(() =>
      input instanceof PackedSequence ? this.#runPacked(input, initial) : this.#runPadded(input, initial),
    );
  }

  #runPacked(input: PackedSequence, initial: readonly Tensor[] | undefined): RecurrentResult {
    const { data } = input;
    const kind = this.constructor.name;
    checkLikeWeight(`data of the packed input of ${kind}`, data, this.#first());
    if (data.ndim !== 2 || data.shape[1] !== this.inputSize) {
      throw mismatch(
        `data of the packed input of ${kind}`,
        `shape [total, ${this.inputSize}]`,
        `shape ${shapeText(data.shape)}`,
        'INVALID_SHAPE',
      );
    }
    const hx = initial === undefined ? [] : this.#initial(initial, input.batchSize);
    const plan = planOf(input);
    if (plan !== null) {
      const [output, ...states] = this.#native(data, hx, null, null, plan);
      return { output: packedOf(output!), states: states.map((state) => wrap(state)) };
    }
    const { batchSizes, sortedIndices, unsortedIndices } = input;
    const [output, ...states] = this.#native(data, hx, batchSizes, sortedIndices).map((native) => wrap(native));
    return { output: new PackedSequence(output!, batchSizes, sortedIndices, unsortedIndices), states };
  }

  #runPadded(input: Tensor, initial: readonly Tensor[] | undefined): RecurrentResult {
    const kind = this.constructor.name;
    if (!isTensor(input)) throw invalidArgument(`input of ${kind}`, 'a Tensor or a PackedSequence', input);
    checkLikeWeight(`input of ${kind}`, input, this.#first());
    if ((input.ndim !== 2 && input.ndim !== 3) || input.shape.at(-1) !== this.inputSize) {
      const layout = this.batchFirst ? 'batch, time' : 'time, batch';
      throw mismatch(
        `input of ${kind}`,
        `shape [${layout}, ${this.inputSize}] or [time, ${this.inputSize}]`,
        `shape ${shapeText(input.shape)}`,
        'INVALID_SHAPE',
      );
    }
    const batchDim = this.batchFirst ? 0 : 1;
    if (input.ndim === 2) {
      // One sequence without a batch dimension; its states have none either.
      initial?.forEach((state, i) => {
        checkExactShape(
          `${i === 0 ? 'h' : 'c'} of hx of ${kind}`,
          state,
          this.#stateShape(i),
          '[layers * directions, size] (the input has no batch dimension)',
        );
      });
      const one = this.#runPadded(
        input.unsqueeze(batchDim),
        initial?.map((state) => state.unsqueeze(1)),
      );
      return { output: (one.output as Tensor).squeeze(batchDim), states: one.states.map((state) => state.squeeze(1)) };
    }
    if (input.numel() === 0)
      throw mismatch(
        `input of ${kind}`,
        'at least one sequence and one step',
        `shape ${shapeText(input.shape)}`,
        'INVALID_SHAPE',
      );
    const hx = initial === undefined ? [] : this.#initial(initial, input.shape[batchDim]!);
    const [output, ...states] = this.#native(input, hx).map((native) => wrap(native));
    return { output: output!, states };
  }

  // Without states they are zeros; with an order, row order[b] of them belongs to the packed row b. A handle that knows how the
  // input is packed replaces batch sizes and order.
  #native(
    input: Tensor,
    states: readonly Tensor[],
    batchSizes: Int32Array | null = null,
    order: Int32Array | null = null,
    plan: NativeTensor | null = null,
  ): NativeTensor[] {
    const { bias, numLayers, dropout, training, bidirectional, batchFirst } = this;
    return torch().rnn(
      this.#mode,
      nativeOf(input),
      batchSizes,
      states.map((state) => nativeOf(state)),
      this.#weights(),
      bias,
      numLayers,
      dropout,
      training,
      bidirectional,
      batchFirst,
      order,
      plan,
    );
  }

  #weights() {
    return this.#parameterNames.map((name) => nativeOf((this as unknown as Record<string, Parameter>)[name]!));
  }

  #first(): Parameter {
    return (this as unknown as Record<string, Parameter>)[this.#parameterNames[0]!]!;
  }

  #stateShape(state: number, ...batch: number[]): number[] {
    return [
      this.numLayers * (this.bidirectional ? 2 : 1),
      ...batch,
      state === 0 && this.projSize > 0 ? this.projSize : this.hiddenSize,
    ];
  }

  // libtorch does not check states of packed input, and can crash on wrong ones.
  #initial(initial: readonly Tensor[], batch: number): readonly Tensor[] {
    const weight = this.#first();
    initial.forEach((state, i) => {
      const name = `${i === 0 ? 'h' : 'c'} of hx of ${this.constructor.name}`;
      checkExactShape(name, state, this.#stateShape(i, batch), '[layers * directions, batch, size]');
      checkLikeWeight(name, state, weight);
    });
    return initial;
  }

  protected override extraRepr(): string {
    const { inputSize, hiddenSize, projSize, numLayers, bias, batchFirst, dropout, bidirectional } = this;
    const defaults = { projSize: 0, numLayers: 1, bias: true, batchFirst: false, dropout: 0, bidirectional: false };
    return optionsRepr(
      `${inputSize}, ${hiddenSize}`,
      { projSize, numLayers, bias, batchFirst, dropout, bidirectional },
      defaults,
    );
  }
}
