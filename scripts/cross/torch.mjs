// A training with recurra/torch, so that platforms can be compared: run by any Node, with nothing but dist, the addons, and the libtorch that
// RECURRA_LIBTORCH names. Prints one JSON line: the loss of each step, and the sum of the weights' squares. Two builds of libtorch
// multiply matrices in another order, so their figures agree to rounding.

import { manualSeed, nn, optim, tensor, tidy } from '../../dist/torch/index.js';

manualSeed(7);
const embedding = new nn.Embedding(50, 16);
const recurrent = new nn.LSTM(16, 24, { batchFirst: true });
const linear = new nn.Linear(24, 3);
const modules = [embedding, recurrent, linear];
const optimizer = new optim.Adam(
  modules.flatMap((part) => [...part.parameters()]),
  { lr: 0.01 },
);
const ids = Array.from({ length: 32 }, (_, row) => Array.from({ length: 9 }, (_, at) => (row * 7 + at * at * 3) % 50));
const labels = ids.map((row) => (row[0] + row[8]) % 3);
const losses = [];
for (let step = 0; step < 20; step++) {
  tidy(() => {
    const [output] = recurrent.forward(embedding.forward(tensor(ids, { dtype: 'int64' })));
    const loss = nn.functional.crossEntropy(
      linear.forward(output.mean({ dim: 1 })),
      tensor(labels, { dtype: 'int64' }),
    );
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
  });
}
const squares = modules.flatMap((part) => [...part.parameters()]).reduce((sum, p) => sum + p.mul(p).sum().item(), 0);
process.stdout.write(`${JSON.stringify({ platform: process.platform, arch: process.arch, losses, squares })}\n`);
