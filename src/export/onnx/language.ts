import type { StateEntry } from '../../engine/engine.js';
import { type LanguageNetworkSettings, languageHead } from '../../models/language/network.js';
import { Arrays } from './arrays.js';
import { Graph, type Ref } from './graph.js';
import { embedded, encoded, linear, rowInputs, wordTable } from './rows.js';

/** Logarithms of the probabilities of all units by an adaptive softmax, `[time, batch, units]`. */
function adaptive(graph: Graph, arrays: Arrays, outputs: Ref): Ref {
  const last = { axis: 2 };
  const groups = 2;
  const head = graph.op('LogSoftmax', [linear(graph, arrays, '', 'adaptive.head', outputs)], last);
  const shortlist = arrays.shape('adaptive.head.weight')[0]! - groups;
  const [first, ...ofGroups] = graph.ops('Split', [head, graph.ints([shortlist, 1, 1])], 1 + groups, last) as [
    Ref,
    ...Ref[],
  ];
  const tails = ofGroups.map((group, number) => {
    const narrow = linear(graph, arrays, '', `adaptive.tail.${number}.0`, outputs);
    const scores = linear(graph, arrays, '', `adaptive.tail.${number}.1`, narrow);
    return graph.op('Add', [graph.op('LogSoftmax', [scores], last), group]);
  });
  return graph.op('Concat', [first, ...tails], last);
}

/** The same by one softmax, whose weights may be the vectors of the units. */
function full(graph: Graph, arrays: Arrays, tied: Ref | undefined, outputs: Ref): Ref {
  let scores: Ref;
  if (tied === undefined) {
    scores = linear(graph, arrays, '', 'fc', outputs);
  } else {
    const weights = graph.op('Transpose', [tied], { perm: [1, 0] });
    const bias = graph.tensor('fc.bias', 'float32', arrays.shape('fc.bias'), arrays.floats('fc.bias'));
    scores = graph.op('Add', [graph.op('MatMul', [outputs, weights]), bias]);
  }
  return graph.op('LogSoftmax', [scores], { axis: 2 });
}

/**
 * A language model as a graph. Its inputs are those of `rowInputs` and the initial states of rows: `h` float32
 * `[layers, batch, hidden]` and, for the LSTM, `c`, all zeros at the start of a text. Its outputs are
 * `log_probabilities` float32 `[batch, time, units]`, those of the next unit at each position, and the states after
 * each row's last unit, `next_h` and `next_c`.
 */
export function languageGraph(settings: LanguageNetworkSettings, units: number, state: readonly StateEntry[]): Graph {
  const graph = new Graph('language');
  const arrays = new Arrays(state);
  const rows = rowInputs(graph);
  const { numLayers, hiddenSize, cell, tieWeights } = settings;
  const names = cell === 'lstm' ? ['h', 'c'] : ['h'];
  const dims = [numLayers, 'batch', hiddenSize];
  const given = names.map((name) => {
    const states = graph.input(name, 'float32', dims);
    if (numLayers === 1) return [states];
    const ones = graph.ints(new Array<number>(numLayers).fill(1));
    return graph.ops('Split', [states, ones], numLayers, { axis: 0 });
  });
  const initial = Array.from({ length: numLayers }, (_, layer) => given.map((states) => states[layer]!));
  const words = wordTable(graph, arrays, '');
  const { outputs, finals } = encoded(graph, arrays, '', settings, embedded(graph, words, rows), rows, initial);
  const head = languageHead(units, settings);
  const logs =
    head.kind === 'tags' && head.decoder === 'adaptive'
      ? adaptive(graph, arrays, outputs)
      : full(graph, arrays, tieWeights ? words : undefined, outputs);
  graph.output(
    'log_probabilities',
    'float32',
    ['batch', 'time', units],
    graph.op('Transpose', [logs], { perm: [1, 0, 2] }),
  );
  for (const [at, name] of names.entries()) {
    const parts = finals.map((states) => states[at]!);
    const states = parts.length === 1 ? parts[0]! : graph.op('Concat', parts, { axis: 0 });
    graph.output(`next_${name}`, 'float32', dims, states);
  }
  return graph;
}
