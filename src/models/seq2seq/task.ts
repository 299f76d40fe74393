import { counted } from '../../core/counted.js';
import type { Pairs } from '../../data/readers/rows.js';
import type { Task, TaskTypes, TrainedModel } from '../../training/task.js';
import { readUnitFile } from '../file.js';
import type { ModelParts } from '../model.js';
import { type Longest, type PairUnits, preparePairs, type Seq2SeqData } from './data.js';
import { seq2seqFile } from './description.js';
import { seq2seqMetadata } from './file.js';
import { sequenceHead } from './head.js';
import type { Seq2SeqModelSettings } from './network.js';
import {
  defaultEpochs,
  SEQ2SEQ,
  type Seq2SeqOptions,
  type Seq2SeqSettings,
  type Seq2SeqStart,
  seq2seqSettings,
} from './options.js';
import type { Seq2SeqResult } from './result.js';
import { measurePairs } from './validation.js';

/** The parts of a sequence-to-sequence model. */
export interface Seq2SeqParts extends ModelParts<Seq2SeqModelSettings, Seq2SeqResult> {
  units: PairUnits;
  longest: Longest;
}

/** The types of a sequence-to-sequence training; `M` is the model. */
export interface Seq2SeqTypes<M extends TrainedModel> extends TaskTypes {
  rows: Pairs;
  options: Seq2SeqOptions;
  settings: Seq2SeqSettings;
  data: Seq2SeqData;
  validation: Seq2SeqResult;
  chosen: object;
  start: Seq2SeqStart;
  model: M;
}

/**
 * The task of writing a sequence for another.
 *
 * @param make - Makes the model from its parts.
 */
export function seq2seqTask<M extends TrainedModel>(make: (parts: Seq2SeqParts) => M): Task<Seq2SeqTypes<M>> {
  return {
    options: SEQ2SEQ,
    settings: seq2seqSettings,
    prepare: preparePairs,
    gather: (train, indices) => train.gather(indices),
    epochs: ({ train: { length } }) => ({ epochs: defaultEpochs(length), why: counted(length, 'pair') }),
    head: ({ units }, { model }) => sequenceHead(model, units.target),
    loss: (_, { labelSmoothing }) => ({ weights: [], smoothing: labelSmoothing }),
    sampling: ({ scheduledSampling }, epoch, epochs) =>
      epochs === 1 ? scheduledSampling : (scheduledSampling * (epoch - 1)) / (epochs - 1),
    start: (common, { units }) => ({ ...common, targetVocabulary: units.target.vocab.length }),
    *contents({ units, train, validation }) {
      for (const { vocab } of [units.source, units.target]) yield vocab.itos;
      for (const data of [train, validation?.pairs]) {
        for (const side of [data?.source, data?.target]) yield* [side?.units, side?.starts];
      }
    },
    async validate(engine, { validation, units, longest }) {
      const measuring = { engine: engine.translating!, target: units.target, longest };
      const { rows, loss, accuracy, unitErrorRate, bleu } = await measurePairs(validation!, measuring);
      return { validation: { rows, loss, accuracy, unitErrorRate, bleu: bleu.score }, choose: () => ({}) };
    },
    score: ({ unitErrorRate }) => -unitErrorRate,
    describe({ data: { units, longest }, settings, network }) {
      const metadata = seq2seqMetadata({ ...settings.model, ...network }, units, longest);
      return () => metadata;
    },
    read: (path) => readUnitFile(path, seq2seqFile),
    async model({ engine, data, settings, network, best, history, record, columns }) {
      const { units, train, longest } = data;
      return make({
        engine,
        settings: { ...settings.model, ...network },
        vocab: units.source.vocab,
        units,
        longest,
        history,
        bestEpoch: best?.epoch,
        trainedRows: train.length,
        card: record,
        columns,
      });
    },
  };
}
