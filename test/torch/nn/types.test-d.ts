import { expectTypeOf, test } from 'vitest';
import { nn, noGrad, optim, type Tensor, tensor, tidy, trainEpoch } from '../../../src/torch/index.js';

test('recurrent layers return packed for packed and padded for padded', () => {
  const lstm = new nn.LSTM(3, 4);
  const gru = new nn.GRU(3, 4);
  const x = tensor([[[1.5, 2, 3]]]);
  const packed = nn.utils.rnn.packPaddedSequence(x, [1]);
  expectTypeOf(lstm.forward(x)).toEqualTypeOf<[output: Tensor, state: nn.LSTMState]>();
  expectTypeOf(lstm.forward(packed)[0]).toEqualTypeOf<nn.utils.rnn.PackedSequence>();
  expectTypeOf(gru.forward(packed)[1]).toEqualTypeOf<Tensor>();
  expectTypeOf(gru.weight_ih_l0).toEqualTypeOf<nn.Parameter | undefined>();
  // @ts-expect-error an LSTM takes two states
  lstm.forward(x, x);
  // @ts-expect-error options are camelCase
  new nn.LSTM(3, 4, { batch_first: true });
  // @ts-expect-error only an LSTM has a projection
  new nn.GRU(3, 4, { projSize: 2 });
});

test('lengths live on the CPU by type', () => {
  // @ts-expect-error a Float32Array is no list of lengths
  nn.utils.rnn.packPaddedSequence(tensor([[1]]), new Float32Array(1));
});

test('call has the types of forward, and the loops take a model with its own inputs', () => {
  class Net extends nn.Module {
    fc = new nn.Linear(2, 2);
    forward(x: Tensor, lengths: Int32Array): Tensor {
      return lengths.length > 0 ? this.fc.forward(x) : x;
    }
  }
  const net = new Net();
  expectTypeOf(net.call).parameters.toEqualTypeOf<[x: Tensor, lengths: Int32Array]>();
  expectTypeOf(net.call(tensor([1.5, 2]), new Int32Array(1))).toEqualTypeOf<Tensor>();
  expectTypeOf(trainEpoch(net, [], { optimizer: new optim.SGD(net.parameters()) })).resolves.toHaveProperty('accuracy');
});

test('noGrad and tidy give back what the function returns', () => {
  expectTypeOf(noGrad(() => 3)).toEqualTypeOf<number>();
  expectTypeOf(tidy(() => [tensor(1)])).toEqualTypeOf<Tensor[]>();
  expectTypeOf(tensor([1]).max()).toEqualTypeOf<Tensor>();
  expectTypeOf(tensor([1]).max({ dim: 0 }).indices).toEqualTypeOf<Tensor>();
  // @ts-expect-error no such dtype
  tensor([1], { dtype: 'float16' });
});
