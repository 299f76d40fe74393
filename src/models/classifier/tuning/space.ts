import { defaultBatchSize } from '../../../training/options/learning.js';
import type { Candidate } from '../../../tuning/candidates.js';
import { drawnCandidates, type Values } from '../../../tuning/space.js';
import { defaultAdversarial, defaultEpochs, defaultSubwords, type TrainOptions } from '../options.js';

/** Properties of the rows that defaults depend on. */
export interface RowsKnown {
  rows: number;
  labels: number;
}

/** The options that a search may change. */
export type Searched = Pick<
  TrainOptions,
  | 'members'
  | 'epochs'
  | 'lr'
  | 'subwords'
  | 'cell'
  | 'hiddenSize'
  | 'embeddingDim'
  | 'minFreq'
  | 'pooling'
  | 'wordDropout'
  | 'dropout'
  | 'adversarial'
  | 'batchSize'
  | 'labelSmoothing'
  | 'numLayers'
  | 'schedule'
  | 'tokenizer'
  | 'recurrent'
  | 'maxTokens'
  | 'maxLinearBytes'
>;

/** The training without options. */
export const DEFAULTS: Candidate<Searched> = { name: 'the defaults', options: {} };

/** The linear model alone. */
export const LINEAR_ALONE: Candidate<Searched> = { name: 'the linear model alone', options: { recurrent: false } };

/** The values to try, in order of promise. */
function valuesOf({ rows, labels }: RowsKnown, fixed: TrainOptions): Values<Searched> {
  const passes = defaultEpochs(labels);
  const epochs = [1.5, 2, 0.75, 3, 0.5].map((times) => Math.max(1, Math.round(passes * times)));
  const usual = defaultBatchSize(rows);
  const values: Values<Searched> = {
    members: [3, 2],
    epochs: [...new Set(epochs)].filter((count) => count !== passes),
    lr: [0.004, 0.012, 0.006, 0.002, 0.016],
    subwords: [!defaultSubwords(rows, labels)],
    minFreq: [2, 3],
    wordDropout: [0.1, 0.3, 0.4, 0],
    cell: ['gru', 'mingru'],
    hiddenSize: [128, 32, 96],
    pooling: ['attention', 'mean'],
    embeddingDim: [128, 32, 96],
    adversarial: defaultAdversarial(rows, labels) === 0 ? [0.05, 0.1] : [0.1, 0, 0.02],
    dropout: [0.5, 0.1, 0.2],
    tokenizer: ['unicode_words', 'characters'],
    batchSize: [usual * 2, Math.max(4, usual / 2)],
    labelSmoothing: [0.05, 0.1],
    schedule: ['cosine'],
    numLayers: [2],
  };
  const { encoder, embeddings, multiLabel, device = 'cpu' } = fixed;
  const settled = new Set<string>(Object.keys(fixed));
  if (encoder)
    for (const name of ['cell', 'hiddenSize', 'embeddingDim', 'numLayers', 'subwords', 'tokenizer']) settled.add(name);
  if (embeddings !== undefined) settled.add('embeddingDim');
  if (multiLabel) settled.add('labelSmoothing');
  if (device !== 'cpu') settled.add('subwords').add('members');
  return Object.fromEntries(Object.entries(values).filter(([name]) => !settled.has(name)));
}

/**
 * The settings to try besides the baselines, see {@link drawnCandidates}. The same rows and seed give the same order.
 *
 * @param fixed - Given options, which all candidates have.
 */
export function candidatesOf(
  known: RowsKnown,
  fixed: TrainOptions,
  seed: number,
): Generator<Candidate<Searched>, undefined, undefined> {
  return drawnCandidates(valuesOf(known, fixed), seed);
}
