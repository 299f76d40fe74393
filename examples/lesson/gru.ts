import { cat, nn, type Tensor } from 'recurra/torch';

const { packPaddedSequence } = nn.utils.rnn;

/**
 * What the lesson leaves as an outlook: two layers that read each text in both directions, with GRU cells.
 *
 * The final states are `[layers * directions, batch, hidden]`, so the last two are those of the second layer: forwards after the
 * text's last token, and backwards after its first.
 */
export class GRUClassifier extends nn.Module {
  readonly embedding: nn.Embedding;
  readonly rnn: nn.GRU;
  readonly fc: nn.Linear;

  constructor(vocabSize: number, embedDim: number, hiddenDim: number, numClass: number) {
    super();
    this.embedding = new nn.Embedding(vocabSize, embedDim);
    this.rnn = new nn.GRU(embedDim, hiddenDim, { numLayers: 2, bidirectional: true, batchFirst: true });
    this.fc = new nn.Linear(2 * hiddenDim, numClass);
  }

  /** Logits `[batch, numClass]` of token indices `[batch, time]` and the number of real tokens of each text, `[batch]`. */
  forward(x: Tensor, lengths: Int32Array): Tensor {
    const packed = packPaddedSequence(this.embedding.forward(x), lengths, { batchFirst: true, enforceSorted: false });
    const [, h] = this.rnn.forward(packed);
    return this.fc.forward(cat([h.at(-2), h.at(-1)], 1));
  }
}
