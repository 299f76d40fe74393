import { counted } from '../../core/counted.js';
import { settingsOf } from '../../core/options/table.js';
import type { NetworkSettings } from '../../engine/network.js';
import { EXTENT } from '../../text/extent.js';
import type { Units } from '../../text/units/index.js';
import type { Task, TaskTypes, TrainedModel } from '../../training/task.js';
import { type CommonDescription, modelMetadata, readUnitFile } from '../file.js';
import type { ModelParts } from '../model.js';
import { type LanguageData, prepareLanguage } from './data.js';
import { languageFile } from './description.js';
import { measured } from './measure.js';
import { type LanguageNetworkSettings, languageHead } from './network.js';
import {
  defaultEpochs,
  LANGUAGE,
  type LanguageOptions,
  type LanguageSettings,
  type LanguageStart,
  type LanguageTexts,
  languageSettings,
} from './options.js';
import { StreamPlan } from './streams.js';
import type { LanguageResult } from './validation.js';

/** The parts of a language model. */
export interface LanguageParts extends ModelParts<LanguageNetworkSettings, LanguageResult> {
  units: Units;
}

/** The types of a language model's training; `M` is the model. */
export interface LanguageTypes<M extends TrainedModel> extends TaskTypes {
  rows: LanguageTexts;
  options: LanguageOptions;
  settings: LanguageSettings;
  data: LanguageData;
  validation: LanguageResult;
  chosen: object;
  start: LanguageStart;
  model: M;
}

/** A language model's description for its file. */
export function languageMetadata(settings: LanguageNetworkSettings, units: Units): Record<string, string> {
  const { vocab, name = 'pieces', tokenizer } = units;
  // Named units need no tokenizer, but the field is required.
  const text: CommonDescription['text'] = { ...settingsOf(EXTENT, {}), tokenizer: tokenizer ?? 'characters' };
  return modelMetadata('language', { settings, text, vocab }, { units: name, outputs: vocab.length }, 1);
}

/** The shape of the network, without the parts specific to language models. */
function modelOf({ model }: LanguageSettings, network: NetworkSettings): LanguageNetworkSettings {
  return { ...model, ...network };
}

/**
 * The task of predicting the next unit of a text.
 *
 * @param make - Makes the model of its parts.
 */
export function languageTask<M extends TrainedModel>(make: (parts: LanguageParts) => M): Task<LanguageTypes<M>> {
  return {
    options: LANGUAGE,
    settings: languageSettings,
    prepare: (texts, settings, signal) => prepareLanguage(texts, settings, signal),
    plan: ({ train }, epoch, random, share) => new StreamPlan(epoch, train, random, share),
    gather: () => {
      throw new Error('a language model uses a separate plan');
    },
    epochs: ({ train }) => ({ epochs: defaultEpochs(train.units.length), why: counted(train.units.length, 'unit') }),
    head: ({ vocab }, { model }) => languageHead(vocab.length, model),
    loss: () => ({ weights: [], smoothing: 0 }),
    start: (common, { texts, train }) => ({ ...common, texts, units: train.units.length - 1 }),
    *contents({ vocab, train, validation }) {
      yield vocab.itos;
      yield train.units;
      yield validation?.units;
    },
    async validate(engine, { validation }) {
      const { units, characters } = validation!;
      const result = await measured(engine.writing!, units, characters);
      return { validation: result, choose: () => ({}) };
    },
    score: ({ loss }) => -loss,
    describe({ data, settings, network }) {
      const metadata = languageMetadata(modelOf(settings, network), data.units);
      return () => metadata;
    },
    read: (path) => readUnitFile(path, languageFile),
    async model({ engine, data, settings, network, best, history, record, columns }) {
      const { vocab, units, train } = data;
      return make({
        engine,
        settings: modelOf(settings, network),
        vocab,
        units,
        history,
        bestEpoch: best?.epoch,
        trainedRows: train.units.length - 1,
        card: record,
        columns,
      });
    },
  };
}
