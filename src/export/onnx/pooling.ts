import type { Pooling } from '../../engine/network.js';
import type { Arrays } from './arrays.js';
import { FLOAT, type Graph, type Ref } from './graph.js';
import type { Encoded } from './recurrent.js';
import { linear, type RowInputs } from './rows.js';

/** Less than any output or score, but finite: its softmax is 0. */
export const LEAST = -3e38;

/** Pools each row's outputs, over its own tokens only, into one vector: `[batch, features]`. */
export function pooled(
  graph: Graph,
  arrays: Arrays,
  prefix: string,
  pooling: Pooling,
  { outputs, finals }: Encoded,
  { lengths, mask }: RowInputs,
): Ref {
  const time = graph.ints([0]);
  switch (pooling) {
    case 'last': {
      const [h] = finals.at(-1)!;
      // [directions, batch, hidden] to [batch, directions * hidden].
      return graph.op('Flatten', [graph.op('Transpose', [h!], { perm: [1, 0, 2] })], { axis: 1 });
    }
    case 'mean': {
      const sum = graph.op('ReduceSum', [graph.op('Where', [mask, outputs, graph.float(0)]), time], { keepdims: 0 });
      return graph.op('Div', [
        sum,
        graph.op('Unsqueeze', [graph.op('Cast', [lengths], { to: FLOAT }), graph.ints([1])]),
      ]);
    }
    case 'max':
      return graph.op('ReduceMax', [graph.op('Where', [mask, outputs, graph.float(LEAST)])], {
        axes: [0],
        keepdims: 0,
      });
    case 'attention': {
      const hidden = graph.op('Tanh', [linear(graph, arrays, prefix, 'attention.proj', outputs)]);
      const scores = linear(graph, arrays, prefix, 'attention.query', hidden);
      const shares = graph.op('Softmax', [graph.op('Where', [mask, scores, graph.float(LEAST)])], { axis: 0 });
      const own = graph.op('Where', [mask, outputs, graph.float(0)]);
      return graph.op('ReduceSum', [graph.op('Mul', [shares, own]), time], { keepdims: 0 });
    }
  }
}
