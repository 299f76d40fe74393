import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadFile, type nn, noGrad, saveFile, type Tensor } from 'recurra/torch';
import { beforeAll, describe, expect, it } from 'vitest';
import { Layers } from '../../scripts/lesson/layers.js';
import { temporaryFolder } from '../support/folder.js';

// Written by scripts/lesson/state_dict.py: a state dict of every kind of layer, inputs, and outputs.
const FIXTURE = fileURLToPath(new URL('../fixtures/golden/state_dict_layers.safetensors', import.meta.url));
const folder = temporaryFolder();
let all: Record<string, Tensor>;
let state: nn.StateDict;

beforeAll(async () => {
  all = (await loadFile(FIXTURE)).tensors;
  const names = Object.keys(all).filter((name) => name.startsWith('state.'));
  state = Object.fromEntries(names.map((name) => [name.slice('state.'.length), all[name]!]));
});

const described = (tensors: nn.StateDict) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { shape, dtype }]) => [name, `${dtype} [${shape}]`]));

function expectClose(actual: Tensor, expected: Tensor, what: string): void {
  expect(actual.shape, what).toEqual(expected.shape);
  const [a, b] = [actual.toTypedArray() as Float32Array, expected.toTypedArray() as Float32Array];
  for (let i = 0; i < b.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    expect(difference, `${what}, element ${i}`).toBeLessThanOrEqual(1e-5 + 1e-5 * Math.abs(b[i]!));
  }
}

describe('a state dict saved by PyTorch', () => {
  it('has the names, shapes and dtypes of ours, for every kind of layer', () => {
    expect(described(new Layers().stateDict())).toEqual(described(state));
  });

  it('loads by name and gives the outputs that PyTorch computed', () => {
    const layers = new Layers();
    layers.loadStateDict(state);
    const outputs = noGrad(() => layers.forward(all['in.ids']!));
    const expected = Object.keys(all).filter((name) => name.startsWith('out.'));
    expect(Object.keys(outputs).sort()).toEqual(expected.sort());
    for (const name of expected) expectClose(outputs[name]!, all[name]!, name);
  });

  it('comes back from our file as it was', async () => {
    const layers = new Layers();
    layers.loadStateDict(state);
    const path = join(folder, 'state.safetensors');
    await saveFile(layers.stateDict(), path);
    const { tensors } = await loadFile(path);
    expect(described(tensors)).toEqual(described(state));
    for (const [name, value] of Object.entries(tensors)) {
      expect(value.toTypedArray(), name).toEqual(state[name]!.toTypedArray());
    }
  });

  it('of other layers is refused with every difference, and nothing is changed', () => {
    const layers = new Layers();
    const before = layers.getParameter('gru.weight_hh_l0_reverse').toArray();
    const { 'gru.bias_hh_l1': moved, ...rest } = state;
    const wrong = {
      ...rest,
      'gru.bias_hh_l2': moved!,
      'fc.weight': moved!,
      'linear.weight': state['linear.weight']!.t(),
      'lstm_cell.bias_ih': state['lstm_cell.bias_ih']!.to({ dtype: 'float64' }),
    };
    let message = '';
    try {
      layers.loadStateDict(wrong);
    } catch (error) {
      expect(error).toMatchObject({ code: 'STATE_MISMATCH' });
      message = (error as Error).message;
    }
    expect(message).toContain('Missing key(s) in stateDict: "gru.bias_hh_l1".');
    expect(message).toContain('Unexpected key(s) in stateDict: "gru.bias_hh_l2", "fc.weight".');
    expect(message).toContain(
      'size mismatch for linear.weight: copying a param with shape [5, 3] from checkpoint, the shape in current model is [3, 5].',
    );
    expect(layers.getParameter('gru.weight_hh_l0_reverse').toArray()).toEqual(before);
  });
});
