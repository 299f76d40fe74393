import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { load, loadFile, nn, ones, optim, save, type Tensor, tensor, zeros } from '../../../src/torch/index.js';
import { codeOf, expectClose } from '../../support/close.js';
import { temporaryFolder } from '../../support/folder.js';
import { golden } from '../../support/safetensors.js';

interface Continued {
  lr: number[];
  losses: number[];
  fc: number[][];
  embedding: number[][];
}
interface Checkpoint {
  epoch: number;
  best: number;
  done: boolean;
  name: null;
  net: nn.StateDict;
  optimizer: optim.PyTorchOptimizerState;
  scheduler: optim.lrScheduler.SchedulerState;
  half: Tensor;
  bytes: Tensor;
  turned: Tensor;
}

/** How PyTorch's trainings go on from the checkpoints. */
const pytorch = JSON.parse(readFileSync(join(golden, 'checkpoint.json'), 'utf8')) as Record<string, Continued>;
const pathOf = (name: string) => join(golden, `checkpoint-${name}.pt`);

class Net extends nn.Module {
  embedding = new nn.Embedding(12, 4);
  rnn = new nn.GRU(4, 3, { batchFirst: true });
  fc = new nn.Linear(3, 2);
  forward(x: Tensor): Tensor {
    return this.fc.forward(this.rnn.forward(this.embedding.forward(x))[1].at(-1));
  }
}

const groups = (net: Net) => {
  const rest = net.namedParameters().filter(([name]) => !name.startsWith('fc'));
  return [{ params: rest.map(([, parameter]) => parameter) }, { params: net.fc.parameters() }];
};
// With other options than the checkpoint's, which has its own.
const optimizers: Record<string, (net: Net) => optim.Optimizer> = {
  adam: (net) => new optim.Adam(net.parameters()),
  adamw: (net) => new optim.AdamW(groups(net)),
  sgd: (net) => new optim.SGD(net.parameters(), { lr: 1 }),
};
const ids = tensor([
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
  [10, 11, 0],
]);
const labels = tensor([0, 1, 1, 0]);

describe.each(Object.entries(optimizers))('a checkpoint of PyTorch, with %s', (name, make) => {
  it("goes on as PyTorch's own training does", async () => {
    const checkpoint = await load<Checkpoint>(pathOf(name));
    const net = new Net();
    net.loadStateDict(checkpoint.net);
    const optimizer = make(net);
    optimizer.loadStateDict(checkpoint.optimizer);
    const scheduler = new optim.lrScheduler.StepLR(optimizer, { stepSize: 4, gamma: 0.5 });
    scheduler.loadStateDict(checkpoint.scheduler);
    const losses: number[] = [];
    for (let step = 0; step < 5; step++) {
      optimizer.zeroGrad();
      const loss = nn.functional.crossEntropy(net.forward(ids), labels);
      loss.backward();
      optimizer.step();
      scheduler.step();
      losses.push(loss.item());
    }
    const expected = pytorch[name]!;
    expect(optimizer.paramGroups.map(({ lr }) => lr)).toEqual(expected.lr);
    expectClose(tensor(losses), tensor(expected.losses), 1e-5, 'losses');
    expectClose(net.fc.weight.detach(), tensor(expected.fc), 1e-5, 'fc');
    expectClose(net.embedding.weight.detach(), tensor(expected.embedding), 1e-5, 'embedding');
  });
});

describe('the state of a scheduler of PyTorch', () => {
  it('is taken by ReduceLROnPlateau', () => {
    const sgd = new optim.SGD([new nn.Parameter(ones([1]))], { lr: 1 });
    const scheduler = new optim.lrScheduler.ReduceLROnPlateau(sgd, { patience: 1 });
    scheduler.loadStateDict({ best: 0.5, cooldown_counter: 0, num_bad_epochs: 1, last_epoch: 4, mode: 'min' });
    expect(scheduler.stateDict()).toEqual({ lastEpoch: 4, numBadEpochs: 1, best: 0.5, cooldownCounter: 0 });
    scheduler.step(0.6);
    expect(sgd.paramGroups[0]!.lr).toBeCloseTo(0.1);
  });

  it('is refused where it is none', () => {
    const sgd = new optim.SGD([new nn.Parameter(ones([1]))], { lr: 1 });
    const scheduler = new optim.lrScheduler.StepLR(sgd, { stepSize: 1 });
    expect(() => scheduler.loadStateDict(undefined as never)).toThrow(
      'what stateDict() returns for state of the scheduler',
    );
    expect(() => scheduler.loadStateDict({ base_lrs: [1] })).toThrow(
      /lastEpoch of the scheduler state but received undefined/,
    );
  });
});

describe('load of a file of torch.save', () => {
  it('gives plain values and tensors', async () => {
    const { epoch, best, done, name, half, bytes, turned, optimizer } = await load<Checkpoint>(pathOf('adam'));
    expect([epoch, best, done, name]).toEqual([5, 0.25, false, null]);
    expect([half.dtype, half.toArray()]).toEqual(['float32', [0.5, -2]]);
    expect([bytes.dtype, bytes.toArray()]).toEqual(['int32', [0, 255]]);
    expect(turned.toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(optimizer.param_groups[0]).toMatchObject({
      betas: [0.9, 0.999],
      weight_decay: 0.01,
      params: [0, 1, 2, 3, 4, 5, 6],
    });
  });

  it('can be saved here, and loaded again', async () => {
    const path = join(temporaryFolder(), 'again.safetensors');
    const checkpoint = await load<Checkpoint>(pathOf('adam'));
    await save(checkpoint, path);
    const again = await load<Checkpoint>(path);
    const optimizer = new optim.Adam(new Net().parameters());
    optimizer.loadStateDict(again.optimizer);
    expect(optimizer.paramGroups[0]).toMatchObject({ amsgrad: true, weightDecay: 0.01 });
  });

  it('of loadFile has the tensors by their paths', async () => {
    const { tensors, metadata } = await loadFile(pathOf('sgd'));
    expect(metadata).toEqual({});
    expect(Object.keys(tensors)).toEqual(
      expect.arrayContaining(['net.fc.weight', 'optimizer.state.0.momentum_buffer']),
    );
    const linear = new nn.Linear(3, 2);
    linear.loadStateDict(tensors, { prefix: 'net.fc.' });
    expect(linear.weight.toArray()).toEqual(tensors['net.fc.weight']!.toArray());
    const fixture = join(import.meta.dirname, '../../fixtures/imported/lstm.pt');
    expect(Object.keys(await load(fixture))).toContain('rnn.weight_ih_l0');
  });
});

describe('the state of an optimizer of PyTorch', () => {
  const [a, b] = [new nn.Parameter(ones([2])), new nn.Parameter(zeros([3]))];
  const moments = (size: number) => ({ step: tensor(2), exp_avg: zeros([size]), exp_avg_sq: ones([size]) });
  const options = { lr: 0.5, betas: [0.9, 0.99], eps: 1e-8, weight_decay: 0, amsgrad: false, maximize: false };
  const unused = { foreach: null, capturable: false, differentiable: false, fused: null, param_names: ['a', 'b'] };
  const group = (...params: number[]) => ({ ...options, ...unused, decoupled_weight_decay: false, params });
  const state = (value: unknown) => value as optim.PyTorchOptimizerState;
  const said = (value: unknown, make = () => new optim.Adam([a, b]) as optim.Optimizer): string => {
    try {
      make().loadStateDict(state(value));
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };

  it('is that of optimizer.stateDict() afterwards', () => {
    const adam = new optim.Adam([a, b]);
    adam.loadStateDict(state({ state: { 0: moments(2), 1: moments(3) }, param_groups: [group(0, 1)] }));
    expect(adam.stateDict().paramGroups).toEqual([
      { lr: 0.5, betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0, amsgrad: false, maximize: false, params: [0, 1] },
    ]);
    expect(adam.stateDict().state[1]!.exp_avg_sq!.toArray()).toEqual([1, 1, 1]);
    expect(adam.stateDict().state[1]!.step!.item()).toBe(2);
  });

  it('may have steps as numbers, a momentum that has not begun, and parameters by other numbers', () => {
    const adam = new optim.Adam([a, b]);
    const numbered = { 70: { ...moments(2), step: 7 }, 30: moments(3) };
    adam.loadStateDict(state({ state: numbered, param_groups: [{ ...group(70, 30), initial_lr: 1, max_lr: 2 }] }));
    expect(adam.stateDict().state[0]!.step!.item()).toBe(7);
    expect(adam.paramGroups[0]!.initialLr).toBe(1);
    const sgd = new optim.SGD([a], { lr: 1, momentum: 0.9 });
    sgd.loadStateDict(
      state({ state: { 0: { momentum_buffer: null } }, param_groups: [{ lr: 2, momentum: 0.9, params: [0] }] }),
    );
    expect([sgd.paramGroups[0]!.lr, Object.keys(sgd.stateDict().state)]).toEqual([2, []]);
  });

  it.each<[string, unknown, RegExp]>([
    [
      'a checkpoint as a whole',
      { epoch: 1, optimizer: { state: {}, param_groups: [] } },
      /; pass the property optimizer of this object$/,
    ],
    [
      'states in a list',
      { optimizer_states: [{ state: {}, param_groups: [] }] },
      /; pass the property optimizer_states\[0\] of/,
    ],
    ['names of a file', { 'state.0.exp_avg': zeros([2]) }, /load\(path\) gives the whole value$/],
    ['no groups', { state: {} }, /lacks paramGroups \(PyTorch's param_groups\)$/],
    ['no state', { param_groups: [] }, /; this object lacks state$/],
    ['neither', { a: 1 }, /; this object lacks state and paramGroups \(PyTorch's param_groups\)$/],
    [
      'no second moment',
      { state: { 1: { step: tensor(1), exp_avg: zeros([3]) } }, param_groups: [group(0, 1)] },
      /does not fit this Adam:\n {2}exp_avg_sq of parameter 1 is missing$/,
    ],
    [
      'no maximum',
      { state: { 0: moments(2) }, param_groups: [{ ...group(0, 1), amsgrad: true }] },
      /max_exp_avg_sq of parameter 0 is missing/,
    ],
    [
      'another number of parameters',
      { state: {}, param_groups: [group(0)] },
      /group 0: expected 2 parameters, received 1/,
    ],
    [
      'another shape',
      { state: { 0: moments(5) }, param_groups: [group(0, 1)] },
      /exp_avg of parameter 0: expected shape \[2\], received \[5\]/,
    ],
    [
      'a parameter that no group has',
      { state: { 9: moments(2) }, param_groups: [group(0, 1)] },
      /exp_avg of parameter 9: there is no such parameter/,
    ],
    ['an unknown option', { state: {}, param_groups: [{ ...group(0, 1), rho: 1 }] }, /received string "rho"/],
    [
      'the decay of AdamW',
      { state: {}, param_groups: [{ ...group(0, 1), decoupled_weight_decay: true }] },
      /one of AdamW, not of Adam; make an optim\.AdamW/,
    ],
  ])('is refused with %s', (_, value, message) => expect(said(value)).toMatch(message));

  it('is refused of Adam by AdamW', () => {
    expect(said({ state: {}, param_groups: [group(0, 1)] }, () => new optim.AdamW([a, b]))).toMatch(
      /one of Adam, not of AdamW/,
    );
    expect(codeOf(() => new optim.AdamW([a, b]).loadStateDict(state({ state: {}, param_groups: [group(0, 1)] })))).toBe(
      'STATE_MISMATCH',
    );
  });
});
