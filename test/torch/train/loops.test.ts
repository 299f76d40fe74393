import { describe, expect, it } from 'vitest';
import { trainEpochEmb } from '../../../src/lesson/index.js';
import {
  type Batch,
  evaluate,
  keep,
  manualSeed,
  nn,
  optim,
  type Tensor,
  tensor,
  trainEpoch,
  zeros,
} from '../../../src/torch/index.js';

class Packed extends nn.Module {
  embedding = new nn.Embedding(20, 8);
  rnn = new nn.LSTM(8, 8, { batchFirst: true });
  fc = new nn.Linear(8, 2);
  forward(x: Tensor, lengths: Int32Array): Tensor {
    const packed = nn.utils.rnn.packPaddedSequence(this.embedding.forward(x), lengths, {
      batchFirst: true,
      enforceSorted: false,
    });
    return this.fc.forward(this.rnn.forward(packed)[1][0].at(-1));
  }
}

class Bag extends nn.Module {
  embedding = new nn.EmbeddingBag(20, 8);
  fc = new nn.Linear(8, 2);
  forward(text: Tensor, offsets: Tensor): Tensor {
    return this.fc.forward(this.embedding.forward(text, offsets));
  }
}

// The label of a text says whether its words are below 10.
const rows = Array.from({ length: 64 }, (_, i) => ({
  label: i % 2,
  words: Array.from({ length: 1 + (i % 5) }, (_, j) => ((i * 7 + j * 3) % 10) + 10 * (i % 2)),
}));

function* batches(size = 8): Generator<Batch> {
  for (let start = 0; start < rows.length; start += size) {
    const part = rows.slice(start, start + size);
    const longest = Math.max(...part.map(({ words }) => words.length));
    const padded = part.map(({ words }) => [...words, ...new Array<number>(longest - words.length).fill(0)]);
    yield [tensor(part.map(({ label }) => label)), tensor(padded), Int32Array.from(part, ({ words }) => words.length)];
  }
}

const repeat = (size?: number) => ({ [Symbol.iterator]: () => batches(size) });

describe('trainEpoch', () => {
  it('learns, and evaluate measures it', async () => {
    manualSeed(1);
    const net = new Packed();
    const optimizer = new optim.Adam(net.parameters(), { lr: 0.02 });
    const before = await evaluate(net, repeat());
    let last = await trainEpoch(net, repeat(), { optimizer });
    for (let epoch = 0; epoch < 6; epoch++) last = await trainEpoch(net, repeat(), { optimizer });
    expect(last).toMatchObject({ count: 64, accuracy: 1 });
    const after = await evaluate(net, repeat(16));
    expect(after.accuracy).toBe(1);
    expect(after.loss).toBeLessThan(before.loss / 5);
    expect(net.training).toBe(true);
  });

  it('returns the lesson’s figures: the sum of batch means divided by samples', async () => {
    const net = new Packed();
    const optimizer = new optim.SGD(net.parameters(), { lr: 0 });
    const trained = await trainEpoch(net, repeat(8), { optimizer });
    const { loss, accuracy } = await evaluate(net, repeat(8));
    expect(trained.loss).toBeCloseTo(loss / 8, 6);
    expect(trained.accuracy).toBe(accuracy);
  });

  it('gives the loss per sample also with batches of different sizes', async () => {
    const net = new Packed();
    const whole = await evaluate(net, repeat(64));
    const parts = await evaluate(net, repeat(10));
    expect(parts.loss).toBeCloseTo(whole.loss, 6);
    expect(parts.count).toBe(64);
  });

  it('reports, and ends once more samples than epochSize were seen', async () => {
    const counts: number[] = [];
    const result = await trainEpoch(new Packed(), repeat(), {
      epochSize: 24,
      reportEvery: 2,
      onProgress: ({ count, batches }) => counts.push(count / batches, count),
    });
    expect(result.count).toBe(32);
    expect(counts).toEqual([8, 16, 8, 32]);
  });

  it('makes an Adam of rate 0.01 if none is given', async () => {
    const [a, b] = [new Packed(), new Packed()];
    b.loadStateDict(a.stateDict());
    await trainEpoch(a, repeat());
    await trainEpoch(b, repeat(), { optimizer: new optim.Adam(b.parameters(), { lr: 0.01 }) });
    expect(a.fc.weight.toArray()).toEqual(b.fc.weight.toArray());
  });

  it('stops before a step by a loss that is not finite, naming the batch', async () => {
    const net = new Packed();
    let calls = 0;
    const lossFn = (logits: Tensor, labels: Tensor) =>
      nn.functional.crossEntropy(logits, labels).mul(++calls === 3 ? Number.NaN : 1);
    let before: unknown;
    const onProgress = () => {
      before = net.fc.weight.toArray();
    };
    await expect(trainEpoch(net, repeat(), { lossFn, reportEvery: 2, onProgress })).rejects.toMatchObject({
      code: 'NON_FINITE_LOSS',
      message: expect.stringContaining('batch 3 '),
    });
    expect(net.fc.weight.toArray()).toEqual(before);
  });

  it('ends when it is aborted, keeping what was learned', async () => {
    const net = new Packed();
    const before = net.fc.weight.toArray();
    const controller = new AbortController();
    const options = {
      signal: controller.signal,
      reportEvery: 2,
      onProgress: () => controller.abort(new Error('enough')),
    };
    await expect(trainEpoch(net, repeat(), options)).rejects.toMatchObject({
      code: 'ABORTED',
      cause: { message: 'enough' },
    });
    expect(net.fc.weight.toArray()).not.toEqual(before);
    await expect(trainEpoch(net, repeat(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(evaluate(net, repeat(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('disposes what the loader makes for a batch, but nothing else', async () => {
    const made: Tensor[] = [];
    const shared = zeros([8], { dtype: 'int64' });
    const cached = keep(tensor([[1]]));
    function* source(): Generator<Batch> {
      const all = tensor([[1], [2]]);
      for (let i = 0; i < 2; i++) {
        const batch: Batch = [shared.slice({ end: 2 }), all.mul(1), new Int32Array([1, 1])];
        made.push(batch[0], batch[1] as Tensor);
        yield batch;
        expect(all.isDisposed).toBe(false);
      }
      yield [shared.slice({ end: 1 }), cached, new Int32Array([1])];
    }
    await trainEpoch(new Packed(), source());
    expect(made.every((t) => t.isDisposed)).toBe(true);
    expect([shared.isDisposed, cached.isDisposed]).toEqual([false, false]);
    const list = [...batches()];
    await trainEpoch(new Packed(), list);
    await trainEpoch(new Packed(), list);
    async function* later(): AsyncGenerator<Batch> {
      yield* list;
    }
    expect((await trainEpoch(new Packed(), later())).count).toBe(64);
  });

  it('lets the event loop run', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    function* many(): Generator<Batch> {
      const until = performance.now() + 200;
      while (performance.now() < until) yield* batches();
    }
    await trainEpoch(new Packed(), many());
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(8);
  });

  it('trains bags by offsets, and packs by lengths', async () => {
    function* bags(): Generator<Batch> {
      for (let start = 0; start < rows.length; start += 8) {
        const part = rows.slice(start, start + 8);
        let at = 0;
        const offsets = part.map(({ words }) => {
          at += words.length;
          return at - words.length;
        });
        yield [tensor(part.map(({ label }) => label)), tensor(part.flatMap(({ words }) => words)), tensor(offsets)];
      }
    }
    const net = new Bag();
    const optimizer = new optim.Adam(net.parameters(), { lr: 0.05 });
    for (let epoch = 0; epoch < 5; epoch++) await trainEpochEmb(net, bags(), { optimizer });
    expect((await evaluate(net, bags())).accuracy).toBe(1);
    expect((await trainEpochEmb(new Packed(), repeat(), { usePackSequence: true })).count).toBe(64);
  });

  it.each<[string, unknown, unknown, object, string]>([
    ['no module', {}, [], {}, 'INVALID_ARGUMENT'],
    ['no loader', new Bag(), 5, {}, 'INVALID_ARGUMENT'],
    ['no batches', new Bag(), [], {}, 'EMPTY_DATASET'],
    ['a batch that is none', new Bag(), [tensor([1])], {}, 'INVALID_ARGUMENT'],
    ['labels of two dimensions', new Bag(), [[tensor([[1]]), tensor([1]), tensor([0])]], {}, 'INVALID_SHAPE'],
    ['a label that is no class', new Bag(), [[tensor([2]), tensor([1]), tensor([0])]], {}, 'OUT_OF_RANGE'],
    ['more logits than labels', new Bag(), [[tensor([1]), tensor([1, 1]), tensor([0, 1])]], {}, 'INVALID_SHAPE'],
    ['an optimizer that is none', new Bag(), [], { optimizer: {} }, 'INVALID_ARGUMENT'],
    ['an unknown option', new Bag(), [], { epoch_size: 3 }, 'INVALID_ARGUMENT'],
    ['a rate below zero', new Bag(), [], { lr: -1 }, 'OUT_OF_RANGE'],
    ['a signal that is none', new Bag(), [], { signal: 1 }, 'INVALID_ARGUMENT'],
  ])('refuses %s', async (_, net, loader, options, code) => {
    await expect(trainEpoch(net as Bag, loader as Batch[], options)).rejects.toMatchObject({ code });
  });
});
