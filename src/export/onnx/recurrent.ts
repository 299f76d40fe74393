import type { Cell, NetworkSettings } from '../../engine/network.js';
import type { Arrays } from './arrays.js';
import { FLOAT, Graph, type Ref, type Steps } from './graph.js';

/**
 * Position in PyTorch's weights of each ONNX block: i, o, f, c in i, f, g, o for the LSTM; z, r, h in r, z, n for the
 * GRU. minGRU has no operator.
 */
const BLOCKS: Readonly<Record<Exclude<Cell, 'mingru'>, readonly number[]>> = {
  rnn: [0],
  lstm: [0, 3, 1, 2],
  gru: [1, 0, 2],
};

const OPERATORS: Readonly<Record<Exclude<Cell, 'mingru'>, string>> = { rnn: 'RNN', lstm: 'LSTM', gru: 'GRU' };

/** Vectors of a batch `[time, batch, features]`, with a mask of the rows. */
export interface Sequences {
  /** Prefix of the names of the layers' constants; `''` for a single network. */
  prefix: string;
  /** `[time, batch, features]`. */
  vectors: Ref;
  /** Vectors of each row, int32 `[batch]`. */
  lengths: Ref;
  /** Whether a position is inside its row, bool `[time, batch, 1]`. */
  mask: Ref;
}

/** Outputs of the recurrent layers. */
export interface Encoded {
  /** Outputs of the last layer, `[time, batch, hidden * directions]`; undefined after a row's end. */
  outputs: Ref;
  /** Final states of each layer, `[directions, batch, hidden]`, followed by those of the LSTM's cells. */
  finals: Ref[][];
}

type Shape = Pick<NetworkSettings, 'cell' | 'hiddenSize' | 'numLayers' | 'bidirectional'>;

/** The recurrent layers. ONNX operators take the lengths of rows, so they match PyTorch with a packed batch. */
export function recurrentLayers(
  graph: Graph,
  arrays: Arrays,
  shape: Shape,
  { vectors, ...rows }: Sequences,
  initial?: readonly Ref[][],
): Encoded {
  const finals: Ref[][] = [];
  let outputs = vectors;
  for (let layer = 0; layer < shape.numLayers; layer++) {
    const given = { ...rows, vectors: outputs };
    const made =
      shape.cell === 'mingru'
        ? minGru(graph, arrays, shape, layer, given, initial?.[layer]?.[0])
        : operator(graph, arrays, shape, shape.cell, layer, given, initial?.[layer]);
    outputs = made.outputs;
    finals.push(made.finals);
  }
  return { outputs, finals };
}

const suffixes = (layer: number, { bidirectional }: Shape) =>
  bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`];

/**
 * Arrays of some kinds in all directions, concatenated, each with its blocks of hidden rows in ONNX order. Pauses after
 * each block.
 */
function* stacked(
  arrays: Arrays,
  kinds: readonly string[],
  names: readonly string[],
  blocks: readonly number[],
  total: number,
): Steps {
  const values = new Float32Array(total);
  let at = 0;
  for (const name of names) {
    for (const kind of kinds) {
      const from = arrays.floats(`rnn.${kind}_${name}`);
      const size = from.length / blocks.length;
      for (const block of blocks) {
        values.set(from.subarray(block * size, (block + 1) * size), at);
        at += size;
        yield;
      }
    }
  }
  return values;
}

interface Layer {
  outputs: Ref;
  finals: Ref[];
}

function operator(
  graph: Graph,
  arrays: Arrays,
  shape: Shape,
  cell: Exclude<Cell, 'mingru'>,
  layer: number,
  { prefix, vectors, lengths }: Sequences,
  initial: readonly Ref[] | undefined,
): Layer {
  const blocks = BLOCKS[cell];
  const names = suffixes(layer, shape);
  const { hiddenSize } = shape;
  const stack = (kinds: readonly string[], dims: readonly number[]) => {
    const shape = [names.length, ...dims];
    const total = shape.reduce((product, dim) => product * dim, 1);
    const [kind] = kinds;
    const name = `${prefix}rnn.${kind === 'bias_ih' ? 'bias' : kind}_l${layer}`;
    return graph.tensor(name, 'float32', shape, stacked(arrays, kinds, names, blocks, total));
  };
  const rows = blocks.length * hiddenSize;
  const inputs = arrays.shape(`rnn.weight_ih_${names[0]}`)[1]!;
  const weights = stack(['weight_ih'], [rows, inputs]);
  const recurrent = stack(['weight_hh'], [rows, hiddenSize]);
  const biases = stack(['bias_ih', 'bias_hh'], [2 * rows]);
  const [y, h, c] = graph.ops(
    OPERATORS[cell],
    [vectors, weights, recurrent, biases, lengths, ...(initial ?? [])],
    cell === 'lstm' ? 3 : 2,
    {
      hidden_size: hiddenSize,
      direction: names.length === 2 ? 'bidirectional' : 'forward',
      // As in PyTorch, the reset gate acts after the product with the old state, including the bias.
      ...(cell === 'gru' && { linear_before_reset: 1 }),
    },
  ) as [Ref, Ref, Ref | undefined];
  // [time, directions, batch, hidden] to [time, batch, directions * hidden].
  const outputs = graph.op('Reshape', [
    graph.op('Transpose', [y], { perm: [0, 2, 1, 3] }),
    graph.ints([0, 0, names.length * hiddenSize]),
  ]);
  return { outputs, finals: c === undefined ? [h] : [h, c] };
}

/** The step of minGRU: `h + z (n - h)`, with a gate of zero after a row's end, where the state stays. */
function minGruBody(hiddenSize: number): Graph {
  const body = new Graph('minGRU');
  const dims = ['batch', hiddenSize];
  const old = body.input('minGRU/h', 'float32', dims);
  const gate = body.input('minGRU/z', 'float32', dims);
  const candidate = body.input('minGRU/n', 'float32', dims);
  const next = body.op('Add', [old, body.op('Mul', [gate, body.op('Sub', [candidate, old])])]);
  body.output('minGRU/next', 'float32', dims, next);
  body.output('minGRU/y', 'float32', dims, next);
  return body;
}

function minGru(
  graph: Graph,
  arrays: Arrays,
  shape: Shape,
  layer: number,
  { prefix, vectors, mask }: Sequences,
  initial: Ref | undefined,
): Layer {
  const { hiddenSize } = shape;
  const axis = graph.ints([0]);
  const within = graph.op('Cast', [mask], { to: FLOAT });
  const batch = graph.op('Slice', [graph.op('Shape', [vectors]), graph.ints([1]), graph.ints([2])]);
  const zeros = () =>
    graph.op('Expand', [graph.float(0), graph.op('Concat', [batch, graph.ints([hiddenSize])], { axis: 0 })]);
  const made = suffixes(layer, shape).map((name, direction) => {
    const { values, shape: dims } = arrays.transposed(`rnn.weight_ih_${name}`);
    const weight = graph.tensor(`${prefix}rnn.weight_ih_${name}.T`, 'float32', dims, values);
    const bias = graph.tensor(
      `${prefix}rnn.bias_ih_${name}`,
      'float32',
      [2 * hiddenSize],
      arrays.floats(`rnn.bias_ih_${name}`),
    );
    const gates = graph.op('Add', [graph.op('MatMul', [vectors, weight]), bias]);
    const [z, candidate] = graph.ops('Split', [gates, graph.ints([hiddenSize, hiddenSize])], 2, { axis: 2 }) as [
      Ref,
      Ref,
    ];
    const gate = graph.op('Mul', [graph.op('Sigmoid', [z]), within]);
    const from = initial === undefined ? zeros() : graph.op('Squeeze', [initial, axis]);
    const [last, outputs] = graph.ops('Scan', [from, gate, candidate], 2, {
      body: minGruBody(hiddenSize),
      num_scan_inputs: 2,
      scan_input_directions: [direction, direction],
      scan_output_directions: [direction],
    }) as [Ref, Ref];
    return { last: graph.op('Unsqueeze', [last, axis]), outputs };
  });
  const join = (refs: Ref[], along: number) =>
    refs.length === 1 ? refs[0]! : graph.op('Concat', refs, { axis: along });
  return {
    outputs: join(
      made.map(({ outputs }) => outputs),
      2,
    ),
    finals: [
      join(
        made.map(({ last }) => last),
        0,
      ),
    ],
  };
}
