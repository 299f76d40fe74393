import { nn, randnLike, type Tensor } from 'recurra/torch';

const { packPaddedSequence } = nn.utils.rnn;

/** The lesson's LSTM classifier over packed texts: `h.at(-1)` is the state after each text's own last token. */
export class LSTMPackClassifier extends nn.Module {
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

  /** Logits `[batch, numClass]` of token indices `[batch, time]` and the number of real tokens of each text, `[batch]`. */
  forward(x: Tensor, lengths: Int32Array): Tensor {
    const packed = packPaddedSequence(this.embedding.forward(x), lengths, { batchFirst: true, enforceSorted: false });
    const [, [h]] = this.rnn.forward(packed);
    return this.fc.forward(h.at(-1));
  }
}
