import { engineOn } from '../../engine/create.js';
import type { StateEntry } from '../../engine/engine.js';
import type { TokenSettings } from '../../text/options.js';
import type { Vocab } from '../../text/vocab.js';
import { modelReading } from '../serving/reading.js';
import type { ModelSettings } from './network.js';
import type { ClassifierParts } from './task.js';
import { defaultThresholds } from './thresholds.js';

/** The parts of an imported classifier of one network. */
export interface GivenClassifier {
  settings: ModelSettings;
  text: TokenSettings;
  vocab: Vocab;
  labels: readonly string[];
  /** The weights, under their names in a model file. */
  state: StateEntry[];
}

/**
 * Builds the parts of a classifier from its weights.
 *
 * @throws RecurraError `STATE_MISMATCH` for weights that do not match the settings.
 */
export async function assembled(
  { settings, text, vocab, labels, state }: GivenClassifier,
  threads: number | undefined,
): Promise<ClassifierParts> {
  const { pooling, multiLabel } = settings;
  const engine = await engineOn('cpu', {
    ...settings,
    head: { kind: 'classes', outputs: labels.length, multiLabel, pooling },
    vocabSize: vocab.length,
    paddingIdx: vocab.padIndex ?? -1,
    unknownIdx: vocab.defaultIndex ?? -1,
    seed: 0,
    threads,
  });
  try {
    await engine.loadState(state);
    const thresholds = multiLabel ? defaultThresholds(labels.length) : undefined;
    const reading = await modelReading(text, vocab);
    return {
      engine,
      settings,
      text,
      vocab,
      labels,
      thresholds,
      recurrent: true,
      members: 1,
      reading,
      expert: undefined,
    };
  } catch (error) {
    engine.close();
    throw error;
  }
}
