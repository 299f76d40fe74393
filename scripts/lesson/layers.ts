import { nn, type Tensor } from 'recurra/torch';

const BOTH = { numLayers: 2, bidirectional: true, batchFirst: true } as const;

/** One of each kind of layer, under the names that state_dict.py's `Layers` has in PyTorch. */
export class Layers extends nn.Module {
  readonly embedding = new nn.Embedding(11, 5, { paddingIdx: 1 });
  readonly bag = new nn.EmbeddingBag(11, 5, { mode: 'sum' });
  readonly linear = new nn.Linear(5, 3);
  readonly linear_no_bias = new nn.Linear(5, 3, { bias: false });
  readonly rnn = new nn.RNN(5, 4, BOTH);
  readonly rnn_relu = new nn.RNN(5, 4, { nonlinearity: 'relu', batchFirst: true });
  readonly lstm = new nn.LSTM(5, 4, BOTH);
  readonly lstm_projected = new nn.LSTM(5, 4, { projSize: 3, numLayers: 2, batchFirst: true });
  readonly gru = new nn.GRU(5, 4, BOTH);
  readonly gru_no_bias = new nn.GRU(5, 4, { bias: false, batchFirst: true });
  readonly rnn_cell = new nn.RNNCell(5, 4);
  readonly lstm_cell = new nn.LSTMCell(5, 4);
  readonly gru_cell = new nn.GRUCell(5, 4);

  /** Outputs of all layers for ids `[batch, time]`, by the names that state_dict.py gives them. */
  forward(ids: Tensor): Record<string, Tensor> {
    const x = this.embedding.forward(ids);
    const first = x.select(1, 0);
    const narrow = this.linear_no_bias.forward(first).tanh();
    // As state_dict.py: repeated along the second dimension and cut to the cells' size of 4.
    const h = narrow.unsqueeze(1).expand([-1, 2, -1]).flatten(1).slice({ dim: 1, start: 0, end: 4 });
    const outputs: Record<string, Tensor[]> = {
      embedding: [x],
      bag: [this.bag.forward(ids)],
      linear: [this.linear.forward(x)],
      linear_no_bias: [this.linear_no_bias.forward(x)],
      rnn: this.rnn.forward(x),
      rnn_relu: this.rnn_relu.forward(x),
      gru: this.gru.forward(x),
      gru_no_bias: this.gru_no_bias.forward(x),
      lstm: this.lstm.forward(x).flat(),
      lstm_projected: this.lstm_projected.forward(x).flat(),
      rnn_cell: [this.rnn_cell.forward(first, h)],
      lstm_cell: this.lstm_cell.forward(first, [h, h]),
      gru_cell: [this.gru_cell.forward(first, h)],
    };
    return Object.fromEntries(
      Object.entries(outputs).flatMap(([layer, list]) => list.map((value, i) => [`out.${layer}.${i}`, value])),
    );
  }
}
