import type { NetworkSettings } from '../../engine/network.js';
import type { Arrays } from './arrays.js';
import { type Graph, INT32, type Ref } from './graph.js';
import { type Encoded, recurrentLayers, type Sequences } from './recurrent.js';

/** The inputs for rows of tokens. */
export interface RowInputs {
  /** int64 `[batch, time]`. */
  ids: Ref;
  /** int64 `[batch]`. */
  lengths: Ref;
  /** bool `[time, batch, 1]`: whether a position is inside its row. */
  mask: Ref;
}

/** The inputs of rows of tokens: `ids` int64 `[batch, time]`, and `lengths` int64 `[batch]`, at least 1 and at most `time`. */
export function rowInputs(graph: Graph): RowInputs {
  const ids = graph.input('ids', 'int64', ['batch', 'time']);
  const lengths = graph.input('lengths', 'int64', ['batch']);
  const time = graph.op('Gather', [graph.op('Shape', [ids]), graph.int(1)]);
  const places = graph.op('Unsqueeze', [graph.op('Range', [graph.int(0), time, graph.int(1)]), graph.ints([1])]);
  const within = graph.op('Less', [places, graph.op('Unsqueeze', [lengths, graph.ints([0])])]);
  return { ids, lengths, mask: graph.op('Unsqueeze', [within, graph.ints([2])]) };
}

/** A linear layer: `x W^T + b`, with the arrays `name.weight` and, if there is one, `name.bias`. */
export function linear(graph: Graph, arrays: Arrays, prefix: string, name: string, x: Ref): Ref {
  const { values, shape } = arrays.transposed(`${name}.weight`);
  const product = graph.op('MatMul', [x, graph.tensor(`${prefix}${name}.weight.T`, 'float32', shape, values)]);
  const bias = `${name}.bias`;
  if (!arrays.has(bias)) return product;
  return graph.op('Add', [
    product,
    graph.tensor(`${prefix}${bias}`, 'float32', arrays.shape(bias), arrays.floats(bias)),
  ]);
}

/** The vectors of tokens, `[time, batch, features]`; `words` is the table. */
export function embedded(graph: Graph, words: Ref, { ids }: Pick<RowInputs, 'ids'>): Ref {
  return graph.op('Gather', [words, graph.op('Transpose', [ids], { perm: [1, 0] })]);
}

/** The table of words as a constant. */
export function wordTable(graph: Graph, arrays: Arrays, prefix: string): Ref {
  const name = 'embedding.weight';
  return graph.tensor(`${prefix}${name}`, 'float32', arrays.shape(name), arrays.floats(name));
}

/** The recurrent layers over vectors `[time, batch, features]`. */
export function encoded(
  graph: Graph,
  arrays: Arrays,
  prefix: string,
  settings: NetworkSettings,
  vectors: Ref,
  { lengths, mask }: Pick<RowInputs, 'lengths' | 'mask'>,
  initial?: readonly Ref[][],
): Encoded {
  const sequences: Sequences = { prefix, vectors, lengths: graph.op('Cast', [lengths], { to: INT32 }), mask };
  return recurrentLayers(graph, arrays, settings, sequences, initial);
}
