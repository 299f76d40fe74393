import { Random } from '../../../core/random.js';
import { defaultBatchSize } from '../../../training/options/learning.js';
import type { Candidate } from '../../../tuning/candidates.js';
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

/** Values of an option that differ from its default. */
type Values = { [Name in keyof Searched]?: readonly NonNullable<Searched[Name]>[] };

/** The training without options. */
export const DEFAULTS: Candidate<Searched> = { name: 'the defaults', options: {} };

/** The linear model alone. */
export const LINEAR_ALONE: Candidate<Searched> = { name: 'the linear model alone', options: { recurrent: false } };

/** The values to try, in order of promise. */
function valuesOf({ rows, labels }: RowsKnown, fixed: TrainOptions): Values {
  const passes = defaultEpochs(labels);
  const epochs = [1.5, 2, 0.75, 3, 0.5].map((times) => Math.max(1, Math.round(passes * times)));
  const usual = defaultBatchSize(rows);
  const values: Values = {
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

/** Settings in a few words. */
function nameOf(options: Searched): string {
  const words = Object.entries(options).map(([name, value]) => {
    if (typeof value === 'boolean') return value ? name : `no ${name}`;
    return typeof value === 'number' ? `${name} ${value}` : `${name} '${value}'`;
  });
  return words.join(', ');
}

/** Maximum options changed in randomly drawn settings. */
const MOST_CHANGES = 4;
/** Consecutive draws without new settings after which the search space counts as exhausted. */
const MOST_REPEATS = 200;

/**
 * The settings to try besides the baselines: first each option alone at its most promising value, then several options
 * at once, drawn by the seed. The same rows and seed give the same order.
 *
 * @param fixed - Given options, which all candidates have.
 */
export function* candidatesOf(
  known: RowsKnown,
  fixed: TrainOptions,
  seed: number,
): Generator<Candidate<Searched>, undefined, undefined> {
  const values = Object.entries(valuesOf(known, fixed));
  const seen = new Set<string>();
  const made = function* (options: Searched): Generator<Candidate<Searched>, void, undefined> {
    const name = nameOf(options);
    if (seen.has(name)) return;
    seen.add(name);
    yield { name, options };
  };
  for (const [name, [first]] of values) if (first !== undefined) yield* made({ [name]: first });
  const random = new Random(seed, 1);
  const names = values.map((_, index) => index);
  for (let repeats = 0; repeats < MOST_REPEATS && names.length > 0; repeats++) {
    const changes = 1 + random.int(Math.min(MOST_CHANGES, names.length));
    const chosen = random
      .shuffle([...names])
      .slice(0, changes)
      .sort((a, b) => a - b);
    const options = Object.fromEntries(
      chosen.map((index) => {
        const [name, choices] = values[index]!;
        return [name, choices[random.int(choices.length)]];
      }),
    );
    for (const candidate of made(options)) {
      repeats = -1;
      yield candidate;
    }
  }
  return undefined;
}
