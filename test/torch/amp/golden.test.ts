// Values of PyTorch 2.11 under torch.autocast on the CPU, from scripts/golden/autocast.py.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { amp, loadFile, type NamedTensors, nn, type Tensor } from '../../../src/torch/index.js';
import { expectClose } from '../../support/close.js';
import { golden } from '../../support/safetensors.js';

interface Case {
  name: string;
  cell: 'lstm' | 'gru' | 'rnn';
  packed: boolean;
  lengths: number[];
  dtypes: Record<'output' | 'h' | 'logits' | 'loss' | 'grad', string>;
  loss: number;
  lossInFloat32: number;
}

const cases = JSON.parse(readFileSync(join(golden, 'autocast.json'), 'utf8')) as Case[];
const { packPaddedSequence, padPackedSequence } = nn.utils.rnn;
const cells = { lstm: nn.LSTM, gru: nn.GRU, rnn: nn.RNN };
/** A bfloat16 has 8 bits: half a step of the last one, next to 1. */
const HALF_STEP = 2 ** -8;

class Net extends nn.Module {
  embedding = new nn.Embedding(20, 6);
  rnn: nn.LSTM | nn.GRU | nn.RNN;
  fc = new nn.Linear(5, 3);

  constructor(cell: Case['cell']) {
    super();
    this.rnn = new cells[cell](6, 5, { batchFirst: true });
  }

  forward(ids: Tensor, lengths: number[] | undefined): { output: Tensor; h: Tensor; logits: Tensor } {
    const x = this.embedding.forward(ids);
    const rnn = this.rnn as nn.GRU;
    let output: Tensor;
    let state: Tensor | [Tensor, Tensor];
    if (lengths) {
      const packed = packPaddedSequence(x, lengths, { batchFirst: true, enforceSorted: false });
      const [rows, last] = rnn.forward(packed);
      [output, state] = [padPackedSequence(rows, { batchFirst: true })[0], last];
    } else [output, state] = rnn.forward(x);
    const h = Array.isArray(state) ? state[0]! : (state as Tensor);
    return { output, h, logits: this.fc.forward(h.at(-1)) };
  }
}

let values: NamedTensors;
beforeAll(async () => {
  values = (await loadFile(join(golden, 'autocast.safetensors'))).tensors;
});

describe.each(cases)('PyTorch golden case of autocast $name', ({ name, cell, packed, lengths, dtypes, ...one }) => {
  const of = (key: string) => values[`${name}.${key}`]!;
  const make = () => {
    const net = new Net(cell);
    const params = net.namedParameters().map(([key]) => [key, of(`param.${key}`)] as const);
    net.loadStateDict(Object.fromEntries(params));
    return net;
  };
  const run = (net: Net) => {
    const results = net.forward(of('ids'), packed ? lengths : undefined);
    return { ...results, loss: nn.functional.crossEntropy(results.logits, of('labels')) };
  };

  it('has equal dtypes, values and gradients', () => {
    const net = make();
    const results = amp.autocast({ deviceType: 'cpu' }, () => run(net));
    results.loss.backward();
    for (const key of ['output', 'h', 'logits', 'loss'] as const) expect(results[key].dtype, key).toBe(dtypes[key]);
    for (const key of ['output', 'h', 'logits'] as const) expectClose(results[key], of(key), HALF_STEP, key);
    expect(results.loss.item()).toBeCloseTo(one.loss, 3);
    for (const [key, parameter] of net.namedParameters()) {
      expect(parameter.grad!.dtype, key).toBe(dtypes.grad);
      expectClose(parameter.grad, of(`grad.${key}`), HALF_STEP / 2, key);
    }
  });

  it('computes otherwise than in float32', () => {
    const net = make();
    const exact = run(net);
    expect(exact.logits.dtype).toBe('float32');
    expect(exact.loss.item()).toBeCloseTo(one.lossInFloat32, 6);
    const mixed = amp.autocast({ deviceType: 'cpu' }, () => run(net));
    expect(Math.abs(mixed.loss.item() - exact.loss.item())).toBeGreaterThan(1e-6);
  });
});
