import { nn, randnLike, type Tensor } from 'recurra/torch';

/**
 * The lesson's LSTM classifier over texts that are filled up to one length.
 *
 * As in the lesson `h.at(-1)` is the state after the filling of the shorter texts: the network has to learn to carry what it read
 * over the filling, which is why it learns so late.
 */
export class LSTMClassifier extends nn.Module {
  readonly embedding: nn.Embedding;
  readonly rnn: nn.LSTM;
  readonly fc: nn.Linear;

  constructor(vocabSize: number, embedDim: number, hiddenDim: number, numClass: number) {
    super();
    this.embedding = new nn.Embedding(vocabSize, embedDim);
    this.embedding.weight.data = randnLike(this.embedding.weight.data).sub(0.5);
    this.rnn = new nn.LSTM(embedDim, hiddenDim, { batchFirst: true });
    this.fc = new nn.Linear(hiddenDim, numClass);
  }

  /** Logits `[batch, numClass]` of token indices `[batch, time]`. */
  forward(x: Tensor): Tensor {
    const [, [h]] = this.rnn.forward(this.embedding.forward(x));
    return this.fc.forward(h.at(-1));
  }
}
