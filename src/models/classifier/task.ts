import { counted } from '../../core/counted.js';
import { settingsOf } from '../../core/options/table.js';
import type { Rows } from '../../data/readers/rows.js';
import type { EncodedDataset } from '../../data/sets/encoded.js';
import type { ExplainingEngine } from '../../engine/engine.js';
import { type Mix, usualMix } from '../../engine/linear.js';
import { LINEAR_PREFIX } from '../../engine/memberNames.js';
import type { NetworkSettings } from '../../engine/network.js';
import { HuggingFaceTokenizer } from '../../text/huggingFace.js';
import type { Vocab } from '../../text/vocab.js';
import type { Choice } from '../../training/events/events.js';
import type { ValidationResult } from '../../training/progress.js';
import type { Task, TaskTypes, TrainedModel } from '../../training/task.js';
import { describedText, readModelFile } from '../file.js';
import type { TextModelParts } from '../model.js';
import { type ModelReading, modelReading } from '../serving/reading.js';
import type { Certainty } from './certainty.js';
import { classWeightsOf } from './classWeights.js';
import { type ClassifierFields, classifierFile } from './description.js';
import { classifierMetadata } from './file.js';
import { ALONE, Expert, mixOf } from './linear.js';
import { type ModelSettings, SUBWORDS } from './network.js';
import {
  CLASSIFIER,
  defaultAdversarial,
  defaultEpochs,
  defaultSubwords,
  type StartEvent,
  type TrainOptions,
  type TrainSettings,
  trainSettings,
} from './options.js';
import { predictedParts, predictRows } from './prediction.js';
import { rehearsalOf } from './rehearsal.js';
import { energiesOf, entropyOf, type Scope, scopeOf, unknownShares } from './scope.js';
import { type ClassifierData, prepareData } from './targets.js';
import { chooseThresholds, defaultThresholds } from './thresholds.js';
import { settleTokenizer } from './tokenizer.js';
import { ExclusiveResult, multiLabelResult } from './validation.js';

/** The choices made on validation rows, or only the mix by a rehearsal. */
interface Chosen {
  thresholds?: readonly number[];
  /** How the linear model is mixed with the network, if there is one. */
  linear?: Mix;
  /** What the rows tell of the model's probabilities, where a text has one label. */
  certainty?: Certainty;
  /** What the rows look like to the model. */
  scope?: Scope;
}

/** The parts of a classifier. */
export type ClassifierParts = TextModelParts<ModelSettings> &
  Omit<ClassifierFields, 'linear' | 'certainty' | 'scope'> & {
    /** What validation rows told of its probabilities; undefined where there were none. */
    certainty?: Certainty | undefined;
    /** What they looked like to it; undefined where there were none, or too few. */
    scope?: Scope | undefined;
    /** Reads the texts. */
    reading: ModelReading;
    /** The linear model, if there is one. */
    expert: Expert | undefined;
  };

/** The types of a classifier's training; `M` is the model. */
export interface ClassifierTypes<M extends TrainedModel> extends TaskTypes {
  rows: Rows;
  options: TrainOptions;
  settings: TrainSettings;
  data: ClassifierData;
  validation: ValidationResult;
  chosen: Chosen;
  start: StartEvent;
  model: M;
}

/** The thresholds of a model; undefined if its labels are exclusive. */
function thresholdsOf(
  chosen: Chosen | undefined,
  { model }: TrainSettings,
  { train }: ClassifierData,
): readonly number[] | undefined {
  return model.multiLabel ? (chosen?.thresholds ?? defaultThresholds(train.classes.length)) : undefined;
}

/** How the linear model is mixed with the network; undefined if there is none. */
function chosenMix(
  chosen: Chosen | undefined,
  { recurrent, members = 1 }: TrainSettings,
  { expert, vectors, vocab }: ClassifierData,
): Mix | undefined {
  return expert && (recurrent === false ? ALONE : (chosen?.linear ?? usualMix(vectors, vocab.length, members)));
}

/** The linear model's share, for events. */
function chosenMixture(
  { expert, vectors, vocab, validation }: ClassifierData,
  { recurrent, members = 1 }: TrainSettings,
  rehearsed: Chosen | undefined,
): Choice[] {
  if (!expert || recurrent === false) return [];
  if (validation) {
    const why = 'its share in the answers, from the validation rows';
    return [{ option: 'linear', value: 'chosen after each epoch', why }];
  }
  const { network } = rehearsed?.linear ?? usualMix(vectors, vocab.length, members);
  const why = rehearsed?.linear
    ? 'its share in the answers, from rows that another network was not trained on'
    : 'its share in the answers, without validation rows to choose it by';
  return [{ option: 'linear', value: Number((1 - network).toFixed(3)), why }];
}

/** Decides whether the network is trained with the characters of words, if no option says so. */
function decideSubwords({ train }: ClassifierData, settings: TrainSettings, resumed: boolean) {
  const { length, classes } = train;
  const { choosesSubwords, encoder, device } = settings;
  // Off if a checkpoint does not mention it; libtorch has no subwords, and an encoder's layers read none.
  const free = choosesSubwords && !resumed && encoder === undefined && device === 'cpu';
  if (!free || !defaultSubwords(length, classes.length)) return { settings, chosen: [] };
  const why = `${counted(length)}, ${counted(classes.length, 'label')}`;
  return {
    settings: { ...settings, subwords: settingsOf(SUBWORDS, {}) },
    chosen: [{ option: 'subwords', value: true, why }],
  };
}

/** The choices on validation rows without a network, and so without epochs. */
async function chosenAlone(
  { recurrent, model }: TrainSettings,
  { expert, validation, vocab }: ClassifierData,
): Promise<Chosen | undefined> {
  if (recurrent !== false || !validation || !expert?.validation) return undefined;
  const probabilities = expert.validation.map(Math.exp);
  const scope = await scopeOfRows(undefined, validation, entropiesOf(probabilities, validation), vocab);
  if (model.multiLabel) return { ...scope, thresholds: await chooseThresholds(probabilities, validation) };
  return {
    ...scope,
    certainty: new ExclusiveResult(validation.classes.length).add(probabilities, validation.labels).certainty(),
  };
}

/** Entropies of rows, of which all probabilities are given. */
function entropiesOf(probabilities: Float32Array, { length, classes, multiLabel }: EncodedDataset): Float64Array {
  const labels = classes.length;
  return Float64Array.from({ length }, (_, row) =>
    entropyOf(probabilities.subarray(row * labels, (row + 1) * labels), multiLabel),
  );
}

/** What validation rows look like to a model, with or without a network. */
async function scopeOfRows(
  engine: ExplainingEngine | undefined,
  dataset: EncodedDataset,
  entropy: Float64Array,
  vocab: Vocab,
): Promise<Pick<Chosen, 'scope'>> {
  const unknown = unknownShares(dataset, vocab.defaultIndex!);
  const energy = engine && (await energiesOf(engine, dataset, dataset.multiLabel));
  const scope = scopeOf({ unknown, entropy, energy });
  return scope ? { scope } : {};
}

/** Measures a network on rows of exclusive labels without holding all their probabilities. */
async function exclusiveByParts(engine: ExplainingEngine, dataset: EncodedDataset): Promise<ExclusiveResult> {
  const { labels, tokens, classes } = dataset;
  const result = new ExclusiveResult(classes.length);
  for await (const { row, probabilities } of predictedParts(engine, tokens, dataset.lengths(), classes.length))
    result.add(probabilities, labels.subarray(row, row + probabilities.length / classes.length));
  return result;
}

/** The shape of the network and its head. */
function modelOf({ model, subwords }: TrainSettings, network: NetworkSettings): ModelSettings {
  // The model has one vector for a word and its characters.
  return { ...model, ...network, embeddingDim: network.embeddingDim + (subwords?.dim ?? 0) };
}

/**
 * The task of labelling texts: one label each, or any number.
 *
 * @param make - Makes the model from its parts.
 */
export function classifierTask<M extends TrainedModel>(make: (parts: ClassifierParts) => M): Task<ClassifierTypes<M>> {
  return {
    options: CLASSIFIER,
    settings: trainSettings,
    prepare: prepareData,
    rehearsal: rehearsalOf,
    gather(train, indices) {
      const { tokens, lengths, labels, labelOffsets } = train.gather(indices);
      return { tokens, lengths, targets: labels, targetStarts: labelOffsets };
    },
    hasNetwork: ({ recurrent }) => recurrent !== false,
    members: ({ members }) => members ?? 1,
    settle: settleTokenizer,
    decide: decideSubwords,
    characters: ({ subwords }) => subwords,
    epochs: ({ train: { classes } }) => ({
      epochs: defaultEpochs(classes.length),
      why: counted(classes.length, 'label'),
    }),
    adversarial: ({ train: { length, classes } }) => ({
      adversarial: defaultAdversarial(length, classes.length),
      why: `${counted(length)}, ${counted(classes.length, 'label')}`,
    }),
    chosen: chosenMixture,
    head: ({ train }, { model: { pooling, multiLabel } }) => ({
      kind: 'classes' as const,
      outputs: train.classes.length,
      multiLabel,
      pooling,
    }),
    loss: ({ train }, { classWeights, labelSmoothing }) => ({
      weights: classWeightsOf(classWeights, train),
      smoothing: labelSmoothing,
    }),
    beside: async ({ expert }) => (expert ? expert.state() : []),
    start: (common, { train }) => ({ ...common, labels: train.classes }),
    *contents({ train, validation, vocab }) {
      yield vocab.itos;
      yield train.classes;
      for (const set of [train, validation]) {
        const { tokens, offsets, labels, labelOffsets }: Partial<EncodedDataset> = set ?? {};
        yield* [tokens, offsets, labels, labelOffsets];
      }
    },
    async validate(engine, { validation, expert, vocab }) {
      const dataset = validation!;
      const { multiLabel, classes } = dataset;
      if (!multiLabel && !expert?.validation) {
        const measured = await exclusiveByParts(engine, dataset);
        const choose = async () => ({
          ...(await scopeOfRows(engine, dataset, measured.entropies(), vocab)),
          certainty: measured.certainty(),
        });
        return { validation: measured.finish(), choose };
      }
      const probabilities = await predictRows(engine, dataset.tokens, dataset.lengths(), classes.length);
      // The figures are those of the model that would be kept, with both parts if there are two.
      const mixed = expert?.validation && (await mixOf(expert.validation, probabilities, dataset));
      const both = mixed?.probabilities ?? probabilities;
      const linear = mixed && { linear: mixed.mix };
      const look = (entropies: Float64Array) => scopeOfRows(engine, dataset, entropies, vocab);
      if (multiLabel) {
        const choose = async () => ({
          ...linear,
          ...(await look(entropiesOf(both, dataset))),
          thresholds: await chooseThresholds(both, dataset),
        });
        return { validation: multiLabelResult(both, dataset), choose };
      }
      const measured = new ExclusiveResult(classes.length).add(both, dataset.labels);
      const choose = async () => ({
        ...linear,
        ...(await look(measured.entropies())),
        certainty: measured.certainty(),
      });
      return { validation: measured.finish(), choose };
    },
    // A multi-label row is only correct if all labels are, which may be rare for a long time, so the loss decides.
    score: ({ accuracy }, { model }) => (model.multiLabel ? 0 : accuracy),
    describe({ data, settings, network }) {
      const common = { settings: modelOf(settings, network), text: describedText(settings.text), vocab: data.vocab };
      const { members = 1 } = settings;
      const described = classifierMetadata(common, data.train.classes, data.expert !== undefined, members);
      return (chosen) =>
        described({
          thresholds: thresholdsOf(chosen, settings, data),
          linear: chosenMix(chosen, settings, data),
          recurrent: true,
          certainty: chosen?.certainty,
          scope: chosen?.scope,
        });
    },
    async read(path) {
      const { settings: network, text, vocab, state, checkpoint, training } = await readModelFile(path, classifierFile);
      const { tokenizer } = text;
      // A name is part of the settings; this one is not a plain value.
      const held = tokenizer instanceof HuggingFaceTokenizer ? tokenizer : undefined;
      // The linear model is trained again, bit for bit the same.
      const weights = state.filter(({ name }) => !name.startsWith(LINEAR_PREFIX));
      return { network, tokenizer: held, vocab, state: weights, checkpoint, training };
    },
    async model({ engine, data, settings, network, chosen: before, best, history, record, columns }) {
      const { train, vocab, expert } = data;
      const chosen = before ?? (await chosenAlone(settings, data));
      const mix = chosenMix(chosen, settings, data);
      return make({
        engine,
        settings: modelOf(settings, network),
        text: settings.text,
        vocab,
        reading: await modelReading(settings.text, vocab),
        labels: train.classes,
        thresholds: thresholdsOf(chosen, settings, data),
        recurrent: settings.recurrent !== false,
        members: settings.members ?? 1,
        expert: expert && mix && new Expert(expert.model, mix, expert.threads),
        certainty: chosen?.certainty,
        scope: chosen?.scope,
        history,
        bestEpoch: best?.epoch,
        trainedRows: train.length,
        card: record,
        columns,
      });
    },
  };
}
