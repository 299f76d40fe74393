import { checkChoice, checkOptions } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { RECURRENT_OPTIONS, RecurrentBase, type RecurrentOptions } from './recurrentBase.js';
import type { PackedSequence } from './utils/packedSequence.js';

/** Options of {@link RNN}. */
export interface RNNOptions extends RecurrentOptions {
  /** `tanh` (default) or `relu`. */
  nonlinearity?: 'tanh' | 'relu';
}

/** Options of {@link LSTM}. */
export interface LSTMOptions extends RecurrentOptions {
  /** Size to which each output is projected, less than the hidden size; 0 (default) for none. */
  projSize?: number;
}

/**
 * State of an LSTM: h `[layers * directions, batch, projSize || hiddenSize]` and c `[layers * directions, batch,
 * hiddenSize]`.
 */
export type LSTMState = [h: Tensor, c: Tensor];

/**
 * Elman RNN: `h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh)`, or relu in place of tanh.
 *
 * @example
 * ```ts
 * const rnn = new nn.RNN(64, 32, { batchFirst: true });
 * const [output, h] = rnn.forward(randn([16, 20, 64])); // [16, 20, 32], [1, 16, 32]
 * ```
 */
export class RNN extends RecurrentBase {
  /** `tanh` or `relu`. */
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputSize: number, hiddenSize: number, options?: RNNOptions) {
    const { nonlinearity = 'tanh', ...rest } = checkOptions('options of RNN', options, [
      ...RECURRENT_OPTIONS,
      'nonlinearity',
    ]);
    checkChoice('nonlinearity of RNN', nonlinearity, ['tanh', 'relu']);
    super('RNN', nonlinearity === 'tanh' ? 'RNN_TANH' : 'RNN_RELU', inputSize, hiddenSize, rest);
    this.nonlinearity = nonlinearity;
  }

  /**
   * All outputs of the last layer, `[time, batch, directions * hiddenSize]` (batch first with `batchFirst`, packed if
   * the input is), and the final states `[layers * directions, batch, hiddenSize]`, in the batch's original order.
   * `hx`: initial state of that shape, zeros by default.
   */
  forward(input: PackedSequence, hx?: Tensor): [output: PackedSequence, h: Tensor];
  forward(input: Tensor, hx?: Tensor): [output: Tensor, h: Tensor];
  forward(input: Tensor | PackedSequence, hx?: Tensor): [output: Tensor | PackedSequence, h: Tensor] {
    const { output, states } = this.run(input, hx === undefined ? undefined : [hx]);
    return [output, states[0]!];
  }
}

/**
 * Long short-term memory, gates in the order input, forget, cell, output; with `projSize` the projected one of Sak et
 * al. (2014).
 *
 * @example
 * ```ts
 * const lstm = new nn.LSTM(64, 32, { batchFirst: true });
 * const packed = nn.utils.rnn.packPaddedSequence(x, lengths, { batchFirst: true, enforceSorted: false });
 * const [, [h]] = lstm.forward(packed);
 * h.at(-1).shape; // [batch, 32]
 * ```
 */
export class LSTM extends RecurrentBase {
  constructor(inputSize: number, hiddenSize: number, options?: LSTMOptions) {
    const { projSize = 0, ...rest } = checkOptions('options of LSTM', options, [...RECURRENT_OPTIONS, 'projSize']);
    super('LSTM', 'LSTM', inputSize, hiddenSize, rest, projSize);
  }

  /**
   * All outputs of the last layer, `[time, batch, directions * (projSize || hiddenSize)]` (batch first with
   * `batchFirst`, packed if the input is), and the final states h and c, in the batch's original order. `hx`: initial
   * states, zeros by default.
   */
  forward(input: PackedSequence, hx?: LSTMState): [output: PackedSequence, state: LSTMState];
  forward(input: Tensor, hx?: LSTMState): [output: Tensor, state: LSTMState];
  forward(input: Tensor | PackedSequence, hx?: LSTMState): [output: Tensor | PackedSequence, state: LSTMState] {
    if (hx !== undefined && (!Array.isArray(hx) || hx.length !== 2))
      throw invalidArgument('hx of LSTM', 'the two states [h, c]', hx);
    const { output, states } = this.run(input, hx);
    return [output, states as LSTMState];
  }
}

/**
 * Gated recurrent unit, gates in the order reset, update, new, as PyTorch (and cuDNN) define it.
 *
 * @example
 * ```ts
 * const gru = new nn.GRU(64, 32, { batchFirst: true, bidirectional: true });
 * const [output, h] = gru.forward(randn([16, 20, 64]));
 * output.shape; // [16, 20, 64]
 * h.shape; // [2, 16, 32]
 * ```
 */
export class GRU extends RecurrentBase {
  constructor(inputSize: number, hiddenSize: number, options?: RecurrentOptions) {
    super('GRU', 'GRU', inputSize, hiddenSize, options);
  }

  /**
   * All outputs of the last layer, `[time, batch, directions * hiddenSize]` (batch first with `batchFirst`, packed if
   * the input is), and the final states `[layers * directions, batch, hiddenSize]`, in the batch's original order.
   * `hx`: initial state of that shape, zeros by default.
   */
  forward(input: PackedSequence, hx?: Tensor): [output: PackedSequence, h: Tensor];
  forward(input: Tensor, hx?: Tensor): [output: Tensor, h: Tensor];
  forward(input: Tensor | PackedSequence, hx?: Tensor): [output: Tensor | PackedSequence, h: Tensor] {
    const { output, states } = this.run(input, hx === undefined ? undefined : [hx]);
    return [output, states[0]!];
  }
}
