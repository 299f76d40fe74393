import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nn, type Tensor } from '../../src/torch/index.js';
import { golden } from './safetensors.js';

/** A recurrent network that PyTorch computed. */
export interface Case {
  name: string;
  kind: 'RNN' | 'LSTM' | 'GRU';
  nonlinearity: 'tanh' | 'relu' | null;
  inputSize: number;
  hiddenSize: number;
  numLayers: number;
  bidirectional: boolean;
  projSize: number;
  bias: boolean;
  packed: boolean;
  lengths: number[] | null;
}

/** All of them; the values of each are in a file of its name. */
export const cases = JSON.parse(readFileSync(join(golden, 'recurrent.json'), 'utf8')) as Case[];
const { padPackedSequence, PackedSequence } = nn.utils.rnn;

/** The layer of a case. */
export function makeLayer(one: Case, dtype: 'float32' | 'float64' = 'float32') {
  const { numLayers, bidirectional, bias } = one;
  const options = { numLayers, bidirectional, bias, batchFirst: true, dtype };
  if (one.kind === 'LSTM') return new nn.LSTM(one.inputSize, one.hiddenSize, { ...options, projSize: one.projSize });
  if (one.kind === 'GRU') return new nn.GRU(one.inputSize, one.hiddenSize, options);
  return new nn.RNN(one.inputSize, one.hiddenSize, { ...options, nonlinearity: one.nonlinearity ?? 'tanh' });
}

type AnyLayer = { forward(input: unknown, hx?: unknown): [unknown, Tensor | [Tensor, Tensor]] };

/** Its outputs and final states. */
export function run(layer: nn.Module, input: unknown, one: Case, h0?: Tensor, c0?: Tensor) {
  const hx = one.kind === 'LSTM' && h0 ? [h0, c0] : h0;
  const [output, state] = (layer as unknown as AnyLayer).forward(input, hx);
  const [hn, cn] = Array.isArray(state) ? state : [state, undefined];
  const padded = output instanceof PackedSequence ? padPackedSequence(output, { batchFirst: true })[0] : output;
  return { output: padded as Tensor, hn, cn };
}
