import { RecurraError } from '../../core/errors.js';
import type { Mix } from '../../engine/linear.js';
import type { Arrays } from './arrays.js';
import { FLOAT, type Graph, type Ref } from './graph.js';

/** Lower limit of logarithms, so that a probability of 0 does not decide alone. */
const LEAST_LOG = -1e4;
/** Smallest distance of a probability from 1, where its odds count. */
const LEAST_REST = 1e-7;

/** The linear model's output for a text. */
export interface LinearLogs {
  /** Logarithms of the probabilities, `[batch, labels]`. */
  logs: Ref;
  /** For multi-label models, the logarithms of one minus the probabilities; otherwise undefined. */
  rests: Ref | undefined;
}

/** `ln(1 / (1 + exp(-x)))`. */
function logSigmoid(graph: Graph, x: Ref): Ref {
  return graph.op('Neg', [graph.op('Softplus', [graph.op('Neg', [x])])]);
}

/**
 * The linear model of n-grams, on a text's features: `feature_indices` int64 `[batch, features]` and `feature_values`
 * float32 of the same shape, both padded with 0. Its weights stay 8-bit numbers.
 */
export function linearLogs(graph: Graph, arrays: Arrays, labels: number, multiLabel: boolean): LinearLogs {
  const indices = graph.input('feature_indices', 'int64', ['batch', 'features']);
  const values = graph.input('feature_values', 'float32', ['batch', 'features']);
  const { dtype, shape, data } = arrays.get('linear.weights');
  if (dtype !== 'int8')
    throw new RecurraError('STATE_MISMATCH', `the array linear.weights must have numbers of type int8, not ${dtype}`);
  const outputs = shape[1]!;
  const weights = graph.tensor('linear.weights', 'int8', shape, data);
  const rows = graph.op('Cast', [graph.op('Gather', [weights, indices])], { to: FLOAT });
  // [batch, 1, features] times [batch, features, scores].
  const one = graph.ints([1]);
  const sums = graph.op('Squeeze', [graph.op('MatMul', [graph.op('Unsqueeze', [values, one]), rows]), one]);
  // The temperature is part of both: scores are not probabilities yet.
  const [sharpness] = arrays.floats('linear.sharpness') as unknown as [number];
  const sharp = (name: string) =>
    graph.tensor(
      `linear.${name}`,
      'float32',
      [outputs],
      arrays.floats(`linear.${name}`).map((value) => value * sharpness),
    );
  const scores = graph.op('Add', [graph.op('Mul', [sums, sharp('scales')]), sharp('bias')]);
  const [logs, rests] = [logSigmoid(graph, scores), logSigmoid(graph, graph.op('Neg', [scores]))];
  if (multiLabel) return { logs, rests };
  if (outputs === 1 && labels === 2) return { logs: graph.op('Concat', [rests, logs], { axis: 1 }), rests: undefined };
  return { logs: graph.op('LogSoftmax', [logs], { axis: 1 }), rests: undefined };
}

/** Combines the probabilities of network and linear model as `crates/linear/src/mix.rs` does. */
export function mixed(
  graph: Graph,
  mix: Mix,
  network: Ref | undefined,
  linear: LinearLogs | undefined,
  multiLabel: boolean,
): Ref {
  const terms: Ref[] = [];
  const add = (share: number, value: Ref) =>
    terms.push(graph.op('Mul', [graph.op('Max', [value, graph.float(LEAST_LOG)]), graph.float(mix.sharpness * share)]));
  if (network !== undefined) {
    const logs = graph.op('Log', [network]);
    const rest = () => graph.op('Max', [graph.op('Sub', [graph.float(1), network]), graph.float(LEAST_REST)]);
    add(mix.network, multiLabel ? graph.op('Sub', [logs, graph.op('Log', [rest()])]) : logs);
  }
  if (linear) {
    const { logs, rests } = linear;
    const rest = () => graph.op('Max', [rests!, graph.float(Math.log(LEAST_REST))]);
    add(1 - mix.network, multiLabel ? graph.op('Sub', [logs, rest()]) : logs);
  }
  const sum = terms.length === 1 ? terms[0]! : graph.op('Add', terms);
  return multiLabel ? graph.op('Sigmoid', [sum]) : graph.op('Softmax', [sum], { axis: 1 });
}
