import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nn, noGrad, optim, type Tensor, tensor, tidy, zeros } from '../../../src/torch/index.js';
import { codeOf, expectClose } from '../../support/close.js';
import { golden, largeGoldenFile, readSafetensors } from '../../support/safetensors.js';

const values = readSafetensors(join(golden, 'optimizers.safetensors'));
const index = JSON.parse(readFileSync(join(golden, 'optimizers.json'), 'utf8')) as Record<
  string,
  { kind: 'Adam' | 'AdamW' | 'SGD'; options: Record<string, unknown> }
>;

const camelCase = (options: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );

function makeOptimizer(
  kind: 'Adam' | 'AdamW' | 'SGD',
  params: optim.ParamsInput<never>,
  options: Record<string, unknown>,
): optim.Optimizer<never> {
  return new optim[kind](params as never, camelCase(options) as never) as never;
}

function makeParams(): [nn.Parameter, nn.Parameter] {
  return [
    new nn.Parameter(values.start!.to({ dtype: 'float64' }).to({ dtype: 'float32' })),
    new nn.Parameter(values.start!.mul(1)),
  ];
}

function stepOnce(optimizer: { step(): void }, [a, b]: [Tensor, Tensor], step: number): void {
  a.grad = values.grads!.at(step);
  b.grad = step % 3 !== 1 ? values.grads!.at(step) : null;
  optimizer.step();
}

describe.each(Object.entries(index))('%s', (name, { kind, options }) => {
  const groups = ([a, b]: [Tensor, Tensor]) => [{ params: [a] }, { params: [b], lr: 0.05 }] as never;

  it('moves parameters as PyTorch does, group by group', () => {
    const params = makeParams();
    const optimizer = makeOptimizer(kind, groups(params), options);
    for (let step = 0; step < 30; step++) {
      stepOnce(optimizer, params, step);
      if (![1, 2, 10, 30].includes(step + 1)) continue;
      expectClose(params[0].detach(), values[`${name}.a.${step + 1}`]!, 1e-6, `a after ${step + 1}`);
      expectClose(params[1].detach(), values[`${name}.b.${step + 1}`]!, 1e-6, `b after ${step + 1}`);
    }
    const prefix = `${name}.state.`;
    const expected = Object.keys(values).filter((key) => key.startsWith(prefix));
    const state = optimizer.stateDict().state[0] ?? {};
    expect(Object.keys(state).sort()).toEqual(expected.map((key) => key.slice(prefix.length)).sort());
    for (const key of expected) expectClose(state[key.slice(prefix.length)]!, values[key]!, 1e-5, key);
  });

  it('goes on from a saved state as if nothing had happened', () => {
    const params = makeParams();
    const first = makeOptimizer(kind, groups(params), options);
    for (let step = 0; step < 10; step++) stepOnce(first, params, step);
    const state = first.stateDict();
    // The copy must not follow the optimizer that it was taken from.
    stepOnce(first, params, 10);
    noGrad(() => {
      params[0].copy_(values[`${name}.a.10`]!);
      params[1].copy_(values[`${name}.b.10`]!);
    });
    const second = makeOptimizer(kind, groups(params), { ...options, lr: 123 });
    second.loadStateDict(state);
    for (let step = 10; step < 30; step++) stepOnce(second, params, step);
    expectClose(params[0].detach(), values[`${name}.a.30`]!, 1e-6);
    expectClose(params[1].detach(), values[`${name}.b.30`]!, 1e-6);
  });
});

const longRuns: [string, 'Adam' | 'AdamW' | 'SGD', Record<string, unknown>][] = [
  ['adam', 'Adam', {}],
  ['adam_weight_decay', 'Adam', { weight_decay: 0.01 }],
  ['adamw', 'AdamW', { weight_decay: 0.01 }],
  ['adam_amsgrad', 'Adam', { amsgrad: true }],
  ['adam_long', 'Adam', {}],
  ['adam_cosine', 'Adam', {}],
  ['sgd_momentum', 'SGD', { momentum: 0.9 }],
];

describe.each(longRuns)('an embedding whose rows are used unevenly, %s', (name, kind, options) => {
  const path = largeGoldenFile(`${name}.safetensors`);
  if (!path) console.warn(`Skipping ${name}: its file is not in ../shared/golden`);

  it.skipIf(!path)('moves as in PyTorch', () => {
    const data = readSafetensors(path!);
    const [rows, dims] = data.start!.shape as [number, number];
    const embedding = new nn.Embedding(rows, dims, { weight: data.start! });
    const optimizer = makeOptimizer(kind, embedding.parameters() as never, { lr: 0.01, ...options });
    const scheduler =
      name === 'adam_cosine' ? new optim.lrScheduler.CosineAnnealingLR(optimizer as never, { tMax: 400 }) : undefined;
    const steps = data.ids!.shape[0]!;
    let compared = 0;
    for (let step = 0; step < steps; step++) {
      tidy(() => {
        optimizer.zeroGrad();
        embedding.forward(data.ids!.at(step)).mul(data.weight_on_rows!.at(step)).sum().backward();
        optimizer.step();
        scheduler?.step();
      });
      const expected = data[`weight.${step + 1}`];
      if (expected) expectClose(embedding.weight.detach(), expected, 1e-6, `after ${step + 1}`);
      compared += expected ? 1 : 0;
    }
    expect(compared).toBeGreaterThan(2);
  });
});

describe('optimizers', () => {
  it('take options that change between steps', () => {
    const p = new nn.Parameter(tensor([1], { dtype: 'float32' }));
    const optimizer = new optim.SGD([p], { lr: 1 });
    p.grad = tensor([0.25]);
    optimizer.step();
    optimizer.paramGroups[0]!.lr = 2;
    optimizer.step();
    expect(p.item()).toBe(0.25);
    optimizer.paramGroups[0]!.lr = -1;
    expect(codeOf(() => optimizer.step())).toBe('OUT_OF_RANGE');
    optimizer.zeroGrad();
    expect(p.grad).toBeNull();
  });

  it('step off the main thread', async () => {
    const p = new nn.Parameter(tensor([1], { dtype: 'float32' }));
    const optimizer = new optim.SGD([p], { lr: 1 });
    p.grad = tensor([0.25]);
    await optimizer.stepAsync();
    expect(p.item()).toBe(0.75);
  });

  it('take further groups without losing state', () => {
    const [a, b] = makeParams();
    const optimizer = new optim.SGD([a], { lr: 0.1, momentum: 0.9 });
    a.grad = values.grads!.at(0);
    optimizer.step();
    optimizer.addParamGroup({ params: [b], lr: 0.5 });
    expect(Object.keys(optimizer.stateDict().state)).toEqual(['0']);
    expect(optimizer.stateDict().paramGroups.map(({ params }) => params)).toEqual([[0], [1]]);
    expect(codeOf(() => optimizer.addParamGroup({ params: [a] }))).toBe('INVALID_ARGUMENT');
  });

  it('refuse what does not fit', () => {
    const p = new nn.Parameter(zeros([2]));
    expect(codeOf(() => new optim.Adam([]))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new optim.Adam(p as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new optim.Adam([p, p]))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new optim.Adam([p.mul(2)]))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new optim.Adam([p], { lr: -1 }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => new optim.Adam([p], { betas: [0.9, 1] }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => new optim.Adam([p], { weight_decay: 1 } as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new optim.SGD([p], { nesterov: true }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new optim.SGD([{ params: [p], betas: 1 } as never]))).toBe('INVALID_ARGUMENT');
  });

  it('refuse a state of other parameters, and parameters that were moved', () => {
    const [a, b] = makeParams();
    const one = new optim.Adam([a]);
    a.grad = values.grads!.at(0);
    one.step();
    const small = new nn.Parameter(zeros([2]));
    expect(codeOf(() => new optim.Adam([small]).loadStateDict(one.stateDict()))).toBe('STATE_MISMATCH');
    expect(codeOf(() => new optim.Adam([a, b]).loadStateDict(one.stateDict()))).toBe('STATE_MISMATCH');
    const fc = new nn.Linear(2, 2);
    const optimizer = new optim.Adam(fc.parameters());
    fc.to({ dtype: 'float64' });
    expect(() => optimizer.step()).toThrow(/moved/);
  });

  it('refuse what is no state of an optimizer', () => {
    const p = new nn.Parameter(zeros([2]));
    const adam = new optim.Adam([p]);
    const refused = (state: unknown) => {
      try {
        adam.loadStateDict(state as never);
      } catch (error) {
        return (error as Error).message;
      }
      return undefined;
    };
    expect(refused(undefined)).toMatch(/\{ state, paramGroups \} for state of Adam but received undefined/);
    expect(refused({ state: {} })).toMatch(/this object lacks paramGroups \(PyTorch's param_groups\)$/);
    expect(refused({ state: {}, paramGroups: [1] })).toMatch(/paramGroups\[0\]/);
    expect(refused({ state: { 0: { exp_avg: [0, 0] } }, paramGroups: [{ params: [0] }] })).toMatch(
      /a Tensor for exp_avg of parameter 0/,
    );
    expect(refused({ state: {}, paramGroups: [{ params: [0], momentum: 1 }] })).toMatch(/received string "momentum"/);
    expect(refused(new optim.SGD([p], { momentum: 0.9 }).stateDict())).toMatch(
      /options of .*lr.* for paramGroups\[0\]/,
    );
    expect(() => JSON.stringify(adam.stateDict())).not.toThrow();
    p.grad = tensor([1, 2], { dtype: 'float32' });
    adam.step();
    expect(() => JSON.stringify(adam.stateDict())).toThrow(/save\(value, path\)/);
  });

  it('clip gradients by norm and by value', () => {
    const [a, b] = [new nn.Parameter(zeros([2])), new nn.Parameter(zeros([1]))];
    const set = () => {
      a.grad = tensor([3, 0], { dtype: 'float32' });
      b.grad = tensor([-4], { dtype: 'float32' });
    };
    set();
    expect(nn.utils.clipGradNorm([a, b], 10)).toBeCloseTo(5, 6);
    expect(b.grad!.item()).toBe(-4);
    expect(nn.utils.clipGradNorm([a, b], 1)).toBeCloseTo(5, 6);
    expect(a.grad!.at(0).item()).toBeCloseTo(0.6, 5);
    set();
    nn.utils.clipGradValue([a, b], 2);
    expect([...a.grad!.toTypedArray(), ...b.grad!.toTypedArray()]).toEqual([2, 0, -2]);
    expect(codeOf(() => nn.utils.clipGradNorm([a], -1))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => nn.utils.clipGradNorm([1 as never], 1))).toBe('INVALID_ARGUMENT');
  });
});
