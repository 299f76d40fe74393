// What a GPU computes: that of the CPU and of PyTorch. Runs where there is one, and says so where not.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TextClassifier } from '../../../src/index.js';
import {
  amp,
  cuda,
  loadFile,
  manualSeed,
  nn,
  ones,
  optim,
  saveFile,
  setFloat32MatmulPrecision,
  type Tensor,
  tensor,
  trainEpoch,
  zeros,
} from '../../../src/torch/index.js';
import { codeOf, expectClose } from '../../support/close.js';
import { temporaryFolder } from '../../support/folder.js';
import { cases, makeLayer, run } from '../../support/recurrentGolden.js';
import { goldenFile, readSafetensors } from '../../support/safetensors.js';
import { small as base, rows } from './rows.js';

const { available, reason } = cuda.status();
if (!available) console.warn(`skipped: everything that computes on a GPU: ${reason}`);
const device = 'cuda';
const folder = temporaryFolder();
const { packPaddedSequence } = nn.utils.rnn;
const onCpu = (value: Tensor | null | undefined) => value!.to({ device: 'cpu' });

/** The lesson's network, small. */
class Net extends nn.Module {
  embedding = new nn.Embedding(50, 8, { paddingIdx: 0 });
  rnn = new nn.LSTM(8, 6, { batchFirst: true });
  fc = new nn.Linear(6, 3);
  forward(x: Tensor): Tensor {
    return this.fc.forward(this.rnn.forward(this.embedding.forward(x))[1][0].at(-1));
  }
}

function batches(count: number): [Tensor, Tensor][] {
  return Array.from({ length: count }, (_, i) => [
    tensor([i % 3, (i + 1) % 3]),
    tensor([
      [1 + (i % 40), 2 + (i % 30), 3],
      [4, 5 + (i % 20), 0],
    ]),
  ]);
}

const small = { ...base, epochs: 3 };

describe.skipIf(!available)('on a GPU', () => {
  describe.each(cases)('PyTorch golden case $name', (one) => {
    const path = goldenFile(`${one.name}.safetensors`);

    it.skipIf(!path)('has equal outputs, final states and gradients', () => {
      const values = readSafetensors(path!);
      const layer = makeLayer(one).to({ device });
      const state = Object.entries(values).filter(([name]) => name.startsWith('param.'));
      layer.loadStateDict(Object.fromEntries(state.map(([name, value]) => [name.slice(6), value])));
      const there: Record<string, Tensor> = {};
      for (const [name, value] of Object.entries(values)) there[name] = value.to({ device });
      const inputs = ['x', 'h0', 'c0'].filter((name) => there[name]);
      for (const name of inputs) there[name]!.requiresGrad = true;
      const input = one.packed
        ? packPaddedSequence(there.x!, one.lengths!, { batchFirst: true, enforceSorted: false })
        : there.x!;
      const { output, hn, cn } = run(layer, input, one, there.h0, there.c0);
      expectClose(onCpu(output), values.output!, 1e-4);
      expectClose(onCpu(hn), values.hn!, 1e-4);
      let loss = output.mul(there.weight_on_output!).sum().add(hn.mul(there.weight_on_hn!).sum());
      if (cn) {
        expectClose(onCpu(cn), values.cn!, 1e-4);
        loss = loss.add(cn.mul(there.weight_on_cn!).sum());
      }
      loss.backward();
      for (const name of inputs) expectClose(onCpu(there[name]!.grad), values[`grad.${name}`]!, 1e-4, name);
      for (const [name, parameter] of layer.namedParameters())
        expectClose(onCpu(parameter.grad), values[`grad.param.${name}`]!, 1e-4, name);
    });
  });

  it('names its tensors by their device, and refuses to mix devices', () => {
    const x = ones([2, 2], { device });
    expect(x.device).toBe('cuda:0');
    expect(x.to({ device }).device).toBe('cuda:0');
    expect(x.add(1).to({ device: 'cpu' }).toArray()).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect(codeOf(() => x.add(ones([2, 2])))).toBe('INVALID_DEVICE');
    expect(codeOf(() => x.to({ device: 'cuda:99' }))).toBe('INVALID_DEVICE');
  });

  it('has the numbers of a seed that was set before CUDA was opened', () => {
    manualSeed(5);
    const first = zeros([4], { device }).uniform_(0, 1).toArray();
    manualSeed(5);
    expect(zeros([4], { device }).uniform_(0, 1).toArray()).toEqual(first);
  });

  it('refuses ids outside their range, and works on', () => {
    const embedding = new nn.Embedding(5, 3, { device });
    expect(codeOf(() => embedding.forward(tensor([1, 5]).to({ device })))).toBe('OUT_OF_RANGE');
    // Written to after they were looked at.
    const ids = tensor([1, 2]).to({ device });
    ids.add_(3);
    expect(codeOf(() => embedding.forward(ids))).toBe('OUT_OF_RANGE');
    expect(embedding.forward(tensor([1, 4]).to({ device })).shape).toEqual([2, 3]);
  });

  it('refuses what cuDNN cannot compute before the call', () => {
    const rnn = new nn.RNN(1, 1, { batchFirst: true, device });
    expect(codeOf(() => rnn.forward(zeros([1, 65_536, 1], { device })))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => rnn.forward(zeros([65_536, 1, 1], { device })))).toBe('OUT_OF_RANGE');
  });

  it('says that its memory is full by a code, and works on', () => {
    expect(codeOf(() => zeros([1 << 21, 1 << 21], { device }))).toBe('OUT_OF_MEMORY');
    expect(ones([2], { device }).sum().item()).toBe(2);
  });

  it('trains as the CPU does, and files go from one to the other', async () => {
    const train = async (where: 'cpu' | 'cuda') => {
      manualSeed(1);
      const net = new Net().to({ device: where });
      const optimizer = new optim.Adam(net.parameters(), { lr: 0.01 });
      const reported: number[] = [];
      const result = await trainEpoch(net, batches(30), {
        optimizer,
        reportEvery: 10,
        onProgress: ({ loss }) => reported.push(loss),
      });
      return { net, result, reported };
    };
    const [cpu, gpu] = [await train('cpu'), await train('cuda')];
    expect(gpu.reported).toHaveLength(3);
    expect(gpu.result.loss).toBeCloseTo(cpu.result.loss, 4);
    expect(gpu.result.accuracy).toBe(cpu.result.accuracy);
    for (const [name, value] of Object.entries(gpu.net.stateDict()))
      expectClose(onCpu(value), cpu.net.stateDict()[name]!, 1e-4, name);
    const path = join(folder, 'net.safetensors');
    await saveFile(gpu.net.stateDict(), path);
    const loaded = new Net();
    loaded.loadStateDict((await loadFile(path)).tensors);
    expectClose(loaded.fc.weight, cpu.net.fc.weight, 1e-4);
    gpu.net.loadStateDict(cpu.net.stateDict());
    expectClose(onCpu(gpu.net.rnn.weight_hh_l0!), cpu.net.rnn.weight_hh_l0!, 0);
    gpu.net.to({ device: 'cpu' });
    expect(gpu.net.forward(tensor([[1, 2]])).shape).toEqual([1, 3]);
  });

  it('computes under autocast in bfloat16, cuDNN too, and trains so', async () => {
    manualSeed(2);
    const net = new Net();
    const [[labels, ids]] = batches(1) as [[Tensor, Tensor]];
    const exact = nn.functional.crossEntropy(net.forward(ids), labels).item();
    net.to({ device });
    const [logits, loss] = amp.autocast({ deviceType: 'cuda' }, () => {
      const x = net.embedding.forward(ids.to({ device }));
      expect(net.rnn.forward(x)[0].dtype).toBe('bfloat16');
      const logits = net.forward(ids.to({ device }));
      return [logits, nn.functional.crossEntropy(logits, labels.to({ device }))] as const;
    });
    expect([logits.dtype, loss.dtype]).toEqual(['bfloat16', 'float32']);
    expect(loss.item()).toBeCloseTo(exact, 1);
    loss.backward();
    expect(net.rnn.weight_ih_l0!.grad!.dtype).toBe('float32');
    const { loss: before } = await trainEpoch(net, batches(30), { precision: 'bfloat16' });
    expect((await trainEpoch(net, batches(30), { precision: 'bfloat16' })).loss).toBeLessThan(before);
  });

  it('keeps the weights from before a loss that is not finite', async () => {
    const net = new Net().to({ device });
    let calls = 0;
    const lossFn = (logits: Tensor, labels: Tensor) =>
      nn.functional.crossEntropy(logits, labels).mul(++calls === 5 ? Number.NaN : 1);
    await expect(trainEpoch(net, batches(20), { lossFn, reportEvery: 8 })).rejects.toMatchObject({
      code: 'NON_FINITE_LOSS',
      message: expect.stringContaining('batch 5'),
    });
    expect(net.fc.weight.isfinite().all().item()).toBeTruthy();
  });

  it('trains a classifier to the one of the CPU, which loads, resumes and explains on both', async () => {
    const cpu = await TextClassifier.train(rows, small);
    const checkpoint = { path: join(folder, 'training'), everyEpoch: true };
    const gpu = await TextClassifier.train(rows, { ...small, device, checkpoint });
    const path = join(folder, 'model.safetensors');
    await gpu.save(path);
    const [a, b] = [await cpu.predict('the cat'), await gpu.predict('the cat')];
    expect(b.label).toBe(a.label);
    expect(b.probability).toBeCloseTo(a.probability, 3);
    expect((await (await TextClassifier.load(path)).predict('the cat')).probability).toBeCloseTo(b.probability, 5);
    expect((await gpu.explain('the cat')).label).toBe('animal');
    for (const where of ['cpu', 'cuda'] as const) {
      const more = await TextClassifier.train(rows, { resume: checkpoint.path, epochs: 5, device: where });
      expect((await more.predict('the saw')).label).toBe('tool');
    }
  });

  it('trains in bfloat16, and in TF32, to about the same', async () => {
    const mixed = await TextClassifier.train(rows, { ...small, device, precision: 'bfloat16' });
    expect((await mixed.predict('the cat')).label).toBe('animal');
    setFloat32MatmulPrecision('high');
    try {
      const model = await TextClassifier.train(rows, { ...small, device });
      expect((await model.predict('the cat')).label).toBe('animal');
    } finally {
      setFloat32MatmulPrecision('highest');
    }
  });
});
