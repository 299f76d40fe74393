import { describe, expect, it } from 'vitest';
import * as torch from '../../src/torch/index.js';
import { pythonName } from '../../src/torch/tensor/python.js';
import { codeOf } from '../support/close.js';

const { nn, ones, optim, tensor } = torch;
const { lrScheduler } = optim;
const net = new nn.LSTM(2, 3);
const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });

const objects: [string, object][] = [
  ['a tensor', ones([2])],
  ['a parameter', new nn.Parameter(ones([2]))],
  ['a module', net],
  ['a linear layer', new nn.Linear(2, 2)],
  ['an embedding', new nn.Embedding(2, 2)],
  ['the class Embedding', nn.Embedding],
  ['a bag', new nn.EmbeddingBag(2, 2)],
  ['the class EmbeddingBag', nn.EmbeddingBag],
  ['a cell', new nn.GRUCell(2, 2)],
  ['a loss', new nn.CrossEntropyLoss()],
  ['another loss', new nn.NLLLoss()],
  ['an optimizer', optimizer],
  ['a scheduler', new lrScheduler.StepLR(optimizer, { stepSize: 1 })],
  ['ReduceLROnPlateau', new lrScheduler.ReduceLROnPlateau(optimizer)],
  ['torch', torch],
  ['nn.functional', nn.functional],
  ['nn.init', nn.init],
  ['nn.utils', nn.utils],
  ['nn.utils.rnn', nn.utils.rnn],
];

/** The names in Python's spelling that an object has: all of them throw. */
function pythonNames(object: object): string[] {
  const names = new Set<string>();
  const isNamespace = Object.prototype.toString.call(object) === '[object Module]';
  for (let at: object | null = object; at && at !== Object.prototype && at !== Function.prototype; ) {
    for (const name of Object.getOwnPropertyNames(at)) {
      const isOwnField = at === object && !isNamespace && typeof object !== 'function';
      if (/^[a-z]+(_[a-z]+)+_?$/.test(name) && !isOwnField) names.add(name);
    }
    at = Object.getPrototypeOf(at) as object | null;
  }
  return [...names];
}

/** What a use of a name throws. */
function messageOf(object: object, name: string): string {
  try {
    const value = (object as Record<string, unknown>)[name];
    if (typeof value === 'function') (value as () => void).call(object);
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
}

describe("PyTorch's names in Python's spelling", () => {
  it.each(objects)('of %s throw, and name what is there', (_, object) => {
    const names = pythonNames(object);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const message = messageOf(object, name);
      expect(message, name).toMatch(/^PyTorch's \S+ is /);
      const here = /^PyTorch's \S+ is (?:\w+\.)*(\w+)(\(\))?: names are in camelCase here$/.exec(message);
      // The others, such as cuda(), say what to write instead.
      if (here) expect(object, name).toHaveProperty(here[1]!);
    }
  });

  it.each<[string, () => unknown, string]>([
    [
      'net.state_dict()',
      () => (net as never as { state_dict(): void }).state_dict(),
      'net.state_dict() is net.stateDict()',
    ],
    [
      'net.hidden_size',
      () => (net as never as { hidden_size: number }).hidden_size,
      'rnn.hidden_size is rnn.hiddenSize',
    ],
    [
      'optimizer.zero_grad()',
      () => (optimizer as never as { zero_grad(): void }).zero_grad(),
      'optimizer.zero_grad() is optimizer.zeroGrad()',
    ],
    [
      'optimizer.param_groups[0]',
      () => (optimizer as never as { param_groups: object[] }).param_groups[0],
      'optimizer.param_groups is optimizer.paramGroups',
    ],
    [
      'x.requires_grad = true',
      () => {
        (ones([1]) as never as { requires_grad: boolean }).requires_grad = true;
      },
      't.requires_grad is t.requiresGrad',
    ],
    [
      'x.masked_fill(...)',
      () => (ones([1]) as never as { masked_fill(...args: unknown[]): void }).masked_fill(tensor([true]), 0),
      't.masked_fill() is t.maskedFill()',
    ],
    [
      'nn.utils.clip_grad_norm_(...)',
      () => nn.utils.clip_grad_norm_!(),
      'nn.utils.clip_grad_norm_ is nn.utils.clipGradNorm',
    ],
    [
      'nn.utils.rnn.pack_padded_sequence(...)',
      () => nn.utils.rnn.pack_padded_sequence!(),
      'nn.utils.rnn.pack_padded_sequence is nn.utils.rnn.packPaddedSequence',
    ],
    [
      'optim.lr_scheduler.StepLR',
      () => (optim.lr_scheduler as { StepLR: unknown }).StepLR,
      'optim.lr_scheduler.StepLR is optim.lrScheduler.StepLR',
    ],
    ['torch.no_grad()', () => torch.no_grad!(), 'torch.no_grad is torch.noGrad'],
  ])('%s', (_, use, message) => {
    expect(use).toThrow(`PyTorch's ${message}: names are in camelCase here`);
    expect(codeOf(use)).toBe('INVALID_ARGUMENT');
  });

  it('are exported under the name that each stands for', () => {
    for (const [, space] of objects.slice(-5))
      for (const name of pythonNames(space)) {
        const said = /^PyTorch's (?:\w+\.)*(\w+) is/.exec(messageOf(space, name))![1]!;
        expect(said).toBe(name);
      }
  });

  it('may be names of a subclass', () => {
    class Net extends nn.Module {
      hidden_size = 3;
      zero_grad(): string {
        return 'own';
      }
      forward(): void {}
    }
    const own = new Net();
    expect([own.hidden_size, own.zero_grad()]).toEqual([3, 'own']);
    (own as never as { state_dict: number }).state_dict = 1;
    expect((own as never as { state_dict: number }).state_dict).toBe(1);
  });

  it('are not seen where properties are listed', () => {
    const seen: string[] = [];
    for (const name in net) seen.push(name);
    expect(seen.filter((name) => /[a-z]_[a-z]/.test(name) && !/^(weight|bias)_/.test(name))).toEqual([]);
    expect(Object.keys(optimizer)).toEqual(['paramGroups', 'defaults']);
    expect(new Set(Object.keys(net.stateDict()))).toEqual(new Set(net.namedParameters().map(([name]) => name)));
  });

  it.each([
    ['loadStateDict', 'load_state_dict'],
    ['requiresGrad_', 'requires_grad_'],
    ['forward', 'forward'],
  ])('%s is %s', (name, python) => expect(pythonName(name)).toBe(python));
});
