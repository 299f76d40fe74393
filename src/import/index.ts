import { checkFilled } from '../core/checks.js';
import { constraint, ModelFileError, RecurraError } from '../core/errors.js';
import { checkNames, settingsOf } from '../core/options/table.js';
import { throwIfAborted } from '../core/signals.js';
import { Turns } from '../core/turns.js';
import type { StateEntry } from '../engine/engine.js';
import { TextClassifier } from '../models/classifier/classifier.js';
import { modelSettings } from '../models/classifier/network.js';
import { tokenSettings } from '../text/options.js';
import { IMPORT, type ImportOptions } from './options.js';
import { type NetworkParts, networkParts } from './parts.js';
import { readStateDict } from './stateDict.js';
import { fittedVocab } from './tokens.js';
import type { StateArray } from './torchFile.js';
import { readList, readVocabulary } from './vocabulary.js';

export type { ImportedPooling, ImportOptions } from './options.js';

/** A model that was trained elsewhere. */
export interface ImportedModel {
  /** A classifier that answers as the network did. The caller closes it. */
  model: TextClassifier;
  /** Notes about it, each a sentence. */
  notes: readonly string[];
}

const WHAT = 'the import';

/** A float32 array as an entry of a model's state. */
function entry(name: string, shape: number[], values: Float32Array): StateEntry {
  return { name, dtype: 'float32', shape, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

/** Appends a row. */
function withRow(values: Float32Array, row: Float32Array, first: boolean): Float32Array {
  const all = new Float32Array(values.length + row.length);
  all.set(values, first ? row.length : 0);
  all.set(row, first ? 0 : values.length);
  return all;
}

/** The weights under the names of a model's file. */
function stateOf(parts: NetworkParts, extended: boolean): { state: StateEntry[]; outputs: number } {
  const { embedding, recurrent, weight, bias, hiddenSize, numLayers, bidirectional } = parts;
  const [rows, dim] = embedding.shape as [number, number];
  const words = extended ? withRow(embedding.values, new Float32Array(dim), false) : embedding.values;
  const state = [entry('embedding.weight', [rows + (extended ? 1 : 0), dim], words)];
  for (const [name, { shape, values }] of recurrent) state.push(entry(`rnn.${name}`, [...shape], values));
  if (!recurrent.has('bias_ih_l0')) {
    const gates = recurrent.get('weight_ih_l0')!.shape[0]!;
    for (let layer = 0; layer < numLayers; layer++)
      for (const direction of bidirectional ? ['', '_reverse'] : [''])
        for (const kind of ['bias_ih', 'bias_hh'])
          state.push(entry(`rnn.${kind}_l${layer}${direction}`, [gates], new Float32Array(gates)));
  }
  const features = hiddenSize * (bidirectional ? 2 : 1);
  const [outputs] = weight.shape as [number, number];
  const biases = bias?.values ?? new Float32Array(outputs);
  // One output with a sigmoid equals two with a softmax, the first of them zero: sigmoid(z) = e^z / (e^0 + e^z).
  const one = outputs === 1;
  const labels = one ? 2 : outputs;
  state.push(
    entry(
      'fc.weight',
      [labels, features],
      one ? withRow(weight.values, new Float32Array(features), true) : weight.values,
    ),
    entry('fc.bias', [labels], one ? withRow(biases, new Float32Array(1), true) : biases),
  );
  return { state, outputs: labels };
}

async function labelsFor(given: string | readonly string[] | undefined, outputs: number): Promise<readonly string[]> {
  if (given === undefined) return Array.from({ length: outputs }, (_, i) => String(i));
  const labels = typeof given === 'string' ? await readList(given) : given;
  if (labels.length !== outputs)
    throw constraint('labels', `there are ${labels.length} labels, but the linear layer has ${outputs} outputs`);
  if (new Set(labels).size !== labels.length) throw constraint('labels', 'labels must be different from each other');
  return labels;
}

/** Elements that are looked at between two looks at the clock. */
const ELEMENTS_A_LOOK = 65_536;

/** Refuses weights that are not finite: no text would have an answer. */
async function checkFinite(arrays: readonly StateArray[], path: string, turns: Turns): Promise<void> {
  for (const { name, values } of arrays) {
    for (let start = 0; start < values.length; start += ELEMENTS_A_LOOK) {
      const bad = values.subarray(start, start + ELEMENTS_A_LOOK).find((value) => !Number.isFinite(value));
      if (bad !== undefined)
        throw new ModelFileError('INVALID_FILE', `${path}: ${name} has the number ${bad}; expected finite weights`);
      if (turns.due) await turns.next();
    }
  }
}

/**
 * Turns a network trained by PyTorch into a classifier: a plain `nn.Embedding`, then `nn.LSTM`, `nn.GRU` or `nn.RNN`
 * (with tanh) of one or more layers in one or both directions, then pooling and `nn.Linear`. The layers are found by
 * PyTorch's parameter names and by their shapes, whatever the module's attribute names. A linear layer with one output
 * counts as a sigmoid for the second of two labels.
 *
 * Texts are read without padding, so answers are those of packed sequences.
 *
 * @param path - A state dict: a file of `torch.save(model.state_dict(), path)`, or one of safetensors. Nothing in it is executed.
 * @param options - See {@link ImportOptions}.
 * @throws {@link ModelFileError} for a file that is missing, damaged, not a state dict, or of another network; the
 * message lists its arrays.
 * @throws {@link DataError} for a file of words or labels that cannot be read.
 * @throws {@link ArgumentError} for an option that does not match the network.
 * @throws {@link RecurraError} `ABORTED` if the signal is aborted.
 *
 * @example
 * ```ts
 * const { model, notes } = await importModel('lstm.pt', { vocab: 'vocab.txt', labels: ['no', 'yes'], pooling: 'last' });
 * await model.save('lstm.safetensors');
 * ```
 */
export async function importModel(path: string, options: ImportOptions): Promise<ImportedModel> {
  checkFilled('path', path, 'the path of a state dict');
  checkNames('importModel', options, IMPORT);
  const settings = settingsOf(IMPORT, options);
  const { pooling, multiLabel, maxLength, tokenizer, threads, signal } = settings;
  const vocabFile = checkFilled('vocab', settings.vocab, 'the path of a file of words');
  const turns = new Turns(signal, undefined, WHAT);
  const words = await readVocabulary(vocabFile);
  turns.restart();
  const arrays = await readStateDict(path, turns);
  throwIfAborted(signal, WHAT);
  await checkFinite(arrays, path, turns);
  const parts = networkParts(arrays, path, words.size);
  const rows = parts.embedding.shape[0]!;
  const { vocab, extended, notes } = fittedVocab(words, rows, settings.unknown, settings.padding);
  const { state, outputs } = stateOf(parts, extended);
  if (multiLabel && parts.weight.shape[0] === 1)
    throw constraint(
      'multiLabel',
      'multiLabel needs at least two outputs; one output distinguishes two labels without it',
    );
  const labels = await labelsFor(settings.labels, outputs);
  throwIfAborted(signal, WHAT);
  const { cell, hiddenSize, numLayers, bidirectional, embedding } = parts;
  const network = {
    cell,
    hiddenSize,
    numLayers,
    bidirectional,
    embeddingDim: embedding.shape[1]!,
    pooling,
    multiLabel,
  };
  try {
    const given = {
      settings: modelSettings(network),
      text: tokenSettings({ tokenizer, maxLength }),
      vocab,
      labels,
      state,
    };
    return { model: await TextClassifier.fromWeights(given, threads), notes };
  } catch (error) {
    if (!(error instanceof RecurraError) || error.code !== 'STATE_MISMATCH') throw error;
    throw new ModelFileError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}
