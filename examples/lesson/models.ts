import type { Classifier } from 'recurra/torch';
import { GRUClassifier } from './gru.js';
import { LSTMClassifier } from './lstm.js';
import { LSTMPackClassifier } from './lstmPacked.js';
import { RNNClassifier } from './rnn.js';

/** One of the lesson's networks. */
export interface LessonModel {
  /** Makes the network; `manualSeed` before it decides on its initial weights. */
  make(vocabSize: number, embedDim: number, hiddenDim: number, numClass: number): Classifier;
  /** Whether its `forward` takes the texts' lengths. */
  packed: boolean;
}

/** The lesson's networks by the names that the command line knows. */
export const MODELS: Readonly<Record<string, LessonModel>> = {
  rnn: { make: (...sizes) => new RNNClassifier(...sizes), packed: false },
  lstm: { make: (...sizes) => new LSTMClassifier(...sizes), packed: false },
  'lstm-packed': { make: (...sizes) => new LSTMPackClassifier(...sizes), packed: true },
  gru: { make: (...sizes) => new GRUClassifier(...sizes), packed: true },
};
