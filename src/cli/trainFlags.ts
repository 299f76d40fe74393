import { type Command, InvalidArgumentError, Option } from 'commander';
import { MODEL_NAMES } from '../engine/network.js';
import { TEXT_NAMES } from '../text/options.js';
import { TOKENIZER_NAMES } from '../text/tokenizer.js';
import type { LearningOptions, TrainOptions } from '../training/options/index.js';
import { LEARNING_NAMES } from '../training/options/learning.js';
import { realNumber, wholeNumber } from './parsers.js';

/** The flags that are passed on to `TextClassifier.train` as they are, under the names of its options; it opens a `tokenizer` first. */
export const PASSED_ON = [
  ...MODEL_NAMES,
  ...TEXT_NAMES.filter((name) => name !== 'tokenizer'),
  ...LEARNING_NAMES,
  'embeddings',
  'freezeEmbeddings',
  'threads',
  'precision',
] as const satisfies readonly (keyof TrainOptions)[];

/** What commander makes of them. */
export type PassedOnFlags = Pick<TrainOptions, (typeof PASSED_ON)[number]>;

/** Reads `balanced`, or `label=weight` given once for each label; the last `=` counts, so that a label may have one. */
function classWeights(text: string, before: LearningOptions['classWeights']): LearningOptions['classWeights'] {
  const at = text.lastIndexOf('=');
  const several = before instanceof Map;
  if (at < 0) {
    if (text !== 'balanced' || several) throw new InvalidArgumentError("Expected 'balanced' or label=weight.");
    return text;
  }
  if (before === 'balanced') throw new InvalidArgumentError("Expected 'balanced' alone.");
  const label = text.slice(0, at);
  const weights = new Map(several ? before : []);
  if (weights.has(label)) throw new InvalidArgumentError(`${label} has a weight already.`);
  return weights.set(label, realNumber(text.slice(at + 1)));
}

/** Adds the flags of the network. */
export function modelFlags(command: Command): Command {
  return command
    .addOption(new Option('--cell <cell>', 'recurrent cell (default: lstm)').choices(['rnn', 'lstm', 'gru']))
    .option('--embedding-dim <n>', 'size of the word vectors (default: 64)', wholeNumber)
    .option('--hidden-size <n>', 'size of the hidden state, per direction (default: 64)', wholeNumber)
    .option('--num-layers <n>', 'recurrent layers (default: 1)', wholeNumber)
    .option('--no-bidirectional', 'read texts forwards only')
    .addOption(
      new Option('--pooling <how>', 'how outputs become one vector per text (default: max)').choices([
        'last',
        'mean',
        'max',
        'attention',
      ]),
    )
    .option(
      '--dropout <share>',
      'share of elements dropped in training from the pooled vector, and between layers (default: 0.3)',
      realNumber,
    )
    .option('--embedding-dropout <share>', 'the same from the word vectors (default: 0)', realNumber)
    .option('--word-dropout <share>', 'share of words read as <unk> in training (default: 0.2)', realNumber)
    .option('--multi-label', 'a text may have any number of labels');
}

/** Adds the flags of how texts become tokens. */
export function textFlags(command: Command): Command {
  return command
    .option(
      '--tokenizer <name-or-file>',
      `how texts are split: ${TOKENIZER_NAMES.join(', ')}, or the tokenizer.json of a HuggingFace tokenizer`,
    )
    .option('--ngrams <n>', 'runs of up to this many tokens count as tokens too: 1, 2 or 3', wholeNumber)
    .option('--min-freq <n>', 'rarer tokens become <unk>', wholeNumber)
    .option('--max-tokens <n>', 'largest vocabulary', wholeNumber)
    .option('--max-length <n>', 'tokens of a text that are read', wholeNumber)
    .addOption(
      new Option('--truncate <part>', 'which part of a longer text is read').choices(['head', 'tail', 'both']),
    );
}

/** Adds the flags of the training. */
export function learningFlags(command: Command): Command {
  return command
    .option('--embeddings <file>', 'begin with the word vectors of this file: GloVe, word2vec, or .vec of fastText')
    .option(
      '--freeze-embeddings [epochs]',
      'leave the word vectors as they are, in the first so many epochs or in all',
      wholeNumber,
    )
    .option(
      '--embedding-std <number>',
      'standard deviation of the other initial word vectors (default: 0.1)',
      realNumber,
    )
    .option('--epochs <n>', 'passes over the rows (default: 4)', wholeNumber)
    .option('--batch-size <n>', 'rows per step, at most (default: 64, fewer for few rows)', wholeNumber)
    .option('--tokens-per-batch <n>', 'tokens per step, at most (default: no limit)', wholeNumber)
    .option('--no-bucketing', 'draw batches at random, instead of texts of similar length together')
    .addOption(
      new Option('--optimizer <name>', 'how weights are moved (default: adam)').choices(['adam', 'adamw', 'sgd']),
    )
    .option('--lr <rate>', 'learning rate (default: 0.008)', realNumber)
    .option('--weight-decay <rate>', 'weight decay (default: 0; of adamw 0.01)', realNumber)
    .option('--momentum <share>', 'momentum of sgd (default: 0)', realNumber)
    .addOption(
      new Option('--schedule <how>', 'how the learning rate moves (default: linear)').choices([
        'constant',
        'linear',
        'cosine',
      ]),
    )
    .option('--warmup <share>', 'share of the steps in which the learning rate rises (default: 0)', realNumber)
    .option('--clip-grad-norm <norm>', 'scale larger gradients down to this norm (default: 0, off)', realNumber)
    .option(
      '--class-weights <weights>',
      "what labels count for: 'balanced', or label=weight, once for each label that has not 1",
      classWeights,
    )
    .option('--label-smoothing <share>', 'share of the target spread over all labels (default: 0)', realNumber)
    .option('--patience <epochs>', 'stop after so many epochs without improvement on the validation rows', wholeNumber)
    .option('--seed <n>', 'seed of weights, order and dropout (default: 0)', wholeNumber)
    .option('--threads <n>', 'threads of the numeric work (default: as many as processors)', wholeNumber)
    .addOption(
      new Option('--precision <name>', 'what a GPU computes in (default: float32)').choices(['float32', 'bfloat16']),
    );
}
