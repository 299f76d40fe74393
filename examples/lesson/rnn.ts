import { nn, type Tensor } from 'recurra/torch';

/**
 * The lesson's first recurrent classifier: an Elman RNN whose outputs are averaged over time.
 *
 * As in the lesson the average goes over the filled-up positions of the shorter texts too, so that a text's logits depend on the
 * longest text of its batch.
 */
export class RNNClassifier extends nn.Module {
  readonly embedding: nn.Embedding;
  readonly rnn: nn.RNN;
  readonly fc: nn.Linear;

  constructor(vocabSize: number, embedDim: number, hiddenDim: number, numClass: number) {
    super();
    this.embedding = new nn.Embedding(vocabSize, embedDim);
    this.rnn = new nn.RNN(embedDim, hiddenDim, { batchFirst: true });
    this.fc = new nn.Linear(hiddenDim, numClass);
  }

  /** Logits `[batch, numClass]` of token indices `[batch, time]`. */
  forward(x: Tensor): Tensor {
    const [output] = this.rnn.forward(this.embedding.forward(x));
    return this.fc.forward(output.mean({ dim: 1 }));
  }
}
