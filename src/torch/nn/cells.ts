import { checkChoice, checkFlag, checkInteger, checkOptions } from '../../core/checks.js';
import { invalidArgument, mismatch } from '../../core/errors.js';
import { torch } from '../../native/torch.js';
import { checkTensor, nativeOf, wrap } from '../tensor/base.js';
import { zeros } from '../tensor/create.js';
import { shapeText } from '../tensor/dtype.js';
import { tidy } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkExactShape, checkFactory, checkLikeWeight, type FactoryOptions } from './check.js';
import { uniform_ } from './init.js';
import { Module, optionsRepr } from './module.js';
import { Parameter } from './parameter.js';
import type { RecurrentMode } from './recurrentBase.js';

/** Options of the cells. */
export interface CellOptions extends FactoryOptions {
  /** Whether biases are added. Default `true`. */
  bias?: boolean;
}

/** Options of {@link RNNCell}. */
export interface RNNCellOptions extends CellOptions {
  /** `tanh` (default) or `relu`. */
  nonlinearity?: 'tanh' | 'relu';
}

/**
 * Base class of the cells, single steps of the recurrent layers. Initial values are those of the layers.
 */
export abstract class RecurrentCell extends Module {
  /** Size of the features of the input. */
  readonly inputSize: number;
  /** Size of the hidden state. */
  readonly hiddenSize: number;
  /** `[gates * hiddenSize, inputSize]`. */
  weight_ih: Parameter;
  /** `[gates * hiddenSize, hiddenSize]`. */
  weight_hh: Parameter;
  /** `[gates * hiddenSize]`, or `null`. */
  bias_ih: Parameter | null;
  /** `[gates * hiddenSize]`, or `null`. */
  bias_hh: Parameter | null;

  /** @internal */
  constructor(kind: string, gates: number, inputSize: number, hiddenSize: number, options: CellOptions | undefined) {
    super();
    const { bias = true, ...rest } = checkOptions(`options of ${kind}`, options, ['bias', 'dtype', 'device']);
    checkFlag(`bias of ${kind}`, bias);
    const { dtype, device } = checkFactory(kind, rest);
    this.inputSize = checkInteger(`inputSize of ${kind}`, inputSize, 1);
    this.hiddenSize = checkInteger(`hiddenSize of ${kind}`, hiddenSize, 1);
    const bound = 1 / Math.sqrt(hiddenSize);
    const make = (shape: number[]) =>
      tidy(() => new Parameter(uniform_(zeros(shape, { dtype }), -bound, bound).to({ device })));
    // In PyTorch's order of registration, so that a seed gives PyTorch's values.
    this.weight_ih = make([gates * hiddenSize, inputSize]);
    this.weight_hh = make([gates * hiddenSize, hiddenSize]);
    this.bias_ih = bias ? make([gates * hiddenSize]) : null;
    this.bias_hh = bias ? make([gates * hiddenSize]) : null;
  }

  /** @internal */
  protected step(mode: RecurrentMode, input: Tensor, initial: readonly Tensor[] | undefined): Tensor[] {
    const kind = this.constructor.name;
    checkTensor(`input of ${kind}`, input);
    checkLikeWeight(`input of ${kind}`, input, this.weight_ih);
    if ((input.ndim !== 1 && input.ndim !== 2) || input.shape.at(-1) !== this.inputSize) {
      throw mismatch(
        `input of ${kind}`,
        `shape [batch, ${this.inputSize}] or [${this.inputSize}]`,
        `shape ${shapeText(input.shape)}`,
        'INVALID_SHAPE',
      );
    }
    const stateShape = [...input.shape.slice(0, -1), this.hiddenSize];
    return tidy(() => {
      const { dtype, device } = this.weight_ih;
      const states =
        initial ?? Array.from({ length: mode === 'LSTM' ? 2 : 1 }, () => zeros(stateShape, { dtype, device }));
      states.forEach((state, i) => {
        const name = `${i === 0 ? 'h' : 'c'} of hx of ${kind}`;
        checkExactShape(name, state, stateShape, input.ndim === 1 ? '[hiddenSize]' : '[batch, hiddenSize]');
        checkLikeWeight(name, state, this.weight_ih);
      });
      const rows = (tensor: Tensor) => nativeOf(input.ndim === 1 ? tensor.unsqueeze(0) : tensor);
      const { weight_ih, weight_hh, bias_ih, bias_hh } = this;
      const biases = [bias_ih, bias_hh].map((bias) => (bias ? nativeOf(bias) : null)) as [null, null];
      const result = torch().rnnCell(
        mode,
        rows(input),
        states.map(rows),
        nativeOf(weight_ih),
        nativeOf(weight_hh),
        ...biases,
      );
      return result.map((native) => wrap(native)).map((state) => (input.ndim === 1 ? state.squeeze(0) : state));
    });
  }

  protected override extraRepr(): string {
    return optionsRepr(`${this.inputSize}, ${this.hiddenSize}`, { bias: this.bias_ih !== null }, { bias: true });
  }
}

/**
 * One step of an Elman RNN.
 *
 * @example
 * ```ts
 * const cell = new nn.RNNCell(10, 20);
 * cell.forward(randn([3, 10])).shape; // [3, 20]
 * ```
 */
export class RNNCell extends RecurrentCell {
  /** `tanh` or `relu`. */
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputSize: number, hiddenSize: number, options?: RNNCellOptions) {
    const { nonlinearity = 'tanh', ...rest } = checkOptions('options of RNNCell', options, [
      'nonlinearity',
      'bias',
      'dtype',
      'device',
    ]);
    checkChoice('nonlinearity of RNNCell', nonlinearity, ['tanh', 'relu']);
    super('RNNCell', 1, inputSize, hiddenSize, rest);
    this.nonlinearity = nonlinearity;
  }

  protected override extraRepr(): string {
    return optionsRepr(super.extraRepr(), { nonlinearity: this.nonlinearity }, { nonlinearity: 'tanh' });
  }

  /**
   * `[batch, inputSize]` and a state `[batch, hiddenSize]` (zeros by default) give the next state. Also without batch
   * dimension.
   */
  forward(input: Tensor, hx?: Tensor): Tensor {
    return this.step(
      this.nonlinearity === 'tanh' ? 'RNN_TANH' : 'RNN_RELU',
      input,
      hx === undefined ? undefined : [hx],
    )[0]!;
  }
}

/**
 * One step of an LSTM.
 *
 * @example
 * ```ts
 * const cell = new nn.LSTMCell(10, 20);
 * const [h, c] = cell.forward(randn([3, 10]));
 * const [next] = cell.forward(randn([3, 10]), [h, c]);
 * next.shape; // [3, 20]
 * ```
 */
export class LSTMCell extends RecurrentCell {
  constructor(inputSize: number, hiddenSize: number, options?: CellOptions) {
    super('LSTMCell', 4, inputSize, hiddenSize, options);
  }

  /**
   * `[batch, inputSize]` and states h, c of `[batch, hiddenSize]` (zeros by default) give the next states. Also without
   * batch dimension.
   */
  forward(input: Tensor, hx?: [h: Tensor, c: Tensor]): [h: Tensor, c: Tensor] {
    if (hx !== undefined && (!Array.isArray(hx) || hx.length !== 2))
      throw invalidArgument('hx of LSTMCell', 'the two states [h, c]', hx);
    return this.step('LSTM', input, hx) as [Tensor, Tensor];
  }
}

/**
 * One step of a GRU.
 *
 * @example
 * ```ts
 * const cell = new nn.GRUCell(10, 20);
 * cell.forward(randn([3, 10])).shape; // [3, 20]
 * ```
 */
export class GRUCell extends RecurrentCell {
  constructor(inputSize: number, hiddenSize: number, options?: CellOptions) {
    super('GRUCell', 3, inputSize, hiddenSize, options);
  }

  /**
   * `[batch, inputSize]` and a state `[batch, hiddenSize]` (zeros by default) give the next state. Also without batch
   * dimension.
   */
  forward(input: Tensor, hx?: Tensor): Tensor {
    return this.step('GRU', input, hx === undefined ? undefined : [hx])[0]!;
  }
}
