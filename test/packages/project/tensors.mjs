// A tensor, a layer and a gradient, if there is a libtorch; else the code of the error and whether it names the command.
import { LibtorchError } from 'recurra';
import { nn, tensor } from 'recurra/torch';

try {
  const x = tensor([[0.5, 1.5, 2.5]], { requiresGrad: true });
  const [output] = new nn.LSTM(3, 4, { batchFirst: true }).forward(x.reshape([1, 1, 3]));
  output.sum().backward();
  console.log(JSON.stringify({ product: tensor([2]).mul(3).item(), gradient: x.grad.shape }));
} catch (error) {
  if (!(error instanceof LibtorchError)) throw error;
  console.log(JSON.stringify({ code: error.code, command: error.message.includes('npx recurra libtorch install') }));
}
