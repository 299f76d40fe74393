import { ModelFileError } from '../core/errors.js';
import type { Cell } from '../engine/network.js';
import type { StateArray } from './torchFile.js';

/** A network of `nn.Embedding`, `nn.LSTM`, `nn.GRU` or `nn.RNN`, and `nn.Linear`. */
export interface NetworkParts {
  embedding: StateArray;
  cell: Cell;
  hiddenSize: number;
  numLayers: number;
  bidirectional: boolean;
  /** The weights of the recurrent layers under PyTorch's names, without their prefix. */
  recurrent: ReadonlyMap<string, StateArray>;
  weight: StateArray;
  bias: StateArray | undefined;
}

const RECURRENT = /^(.*?)((?:weight|bias)_(?:ih|hh|hr)_l(\d+)(?:_reverse)?)$/s;
const GATES: Readonly<Record<number, Cell>> = { 1: 'rnn', 3: 'gru', 4: 'lstm' };

const EXPECTED =
  'a network of one nn.Embedding, one nn.LSTM, nn.GRU or nn.RNN (of one layer or several, in one direction or both), and one nn.Linear';

/** Arrays with their shapes, for a message; at most the first few. */
function listed(arrays: readonly StateArray[]): string {
  const shown = arrays.slice(0, 12).map(({ name, shape }) => `${name} [${shape.join(', ')}]`);
  return shown.join(', ') + (arrays.length > shown.length ? ` and ${arrays.length - shown.length} more` : '');
}

/**
 * Finds the parts of a network among the arrays of a state dict, by the names that the recurrent layers have in PyTorch and by shapes.
 *
 * @param words - Words of the vocabulary: the embedding has at least that many rows.
 * @throws {@link ModelFileError} `INVALID_FILE` naming the arrays if there is no such network, or anything else.
 */
export function networkParts(arrays: readonly StateArray[], path: string, words: number): NetworkParts {
  const fail = (what: string): never => {
    throw new ModelFileError('INVALID_FILE', `${path}: expected ${EXPECTED}, but ${what}`);
  };
  const recurrent = new Map<string, StateArray>();
  const prefixes = new Set<string>();
  const others: StateArray[] = [];
  let layers = 0;
  for (const array of arrays) {
    const [, prefix, name, layer] = RECURRENT.exec(array.name) ?? [];
    if (name === undefined) others.push(array);
    else {
      recurrent.set(name, array);
      prefixes.add(prefix!);
      layers = Math.max(layers, Number(layer) + 1);
    }
  }
  if (recurrent.size === 0) fail(`its arrays are ${listed(arrays)}`);
  if (prefixes.size > 1) fail(`there are ${prefixes.size} recurrent modules: ${[...prefixes].join(', ')}`);
  const [first, state] = [recurrent.get('weight_ih_l0'), recurrent.get('weight_hh_l0')];
  const hiddenSize = state?.shape[1] ?? 0;
  const cell = GATES[(state?.shape[0] ?? 0) / hiddenSize];
  if (!first || !state || !cell || first.shape.length !== 2)
    return fail(`its recurrent layers have the arrays ${listed([...recurrent.values()])}`);
  const bidirectional = recurrent.has('weight_ih_l0_reverse');
  const embeddingDim = first.shape[1]!;
  checkRecurrent(recurrent, { layers, bidirectional, rows: state.shape[0]!, hiddenSize, embeddingDim }, fail);
  const features = hiddenSize * (bidirectional ? 2 : 1);
  const matrices = others.filter(({ shape }) => shape.length === 2);
  const embeddings = matrices.filter(({ shape }) => shape[1] === embeddingDim && shape[0]! >= words);
  const linears = matrices.filter(({ shape }) => shape[1] === features);
  // If both match both shapes, names distinguish them: a linear layer usually has a bias.
  const named = (array: StateArray) => /emb/i.test(array.name);
  const embedding = only(embeddings, named) ?? only(embeddings, (array) => !biasOf(array, others));
  const weight = only(
    linears.filter((array) => array !== embedding),
    (array) => !named(array),
  );
  if (!embedding) {
    const rows = matrices
      .filter(({ shape }) => shape[1] === embeddingDim)
      .map(({ name, shape }) => `${name} has ${shape[0]}`);
    const what = rows.length > 0 ? `; ${rows.join(', ')}, and the vocabulary has ${words} words` : '';
    return fail(`there is no single embedding of vectors of ${embeddingDim} for them among ${listed(others)}${what}`);
  }
  if (!weight) return fail(`there is no single linear layer on ${features} features among ${listed(others)}`);
  const bias = biasOf(weight, others);
  const left = others.filter((array) => array !== embedding && array !== weight && array !== bias);
  if (left.length > 0) fail(`there is more: ${listed(left)}`);
  return { embedding, cell, hiddenSize, numLayers: layers, bidirectional, recurrent, weight, bias };
}

/** The only one of some arrays, or of those that `preferred` selects; undefined if there is not exactly one. */
function only(arrays: readonly StateArray[], preferred: (array: StateArray) => boolean): StateArray | undefined {
  const found = arrays.length > 1 ? arrays.filter(preferred) : arrays;
  return found.length === 1 ? found[0] : undefined;
}

function biasOf({ name, shape }: StateArray, others: readonly StateArray[]): StateArray | undefined {
  const bias = `${name.replace(/weight$/, '')}bias`;
  return others.find((other) => other.name === bias && other.shape.length === 1 && other.shape[0] === shape[0]);
}

interface RecurrentShapes {
  layers: number;
  bidirectional: boolean;
  rows: number;
  hiddenSize: number;
  embeddingDim: number;
}

/** Every layer must have the arrays of the first one, in matching shapes. */
function checkRecurrent(
  recurrent: ReadonlyMap<string, StateArray>,
  { layers, bidirectional, rows, hiddenSize, embeddingDim }: RecurrentShapes,
  fail: (what: string) => never,
): void {
  const directions = bidirectional ? ['', '_reverse'] : [''];
  const biases = recurrent.has('bias_ih_l0');
  let expected = 0;
  if (layers > 64) fail(`it has ${layers} recurrent layers; at most 64 are supported`);
  for (let layer = 0; layer < layers; layer++) {
    for (const direction of directions) {
      const inputs = layer === 0 ? embeddingDim : hiddenSize * directions.length;
      const shapes: [string, number[]][] = [
        ['weight_ih', [rows, inputs]],
        ['weight_hh', [rows, hiddenSize]],
        ...(biases
          ? ([
              ['bias_ih', [rows]],
              ['bias_hh', [rows]],
            ] as [string, number[]][])
          : []),
      ];
      for (const [kind, shape] of shapes) {
        const name = `${kind}_l${layer}${direction}`;
        const found = recurrent.get(name)?.shape;
        if (String(found) !== String(shape))
          fail(found ? `${name} has the shape [${found.join(', ')}], not [${shape.join(', ')}]` : `${name} is missing`);
        expected++;
      }
    }
  }
  if (recurrent.size !== expected) fail(`its recurrent layers have the arrays ${listed([...recurrent.values()])}`);
}
