import { constraint, DataError, RecurraError } from '../../core/errors.js';
import type { StateEntry } from '../../engine/engine.js';
import { classifierFile } from '../../models/classifier/description.js';
import { kindOf, type Metadata, parseDescription } from '../../models/description.js';
import { languageFile } from '../../models/language/description.js';
import { taggerFile } from '../../models/tagger/description.js';
import { packageVersion } from '../../native/addon.js';
import { light } from '../../native/light.js';
import type { Vocab } from '../../text/vocab.js';
import type { ExportForm } from '../format.js';
import { linearReading, partsOf, type Reading, textReading, vocabularyReading } from '../reading.js';
import { filesBeside } from './beside.js';
import { classifierGraph } from './classifier.js';
import type { Graph } from './graph.js';
import { languageGraph } from './language.js';
import { taggerGraph } from './tagger.js';

/** Operator set version: that of ONNX 1.12, supported by runtimes since 2022. */
const OPSET = 17;

/** What a model's graph and its featurizer are made from. */
interface Described {
  metadata: Readonly<Record<string, string>>;
  description: Metadata;
  state: readonly StateEntry[];
  vocab: Vocab;
}

/** A model as a graph, and how it reads texts. */
interface Exported {
  graph: Graph;
  reading: Reading;
}

function classifier({ metadata, description, state }: Described): Exported {
  const settings = classifierFile.settings(description.settings);
  const fields = classifierFile.parse({ ...description }, settings);
  const { labels, thresholds = null } = fields;
  const parts = partsOf(fields);
  const linear = parts.linear ? linearReading(state) : null;
  const reading = { ...textReading(description, metadata), labels, thresholds, network: parts.network, linear };
  return { graph: classifierGraph(settings, fields, state), reading };
}

function tagger({ description, state }: Described): Exported {
  const settings = taggerFile.settings(description.settings);
  const { tags, scheme = null, lowercase, splits } = taggerFile.parse({ ...description }, settings);
  const reading = {
    ...{ labels: tags, scheme, lowercase, tokenizer: splits, maxLength: description.maxLength },
    characters: settings.subwords || null,
  };
  return { graph: taggerGraph(settings, { tags, scheme: scheme ?? undefined }, state), reading };
}

function language({ metadata, description, state, vocab }: Described): Exported {
  const settings = languageFile.settings(description.settings);
  const { units, outputs } = languageFile.parse({ ...description }, settings);
  const tokens = units === 'pieces' ? { tokenizerJson: textReading(description, metadata).tokenizerJson } : {};
  const reading = {
    ...{ units, end: vocab.get('<eos>'), layers: settings.numLayers, hidden: settings.hiddenSize },
    states: settings.cell === 'lstm' ? ['h', 'c'] : ['h'],
    ...tokens,
  };
  return { graph: languageGraph(settings, outputs, state), reading };
}

const KINDS: Readonly<Record<string, (described: Described) => Exported>> = { classifier, tagger, language };

/** Writes the model's file, off the event loop. */
async function written(out: string, graph: Graph, recurra: string): Promise<void> {
  try {
    await light().writeOnnx(out, {
      producer: 'recurra',
      version: packageVersion(),
      opset: OPSET,
      graph: graph.finish(),
      metadata: [{ key: 'recurra', value: recurra }],
    });
  } catch (error) {
    if (!(error instanceof RecurraError) || error.code !== 'IO') throw error;
    throw new DataError('IO', error.message, {}, { cause: error });
  }
}

/** A graph of ONNX operators that gives the same answers, with scripts that make its inputs from texts. */
export const ONNX: ExportForm = {
  help: 'the model for onnxruntime, with featurize.py and featurize.mjs next to it',
  folder: false,
  async write(model, out, turns) {
    const beside = await filesBeside(out);
    const { metadata, state } = await model.contents();
    await turns.next();
    const description = parseDescription('the model', metadata, 'classifier') as Metadata;
    const kind = kindOf(description);
    const make = KINDS[kind];
    if (!make)
      throw constraint(
        'model',
        'a sequence-to-sequence model cannot be written as ONNX, since its decoder attends to the source at each step; classifiers, taggers and language models can',
      );
    const { vocab } = model;
    const { graph, reading } = make({ metadata, description, state, vocab });
    await graph.settle(turns);
    const recurra = JSON.stringify({ kind, ...reading, ...vocabularyReading(vocab) });
    await written(out, graph, recurra);
    await beside.write(turns);
    return { files: [out, ...beside.paths], notes: [] };
  },
};
