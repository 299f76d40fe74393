import type { Candidate } from '../../../tuning/candidates.js';
import { drawnCandidates, type Values } from '../../../tuning/space.js';
import { defaultEpochs, type TaggerTrainOptions } from '../options.js';

/** The options that a search may change. */
export type SearchedTagger = Pick<
  TaggerTrainOptions,
  'dropout' | 'epochs' | 'lr' | 'hiddenSize' | 'subwords' | 'wordDropout' | 'embeddingDropout' | 'minFreq'
>;

/** The training without options. */
export const DEFAULTS: Candidate<SearchedTagger> = { name: 'the defaults', options: {} };

/** The values to try, in order of promise. */
function valuesOf(rows: number, fixed: TaggerTrainOptions): Values<SearchedTagger> {
  const passes = defaultEpochs(rows);
  const epochs = [1.5, 2, 0.75].map((times) => Math.max(1, Math.round(passes * times)));
  const values: Values<SearchedTagger> = {
    epochs: [...new Set(epochs)].filter((count) => count !== passes),
    lr: [0.004, 0.012, 0.006],
    dropout: [0.3, 0.6, 0.2],
    hiddenSize: [150, 64, 200],
    embeddingDropout: [0.3, 0.1],
    wordDropout: [0.2, 0],
    subwords: [false],
    minFreq: [2],
  };
  const settled = new Set(Object.keys(fixed));
  if (fixed.encoder) for (const name of ['hiddenSize', 'subwords']) settled.add(name);
  if (fixed.device !== undefined && fixed.device !== 'cpu') settled.add('subwords');
  return Object.fromEntries(Object.entries(values).filter(([name]) => !settled.has(name)));
}

/**
 * The settings to try besides the defaults.
 *
 * @param fixed - Given options, which all candidates have.
 */
export function candidatesOf(
  rows: number,
  fixed: TaggerTrainOptions,
  seed: number,
): Generator<Candidate<SearchedTagger>, undefined, undefined> {
  return drawnCandidates(valuesOf(rows, fixed), seed);
}
