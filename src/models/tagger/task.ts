import { counted } from '../../core/counted.js';
import type { NetworkSettings } from '../../engine/network.js';
import type { Task, TaskTypes, TrainedModel } from '../../training/task.js';
import { describedText, readModelFile } from '../file.js';
import type { TextModelParts } from '../model.js';
import type { TagDataset } from './dataset.js';
import { type TaggerFields, taggerFile } from './description.js';
import { taggerMetadata } from './file.js';
import { tagsHead } from './head.js';
import type { TaggerModelSettings } from './network.js';
import {
  defaultEpochs,
  TAGGER,
  type TaggerStartEvent,
  type TaggerTrainOptions,
  type TaggerTrainSettings,
  taggerSettings,
} from './options.js';
import type { TagRows } from './rows.js';
import { prepareTags, type TaggerData } from './targets.js';
import { measureTags, type TagValidation } from './validation.js';

/** The parts of a tagger. */
export type TaggerParts = TextModelParts<TaggerModelSettings, TagValidation> & TaggerFields;

/** The types of a tagger's training; `M` is the model. */
export interface TaggerTypes<M extends TrainedModel> extends TaskTypes {
  rows: TagRows;
  options: TaggerTrainOptions;
  settings: TaggerTrainSettings;
  data: TaggerData;
  validation: TagValidation;
  chosen: object;
  start: TaggerStartEvent;
  model: M;
}

/** The shape of the network and its head. */
function modelOf({ model }: TaggerTrainSettings, network: NetworkSettings): TaggerModelSettings {
  return { ...model, ...network };
}

/**
 * The task of giving each token a tag.
 *
 * @param make - Makes the model from its parts.
 */
export function taggerTask<M extends TrainedModel>(make: (parts: TaggerParts) => M): Task<TaggerTypes<M>> {
  return {
    options: TAGGER,
    settings: taggerSettings,
    prepare: prepareTags,
    gather: (train, indices) => train.gather(indices),
    epochs: ({ train: { length } }) => ({ epochs: defaultEpochs(length), why: counted(length) }),
    head: ({ set }, { model }) => tagsHead(set, model),
    loss: () => ({ weights: [], smoothing: 0 }),
    start: (common, { set }) => ({ ...common, labels: set.labels, scheme: set.scheme }),
    *contents({ train, validation, vocab, set, spelled }) {
      yield vocab.itos;
      yield spelled;
      yield set.tags;
      for (const data of [train, validation]) {
        const { tokens, offsets, tags }: Partial<TagDataset> = data ?? {};
        yield* [tokens, offsets, tags];
      }
    },
    validate: async (engine, { validation, set }) => ({
      validation: await measureTags(engine, validation!, set),
      choose: () => ({}),
    }),
    score: ({ f1, accuracy }) => f1 ?? accuracy,
    describe({ data, settings, network }) {
      const common = { settings: modelOf(settings, network), text: describedText(settings.text), vocab: data.vocab };
      const { tags, scheme } = data.set;
      const metadata = taggerMetadata(common, { tags, scheme, lowercase: settings.lowercase });
      return () => metadata;
    },
    async read(path) {
      const { settings: network, vocab, state, checkpoint, training } = await readModelFile(path, taggerFile);
      return { network, tokenizer: undefined, vocab, state, checkpoint, training };
    },
    async model({ engine, data, settings, network, best, history, record, columns }) {
      const { train, vocab, set } = data;
      // Only the training rows use them; predictions make their own.
      train.forms?.close();
      return make({
        engine,
        settings: modelOf(settings, network),
        text: settings.text,
        vocab,
        tags: set.tags,
        scheme: set.scheme,
        splits: settings.splits,
        lowercase: settings.lowercase,
        history,
        bestEpoch: best?.epoch,
        trainedRows: train.length,
        card: record,
        columns,
      });
    },
  };
}
