import type { StateEntry } from '../../engine/engine.js';
import { byMember, LINEAR_PREFIX, memberPrefix } from '../../engine/memberNames.js';
import type { ClassifierFields } from '../../models/classifier/description.js';
import type { ModelSettings } from '../../models/classifier/network.js';
import { partsOf } from '../reading.js';
import { Arrays } from './arrays.js';
import { linearLogs, mixed } from './expert.js';
import { Graph, type Ref } from './graph.js';
import { pooled } from './pooling.js';
import { embedded, encoded, linear, type RowInputs, rowInputs, wordTable } from './rows.js';

/** One network of a classifier: the probabilities of the labels, `[batch, labels]`. */
function network(graph: Graph, arrays: Arrays, prefix: string, settings: ModelSettings, rows: RowInputs): Ref {
  const vectors = embedded(graph, wordTable(graph, arrays, prefix), rows);
  const outputs = encoded(graph, arrays, prefix, settings, vectors, rows);
  const features = pooled(graph, arrays, prefix, settings.pooling, outputs, rows);
  const logits = linear(graph, arrays, prefix, 'fc', features);
  return settings.multiLabel ? graph.op('Sigmoid', [logits]) : graph.op('Softmax', [logits], { axis: 1 });
}

/**
 * A classifier as a graph. It gives `probabilities` float32 `[batch, labels]`; its inputs are those of its parts, see `rowInputs` and
 * `linearLogs`.
 */
export function classifierGraph(
  settings: ModelSettings,
  { labels, linear: mix, recurrent, members }: ClassifierFields,
  state: readonly StateEntry[],
): Graph {
  const graph = new Graph('classifier');
  const parts = partsOf({ recurrent, linear: mix });
  const isLinear = ({ name }: StateEntry) => name.startsWith(LINEAR_PREFIX);
  let probabilities: Ref | undefined;
  if (parts.network) {
    const rows = rowInputs(graph);
    const networks = byMember(
      state.filter((array) => !isLinear(array)),
      members,
    );
    const each = networks.map((own, member) => network(graph, new Arrays(own), memberPrefix(member), settings, rows));
    probabilities = each.length === 1 ? each[0]! : graph.op('Mean', each);
  }
  if (mix !== undefined) {
    const { multiLabel } = settings;
    const logs = parts.linear
      ? linearLogs(graph, new Arrays(state.filter(isLinear)), labels.length, multiLabel)
      : undefined;
    probabilities = mixed(graph, mix, probabilities, logs, multiLabel);
  }
  graph.output('probabilities', 'float32', ['batch', labels.length], probabilities!);
  return graph;
}
