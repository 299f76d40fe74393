import type { StateEntry } from '../../engine/engine.js';
import { tagsHead } from '../../models/tagger/head.js';
import type { TaggerModelSettings } from '../../models/tagger/network.js';
import { type TagFields, TagSet } from '../../models/tagger/tagSet.js';
import { Arrays } from './arrays.js';
import { FLOAT, Graph, type Ref } from './graph.js';
import { LEAST } from './pooling.js';
import { embedded, encoded, linear, type RowInputs, rowInputs, wordTable } from './rows.js';
import { bestPath, type Transitions } from './viterbi.js';

/** Vectors of the characters of words: the mean of their features' vectors, `[time, batch, dim]`. */
function ofCharacters(graph: Graph, arrays: Arrays): Ref {
  const features = graph.input('features', 'int64', ['batch', 'time', 'features']);
  const name = 'subwords.weight';
  const table = graph.tensor(name, 'float32', arrays.shape(name), arrays.floats(name));
  const there = graph.op('GreaterOrEqual', [features, graph.int(0)]);
  const vectors = graph.op('Gather', [table, graph.op('Where', [there, features, graph.int(0)])]);
  const shares = graph.op('Cast', [there], { to: FLOAT });
  const [axis, keep] = [graph.ints([2]), { keepdims: 0 }];
  // [batch, time, 1, features] times [batch, time, features, dim].
  const sum = graph.op('Squeeze', [graph.op('MatMul', [graph.op('Unsqueeze', [shares, axis]), vectors]), axis]);
  const count = graph.op('Max', [graph.op('ReduceSum', [shares, axis], keep), graph.float(1)]);
  const mean = graph.op('Div', [sum, graph.op('Unsqueeze', [count, axis])]);
  return graph.op('Transpose', [mean], { perm: [1, 0, 2] });
}

/** The transitions; forbidden ones get a score that no path can outweigh. */
function transitions(graph: Graph, arrays: Arrays, set: TagSet): Transitions {
  const tags = set.tags.length;
  const forbidden = tagsHead(set, { decoder: 'crf' }).forbidden;
  const scores = (name: string, dims: number[], never: Uint8Array | undefined) => {
    // Small enough that the sum of two of them, and of many others, stays finite.
    const values = arrays.floats(name).map((value, at) => (never?.[at] ? LEAST / 8 : value));
    return graph.tensor(name, 'float32', dims, values);
  };
  return {
    start: scores('crf.start_transitions', [tags], forbidden?.start),
    end: scores('crf.end_transitions', [tags], forbidden?.end),
    between: scores('crf.transitions', [tags, tags], forbidden?.between),
    tags,
  };
}

function vectorsOf(graph: Graph, arrays: Arrays, { subwords }: TaggerModelSettings, rows: RowInputs): Ref {
  const words = embedded(graph, wordTable(graph, arrays, ''), rows);
  return subwords ? graph.op('Concat', [words, ofCharacters(graph, arrays)], { axis: 2 }) : words;
}

/**
 * A tagger as a graph. Its outputs are `scores` float32 `[batch, time, tags]`, the network's scores of each token, 0
 * after a row's end, and `tags` int64 `[batch, time]`, the most probable sequence, -1 after a row's end. Its inputs are
 * those of `rowInputs` and, if the network sees the characters of words, `features` int64 `[batch, time, features]`,
 * padded with -1.
 */
export function taggerGraph(settings: TaggerModelSettings, fields: TagFields, state: readonly StateEntry[]): Graph {
  const graph = new Graph('tagger');
  const arrays = new Arrays(state);
  const set = new TagSet(fields);
  const rows = rowInputs(graph);
  const { mask } = rows;
  const { outputs } = encoded(graph, arrays, '', settings, vectorsOf(graph, arrays, settings, rows), rows);
  const scores = graph.op('Where', [mask, linear(graph, arrays, '', 'fc', outputs), graph.float(0)]);
  const best =
    settings.decoder === 'crf'
      ? bestPath(graph, scores, mask, transitions(graph, arrays, set))
      : graph.op('ArgMax', [scores], { axis: 2, keepdims: 1 });
  const tags = graph.op('Squeeze', [graph.op('Where', [mask, best, graph.int(-1)]), graph.ints([2])]);
  graph.output(
    'scores',
    'float32',
    ['batch', 'time', set.tags.length],
    graph.op('Transpose', [scores], { perm: [1, 0, 2] }),
  );
  graph.output('tags', 'int64', ['batch', 'time'], graph.op('Transpose', [tags], { perm: [1, 0] }));
  return graph;
}
