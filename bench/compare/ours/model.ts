import { cat, nn, type Tensor } from 'recurra/torch';
import type { Shape } from '../types.js';

const { packPaddedSequence } = nn.utils.rnn;
const LAYERS = { rnn: nn.RNN, lstm: nn.LSTM, gru: nn.GRU };

/** What the three layers have in common for their callers. */
type Recurrent = nn.RecurrentBase & {
  forward(x: Tensor | nn.utils.rnn.PackedSequence): [unknown, Tensor | [h: Tensor, c: Tensor]];
};

/** The lesson's classifier as a user composes it, for any shape. */
export class RecurrentClassifier extends nn.Module {
  readonly embedding: nn.Embedding;
  readonly rnn: Recurrent;
  readonly fc: nn.Linear;

  constructor({ cell, vocabulary, embedding, hidden, layers, bidirectional, classes }: Shape) {
    super();
    this.embedding = new nn.Embedding(vocabulary, embedding);
    const options = { batchFirst: true, numLayers: layers, bidirectional };
    this.rnn = new LAYERS[cell](embedding, hidden, options) as unknown as Recurrent;
    this.fc = new nn.Linear(hidden * (bidirectional ? 2 : 1), classes);
  }

  /** Logits `[batch, classes]` of tokens `[batch, time]`; with lengths, packed. */
  forward(x: Tensor, lengths?: Int32Array): Tensor {
    const embedded = this.embedding.forward(x);
    const [, state] = lengths
      ? this.rnn.forward(packPaddedSequence(embedded, lengths, { batchFirst: true, enforceSorted: false }))
      : this.rnn.forward(embedded);
    const h = Array.isArray(state) ? state[0] : state;
    return this.fc.forward(this.rnn.bidirectional ? cat([h.at(-2), h.at(-1)], 1) : h.at(-1));
  }
}
