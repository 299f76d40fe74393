import { constraint, DataError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import { Turns } from '../../core/turns.js';
import { noRows, type Pairs } from '../../data/readers/rows.js';
import { type SequenceUnitName, sequenceUnits, type Units } from '../../text/units/index.js';
import type { TrainingData, Watcher } from '../../training/task.js';
import { encodeSide, longestOf, PairDataset } from './dataset.js';
import { HeldPairs } from './held.js';
import type { Seq2SeqSettings } from './options.js';
import { type CollectedPairs, chosenPairs, collectPairs, questionsOf } from './pairs.js';

/** The units of both sides. */
export interface PairUnits {
  source: Units<SequenceUnitName>;
  target: Units<SequenceUnitName>;
}

/** Lengths of the longest source and target. */
export interface Longest {
  source: number;
  target: number;
}

/** The training data of a sequence-to-sequence model. */
export interface Seq2SeqData extends TrainingData {
  train: PairDataset;
  validation: HeldPairs | undefined;
  units: PairUnits;
  /** Units of the longest source and of the longest target of the training; without the end units. */
  longest: Longest;
}

/** With fewer validation sources, one changes the figures by more than epochs differ. */
const FEW = 20;

/** Reads pairs for a training. */
export async function preparePairs(
  pairs: Pairs,
  settings: Seq2SeqSettings,
  signal: AbortSignal,
  watcher: Watcher,
): Promise<Seq2SeqData> {
  const turns = new Turns(signal, undefined, 'the reading of the pairs');
  const { validation, text, seed } = settings;
  const { maxLength, minFreq } = text;
  const all = await collect(pairs, watcher, turns);
  if (all.sources.length === 0)
    throw noRows('there are no pairs to train on; expected rows with a source and a target', pairs);
  const own = typeof validation === 'object' ? await collect(validation, watcher, turns) : undefined;
  const parts = typeof validation === 'number' ? split(all, validation, seed) : { train: all, test: own };
  const { train, test } = parts;
  const units: PairUnits = {
    source: await unitsOf('source', train.sources, settings, turns),
    target: await unitsOf('target', train.targets, settings, turns),
  };
  if (minFreq > 1)
    for (const [side, { vocab }] of Object.entries(units))
      if (vocab.length <= 2)
        throw constraint(
          'minFreq',
          `minFreq ${minFreq} leaves no ${side} unit: none occurs that often; give a smaller number`,
        );
  const encode = async (part: CollectedPairs) =>
    new PairDataset(
      await encodeSide(part, { name: 'source', units: units.source, maxLength }, turns),
      await encodeSide(part, { name: 'target', units: units.target, maxLength }, turns),
    );
  const dataset = await encode(train);
  const held = test && new HeldPairs(test, await encode(test));
  if (held) checkHeld(held, validation, test.origin.file, watcher);
  return {
    vocab: units.source.vocab,
    units,
    train: dataset,
    validation: held,
    longest: { source: longestOf(dataset.source), target: longestOf(dataset.target) - 1 },
  };
}

async function collect(pairs: Pairs, watcher: Watcher, turns: Turns): Promise<CollectedPairs> {
  const all = await collectPairs(pairs, turns);
  for (const warning of pairs.warnings ?? []) watcher.warn('rows', warning);
  return all;
}

/** The units of one side, by the texts of the training pairs. */
async function unitsOf(
  side: 'source' | 'target',
  texts: readonly string[],
  settings: Seq2SeqSettings,
  turns: Turns,
): Promise<Units<SequenceUnitName>> {
  const units = settings[`${side}Tokenizer`] ?? settings[`${side}Units`];
  const { minFreq, maxTokens } = settings.text;
  const maxUnits = units === 'pieces' ? settings.maxPieces : maxTokens;
  return sequenceUnits(texts, { units, maxUnits, minFreq }, turns);
}

/** Splits off a share of the distinct sources, each with all its pairs: no source is in both parts. */
function split(all: CollectedPairs, fraction: number, seed: number): { train: CollectedPairs; test: CollectedPairs } {
  const questions = questionsOf(all);
  const order = new Random(seed).permutation(questions.length);
  const held = new Uint8Array(all.sources.length);
  for (const question of order.subarray(0, Math.floor(fraction * questions.length)))
    for (const pair of questions[question]!.pairs) held[pair] = 1;
  const part = (which: number) =>
    chosenPairs(
      all,
      [...all.sources.keys()].filter((pair) => held[pair] === which),
    );
  const parts = { train: part(0), test: part(1) };
  if (parts.train.sources.length === 0)
    throw new DataError('EMPTY_DATASET', `a validation share of ${fraction} leaves no pair to train on`, {
      file: all.origin.file,
    });
  return parts;
}

function checkHeld(
  { questions: { length } }: HeldPairs,
  validation: unknown,
  file: string | undefined,
  watcher: Watcher,
): void {
  if (length === 0) {
    const message =
      typeof validation === 'number'
        ? `a validation share of ${validation} has no source: give more pairs, a larger share, or separate validation pairs`
        : 'there are no validation pairs';
    throw new DataError('EMPTY_DATASET', message, { file });
  }
  if (length >= FEW) return;
  const sources = length === 1 ? '1 source' : `${length} sources`;
  const message = `the validation part has ${sources}, too few to compare epochs by: give more pairs, or train without validation and measure the model on other pairs`;
  watcher.warn('validation', new DataError('OUT_OF_RANGE', message, { file }));
}
