import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { load, manualSeed, nn, optim, save, type Tensor, tensor, tidy } from '../../../src/torch/index.js';
import { temporaryFolder } from '../../support/folder.js';

const path = join(temporaryFolder(), 'checkpoint.safetensors');

class Net extends nn.Module {
  embedding = new nn.Embedding(20, 8);
  rnn = new nn.LSTM(8, 6, { batchFirst: true });
  fc = new nn.Linear(6, 2);
  forward(x: Tensor): Tensor {
    const [, [h]] = this.rnn.forward(this.embedding.forward(x));
    return this.fc.forward(h.at(-1));
  }
}

const kinds = {
  Adam: (net: nn.Module) => new optim.Adam(net.parameters(), { lr: 0.05 }),
  AdamW: (net: nn.Module) => new optim.AdamW(net.parameters(), { lr: 0.05 }),
  'Adam with amsgrad': (net: nn.Module) => new optim.Adam(net.parameters(), { lr: 0.05, amsgrad: true }),
  'SGD with momentum': (net: nn.Module) => new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 }),
};

/** Steps over texts of which each has other words, so that most rows of the embedding are stepped late. */
function train(
  net: Net,
  optimizer: optim.Optimizer,
  scheduler: optim.lrScheduler.LRScheduler,
  from: number,
  to: number,
) {
  const losses: number[] = [];
  for (let step = from; step < to; step++) {
    losses.push(
      tidy(() => {
        optimizer.zeroGrad();
        const x = tensor([
          [step % 20, (step * 7) % 20, 3],
          [(step * 3) % 20, 5, (step * 11) % 20],
        ]);
        const loss = nn.functional.crossEntropy(net.forward(x), tensor([step % 2, (step >> 1) % 2]));
        loss.backward();
        optimizer.step();
        scheduler.step();
        return loss.item();
      }),
    );
  }
  return losses;
}

const state = (net: nn.Module) => Object.values(net.stateDict()).map((value) => value.toArray());

describe.each(Object.entries(kinds))('a training with %s', (_, make) => {
  const scheduled = (optimizer: optim.Optimizer) =>
    new optim.lrScheduler.StepLR(optimizer, { stepSize: 5, gamma: 0.5 });

  it('that is saved and resumed computes what one that saves and continues does, bit by bit', async () => {
    manualSeed(1);
    const whole = new Net();
    const first = new Net();
    first.loadStateDict(whole.stateDict());

    const wholeOptimizer = make(whole);
    const wholeScheduler = scheduled(wholeOptimizer);
    train(whole, wholeOptimizer, wholeScheduler, 0, 12);
    // Reading the state makes late rows catch up, which rounds once more: this run reads it, too.
    wholeOptimizer.stateDict();
    const expected = train(whole, wholeOptimizer, wholeScheduler, 12, 24);

    const firstOptimizer = make(first);
    const firstScheduler = scheduled(firstOptimizer);
    train(first, firstOptimizer, firstScheduler, 0, 12);
    // The optimizer's state goes first: the weights must have caught up with it.
    const optimizer = firstOptimizer.stateDict();
    await save({ step: 12, optimizer, net: first.stateDict(), scheduler: firstScheduler.stateDict() }, path);

    const resumed = new Net();
    const resumedOptimizer = make(resumed);
    const resumedScheduler = scheduled(resumedOptimizer);
    const checkpoint = await load<{
      step: number;
      net: nn.StateDict;
      optimizer: optim.OptimizerState;
      scheduler: optim.lrScheduler.SchedulerState;
    }>(path);
    resumed.loadStateDict(checkpoint.net);
    resumedOptimizer.loadStateDict(checkpoint.optimizer);
    resumedScheduler.loadStateDict(checkpoint.scheduler);
    const losses = train(resumed, resumedOptimizer, resumedScheduler, checkpoint.step, 24);

    expect(losses).toEqual(expected);
    expect(state(resumed)).toEqual(state(whole));
  });
});
