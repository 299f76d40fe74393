import { describe, expect, it } from 'vitest';
import { torch } from '../../../src/native/torch.js';
import { cat, manualSeed, nn, noGrad, optim, randint, type Tensor, tensor, tidy } from '../../../src/torch/index.js';
import { nativeOf } from '../../../src/torch/tensor/base.js';
import { difference, withKernels } from './support.js';

const { PackedSequence, packPaddedSequence, packSequence } = nn.utils.rnn;
const rows = 30;
const dims = 6;
const lengths = [4, 7, 1, 5];

const kinds = {
  RNN: (o: nn.RecurrentOptions) => new nn.RNN(dims, 5, o),
  LSTM: (o: nn.RecurrentOptions) => new nn.LSTM(dims, 5, o),
  GRU: (o: nn.RecurrentOptions) => new nn.GRU(dims, 5, o),
};
type Layer = {
  forward(x: Tensor | nn.utils.rnn.PackedSequence): [Tensor | nn.utils.rnn.PackedSequence, Tensor | [Tensor, Tensor]];
};

/** Everything that comes out of an embedding and a layer, and the gradient of every parameter. */
function run(make: (o: nn.RecurrentOptions) => nn.Module, packed: boolean, batchFirst: boolean): Tensor[] {
  manualSeed(4);
  const embedding = new nn.Embedding(rows, dims, { paddingIdx: 1 });
  const layer = make({ batchFirst, numLayers: 2, bidirectional: true }) as unknown as Layer & nn.Module;
  // Few words, so that they repeat, the padding among them.
  const ids = randint(0, 9, batchFirst ? [4, 7] : [7, 4]);
  const x = embedding.forward(ids);
  const [out, state] = layer.forward(packed ? packPaddedSequence(x, lengths, { batchFirst, enforceSorted: false }) : x);
  const output = out instanceof PackedSequence ? out.data : out;
  const states = Array.isArray(state) ? state : [state];
  const loss = [output, ...states]
    .map((t, i) =>
      t
        .mul(t)
        .mul(i + 1)
        .sum(),
    )
    .reduce((a, b) => a.add(b));
  loss.backward();
  const grads = [...embedding.parameters(), ...layer.parameters()].map((p) => p.grad!);
  return [output, ...states, ...grads];
}

describe('an embedding before a recurrent layer', () => {
  for (const [kind, make] of Object.entries(kinds)) {
    for (const packed of [false, true]) {
      for (const batchFirst of [false, true]) {
        it(`${kind}, ${packed ? 'packed' : 'padded'}, ${batchFirst ? 'batch' : 'time'} first: as libtorch's operators`, () => {
          tidy(() => {
            const [ours, theirs] = [true, false].map((on) => withKernels(on, () => run(make, packed, batchFirst)));
            ours!.forEach((tensor, i) => {
              expect(tensor.shape).toEqual(theirs![i]!.shape);
              expect(difference(tensor, theirs![i]!)).toBeLessThan(1e-5);
            });
            const padding = (ours!.at(-17) as Tensor).select(0, 1);
            expect(padding.toTypedArray()).toEqual(new Float32Array(dims));
          });
        });
      }
    }
  }

  function net() {
    manualSeed(2);
    const embedding = new nn.Embedding(rows, dims);
    return {
      embedding,
      lstm: new nn.LSTM(dims, 5, { batchFirst: true }),
      ids: tensor([
        [3, 3, 8],
        [2, 8, 0],
      ]),
    };
  }

  it('keeps its values when the weight moves before they are looked at, and its history', () => {
    tidy(() => {
      const { embedding, lstm, ids } = net();
      const before = noGrad(() => embedding.weight.clone());
      const [x, untouched] = [embedding.forward(ids), embedding.forward(ids)];
      const optimizer = new optim.Adam([...embedding.parameters(), ...lstm.parameters()], { lr: 0.1 });
      lstm.forward(x)[0].sum().backward();
      optimizer.step();
      expect(difference(embedding.weight, before)).toBeGreaterThan(0.05);
      for (const late of [x, untouched]) {
        expect(late.shape).toEqual([2, 3, dims]);
        expect(late.select(0, 0).select(0, 2).toTypedArray()).toEqual(before.select(0, 8).toTypedArray());
      }
      optimizer.zeroGrad();
      expect(x.requiresGrad).toBe(true);
      x.sum().backward();
      const counts = Array.from(embedding.weight.grad!.toTypedArray() as Float32Array).filter((_, i) => i % dims === 0);
      expect(counts.slice(0, 9)).toEqual([1, 0, 1, 2, 0, 0, 0, 0, 2]);
      optimizer.dispose();
    });
  });

  it('adds up what several users of the same vectors need', () => {
    const both = (on: boolean) =>
      withKernels(on, () => {
        const { embedding, lstm, ids } = net();
        const x = embedding.forward(ids);
        const packed = packPaddedSequence(x, [3, 2], { batchFirst: true });
        const mean = x.mean({ dim: 1 });
        const [, [h]] = lstm.forward(packed);
        const [, [again]] = lstm.forward(packed);
        const data = packed.data.square().sum();
        cat([h.at(-1), again.at(-1), mean], 1)
          .square()
          .sum()
          .add(data)
          .backward();
        return [embedding.weight.grad!, ...lstm.parameters().map((p) => p.grad!)];
      });
    tidy(() => {
      const [ours, theirs] = [both(true), both(false)];
      ours.forEach((grad, i) => {
        expect(difference(grad, theirs[i]!)).toBeLessThan(1e-5);
      });
    });
  });

  it('records nothing under noGrad, and nothing for a frozen weight', () => {
    tidy(() => {
      const { embedding, lstm, ids } = net();
      const made = noGrad(() => embedding.forward(ids));
      expect(made.requiresGrad).toBe(false);
      const fresh = noGrad(() => embedding.forward(ids));
      lstm.forward(fresh)[0].sum().backward();
      expect(embedding.weight.grad).toBeNull();
      expect(lstm.parameters()[0]!.grad).not.toBeNull();
      const inside = noGrad(() => lstm.forward(embedding.forward(ids))[0]);
      expect(inside.requiresGrad).toBe(false);
      embedding.requiresGrad_(false);
      lstm.forward(embedding.forward(ids))[0].sum().backward();
      expect(embedding.weight.grad).toBeNull();
    });
  });

  it('gives the error of any other input where the shape does not fit', () => {
    tidy(() => {
      const { embedding, ids } = net();
      const wide = new nn.LSTM(dims + 1, 5, { batchFirst: true });
      expect(() => wide.forward(embedding.forward(ids))).toThrow('shape [batch, time, 7]');
      expect(() => packPaddedSequence(embedding.forward(ids), [3, 4], { batchFirst: true })).toThrow('from 1 to 3');
      expect(() => embedding.forward(tensor([30]))).toThrow('ids from 0 to 29');
      const x = embedding.forward(ids);
      x.dispose();
      expect(x.isDisposed).toBe(true);
      expect(() => x.sum()).toThrow('disposed');
    });
  });

  it('takes sequences of an embedding one by one', () => {
    tidy(() => {
      const { embedding, lstm } = net();
      const sequences = [
        [3, 8, 8],
        [2, 1],
      ].map((words) => embedding.forward(tensor(words)));
      const one = lstm.forward(packSequence(sequences))[1][0];
      const two = withKernels(false, () => lstm.forward(packSequence(sequences))[1][0]);
      expect(difference(one, two)).toBeLessThan(1e-6);
    });
  });
});

describe('countCorrect', () => {
  it('counts as argmax does: the first of equal values, NaN before all', () => {
    const count = (logits: number[][], labels: number[]) =>
      tidy(() => {
        const [x, y] = [tensor(logits), tensor(labels)];
        const counted = torch().countCorrect(nativeOf(x), nativeOf(y));
        expect(counted).toBe(x.argmax({ dim: 1 }).eq(y).sum().item());
        return counted;
      });
    expect(
      count(
        [
          [1, 3, 2],
          [5, 5, 1],
          [0, Number.NaN, 9],
          [2, 1, 0],
        ],
        [1, 0, 1, 2],
      ),
    ).toBe(3);
    expect(count([[0.5], [-1]], [0, 0])).toBe(2);
    expect(
      count(
        [
          [0, 0],
          [1, 1],
        ],
        [1, 1],
      ),
    ).toBe(0);
  });
});
