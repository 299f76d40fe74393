// One process of a training of the tests: what scripts/golden/distributed.py does in PyTorch, and a line of JSON of the result.
import { readFileSync } from 'node:fs';
import { distributed, nn, optim, tensor, zeros } from '../../../dist/torch/index.js';

const golden = JSON.parse(readFileSync(new URL('../../fixtures/golden/distributed.json', import.meta.url), 'utf8'));
const [kind, bucketCapMb] = process.argv.slice(2);
const { initial } = golden.runs[kind];
const [words, dim] = [initial['embedding.weight'].length, initial['embedding.weight'][0].length];
const [classes, hidden] = [initial['fc.weight'].length, initial['fc.weight'][0].length];

class Net extends nn.Module {
  embedding = new nn.Embedding(words, dim);
  lstm = new nn.LSTM(dim, hidden, { batchFirst: true });
  fc = new nn.Linear(hidden, classes);

  forward(ids) {
    return this.fc.forward(this.lstm.forward(this.embedding.forward(ids))[0].mean({ dim: 1 }));
  }
}

try {
  await distributed.initProcessGroup({ timeout: 10 });
  const rank = distributed.getRank();
  const module = new Net();
  // Only rank 0 has PyTorch's values: the others get them from there.
  if (rank === 0)
    module.loadStateDict(Object.fromEntries(Object.entries(initial).map(([name, value]) => [name, tensor(value)])));
  const net = await nn.parallel.DistributedDataParallel.create(
    module,
    bucketCapMb ? { bucketCapMb: +bucketCapMb } : {},
  );
  const options = kind === 'SGD' ? { lr: 0.5, momentum: 0.9 } : { lr: 0.05 };
  const optimizer = new optim[kind](net.parameters(), options);
  const lossOf = (ids, labels) =>
    nn.functional.crossEntropy(net.forward(tensor(ids, { dtype: 'int64' })), tensor(labels, { dtype: 'int64' }));
  const losses = [];
  for (const [step, { ids, labels }] of golden.batches[rank].entries()) {
    optimizer.zeroGrad();
    if (step === 3) await net.noSync(() => lossOf([...ids].reverse(), labels).backwardAsync());
    const loss = lossOf(ids, labels);
    if (step === 4) loss.backward();
    else await loss.backwardAsync();
    optimizer.step();
    losses.push(loss.item());
  }
  const weights = Object.fromEntries(
    Object.entries(module.stateDict()).map(([name, value]) => [name, value.toArray()]),
  );
  const sums = (await distributed.allReduce(tensor([rank + 1, 10]))).toArray();
  const average = (await distributed.allReduce(tensor([rank + 0.5]), { op: 'avg' })).toArray();
  const largest = (await distributed.allReduce(tensor([rank, -rank]), { op: 'max' })).toArray();
  const told = (
    await distributed.broadcast(rank === 1 ? tensor([[5, 6]], { dtype: 'float32' }) : zeros([1, 2]), { src: 1 })
  ).toArray();
  const [a, b] = await Promise.all([
    distributed.allGather(tensor([rank])),
    distributed.allGather(tensor([[10 * rank]])),
  ]);
  const share = await distributed.reduceScatter([tensor([rank, 1]), tensor([rank, 2])]);
  await distributed.barrier();
  const wrong = await distributed
    .allReduce(tensor([1], { dtype: 'int64' }), { op: 'avg' })
    .catch((error) => error.message);
  await distributed.destroyProcessGroup();
  process.stdout.write(
    `${JSON.stringify({ rank, losses, weights, sums, average, largest, told, gathered: [...a, ...b].map((one) => one.toArray()), share: share.toArray(), wrong })}\n`,
  );
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: error.message, code: error.code, at: error.rank })}\n`);
  process.exitCode = 1;
}
