// With RECURRA_FAULT set, the recurrent layer's forward or backward pass meets a fault. Prints what each step gave, as JSON.
import { manualSeed, nn, optim, randn } from '../../../dist/torch/index.js';
import { codeOf } from './common.mjs';

manualSeed(1);
const layer = new nn.LSTM(6, 5, { batchFirst: true });
const x = randn([4, 7, 6], { requiresGrad: true });
const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
const step = async () => {
  optimizer.zeroGrad();
  const [output] = layer.forward(x);
  const loss = output.square().mean();
  loss.backward();
  optimizer.step();
  return loss.item();
};
const codes = [];
const losses = [];
for (let i = 0; i < 5; i++) {
  codes.push(
    await codeOf(async () => {
      losses.push(await step());
    }),
  );
}
console.log(JSON.stringify({ codes, losses }));
