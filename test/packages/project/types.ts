// Compiled, not run: as an ES module and, copied to types.cts, as CommonJS.

import { type Prediction, RecurraError, readCsv, TextClassifier } from 'recurra';
import { nn, optim, type Tensor, tensor } from 'recurra/torch';

class Net extends nn.Module {
  readonly fc = new nn.Linear(3, 2);
  forward(x: Tensor): Tensor {
    return this.fc.forward(x);
  }
}

export async function use(): Promise<Prediction> {
  const model = await TextClassifier.train(readCsv('a.csv', { text: 'body', label: 'queue' }), { cell: 'lstm' });
  const net = new Net();
  const optimizer = new optim.Adam(net.parameters(), { lr: 1e-3 });
  const values: number = net
    .forward(tensor([1, 2, 3]))
    .sum()
    .item();
  optimizer.zeroGrad();
  // @ts-expect-error: the types know which cells there are
  await TextClassifier.train([], { cell: 'qrnn' });
  try {
    return await model.predict(String(values));
  } catch (error) {
    if (error instanceof RecurraError && error.code === 'DISPOSED') throw new Error('closed');
    throw error;
  }
}
