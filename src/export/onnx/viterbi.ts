import { Graph, type Ref } from './graph.js';

/** Scores of transitions as constants of the graph: `[tags]`, `[tags]`, and `[from, to]`. */
export interface Transitions {
  start: Ref;
  end: Ref;
  between: Ref;
  tags: number;
}

/**
 * A forward step: the best score of each tag, and the previous tag that gives it. After a row's end nothing changes.
 */
function forward({ between, tags }: Transitions): Graph {
  const body = new Graph('viterbi');
  const best = body.input('viterbi/best', 'float32', ['batch', tags]);
  const scores = body.input('viterbi/scores', 'float32', ['batch', tags]);
  const within = body.input('viterbi/within', 'bool', ['batch', 1]);
  // [batch, from, to].
  const paths = body.op('Add', [body.op('Unsqueeze', [best, body.ints([2])]), between]);
  const next = body.op('Add', [body.op('ReduceMax', [paths], { axes: [1], keepdims: 0 }), scores]);
  const before = body.op('ArgMax', [paths], { axis: 1, keepdims: 0 });
  const own = body.tensor(
    'viterbi/own',
    'int64',
    [1, tags],
    BigInt64Array.from({ length: tags }, (_, tag) => BigInt(tag)),
  );
  body.output('viterbi/next', 'float32', ['batch', tags], body.op('Where', [within, next, best]));
  body.output('viterbi/before', 'int64', ['batch', tags], body.op('Where', [within, before, own]));
  return body;
}

/** A backward step: the current tag, and the one before it. */
function backward(tags: number): Graph {
  const body = new Graph('path');
  const tag = body.input('path/tag', 'int64', ['batch', 1]);
  const before = body.input('path/before', 'int64', ['batch', tags]);
  body.output('path/next', 'int64', ['batch', 1], body.op('GatherElements', [before, tag], { axis: 1 }));
  body.output('path/here', 'int64', ['batch', 1], tag);
  return body;
}

/**
 * The most probable tags of each row by a linear chain: `[time, batch, 1]`, int64.
 *
 * @param scores - Scores of each tag at each token, `[time, batch, tags]`.
 * @param mask - Whether a position is inside its row, `[time, batch, 1]`.
 */
export function bestPath(graph: Graph, scores: Ref, mask: Ref, transitions: Transitions): Ref {
  const time = graph.op('Gather', [graph.op('Shape', [scores]), graph.int(0)]);
  const places = graph.op('Range', [graph.int(0), time, graph.int(1)]);
  // The first token has no transition before it: its step keeps the initial scores.
  const later = graph.op('Unsqueeze', [graph.op('Greater', [places, graph.int(0)]), graph.ints([1, 2])]);
  const first = graph.op('Gather', [scores, graph.int(0)], { axis: 0 });
  const [best, before] = graph.ops(
    'Scan',
    [graph.op('Add', [first, transitions.start]), scores, graph.op('And', [mask, later])],
    2,
    { body: forward(transitions), num_scan_inputs: 2 },
  ) as [Ref, Ref];
  const last = graph.op('ArgMax', [graph.op('Add', [best, transitions.end])], { axis: 1, keepdims: 1 });
  const [, path] = graph.ops('Scan', [last, before], 2, {
    body: backward(transitions.tags),
    num_scan_inputs: 1,
    scan_input_directions: [1],
    scan_output_directions: [1],
  }) as [Ref, Ref];
  return path;
}
