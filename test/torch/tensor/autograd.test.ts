import { describe, expect, it } from 'vitest';
import {
  enableGrad,
  isGradEnabled,
  keep,
  nn,
  noGrad,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../../src/torch/index.js';
import { codeOf } from '../../support/close.js';

const leaf = () => tensor([1, 2, 3], { dtype: 'float32', requiresGrad: true });

describe('backward', () => {
  it('adds gradients up', () => {
    const x = leaf();
    x.square().sum().backward();
    x.sum().backward();
    expect(x.grad!.toArray()).toEqual([3, 5, 7]);
    x.grad = null;
    expect(x.grad).toBeNull();
  });

  it('takes a gradient for several elements, and keeps the graph if asked', () => {
    const x = leaf();
    const y = x.mul(2);
    y.backward({ gradient: tensor([1, 0, 1], { dtype: 'float32' }), retainGraph: true });
    y.backward({ gradient: tensor([0, 1, 0], { dtype: 'float32' }) });
    expect(x.grad!.toArray()).toEqual([2, 2, 2]);
  });

  it('flows through clone, to, indexing and cat', () => {
    const x = leaf();
    x.clone().to({ dtype: 'float64' }).at(-1).mul(3).backward();
    expect(x.grad!.toArray()).toEqual([0, 0, 3]);
  });

  it('says what is missing', () => {
    const x = leaf();
    expect(() => x.mul(2).backward()).toThrow('backward of a tensor of shape [3] needs a gradient of that shape');
    expect(codeOf(() => x.mul(2).backward({ gradient: zeros([2]) }))).toBe('INVALID_SHAPE');
    expect(codeOf(() => tensor(1.5).backward())).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => x.detach().sum().backward())).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => tensor([1]).requiresGrad_())).toBe('INVALID_DTYPE');
    expect(codeOf(() => x.mul(2).requiresGrad_(false))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => x.fill_(0))).toBe('INVALID_ARGUMENT');
    expect(
      codeOf(() => {
        x.grad = zeros([2]);
      }),
    ).toBe('INVALID_SHAPE');
    const y = x.square().sum();
    y.backward();
    expect(codeOf(() => y.backward())).toBe('INVALID_ARGUMENT');
    expect(() => y.backward()).toThrow(/called twice through one graph.*retainGraph: true.*detach\(\)/);
  });

  it('leaves what was detached or set through data alone', () => {
    const x = leaf();
    x.data = tensor([5, 6, 7], { dtype: 'float32' });
    expect([x.toArray(), x.isLeaf, x.requiresGrad]).toEqual([[5, 6, 7], true, true]);
    expect(x.detach().requiresGrad).toBe(false);
  });
});

describe('noGrad', () => {
  it('records nothing inside, and restores the mode also after an error', () => {
    const x = leaf();
    expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false);
    expect(noGrad(() => enableGrad(() => x.mul(2))).requiresGrad).toBe(true);
    expect(() =>
      noGrad(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(isGradEnabled()).toBe(true);
  });

  it('refuses async functions and still restores the mode', async () => {
    expect(codeOf(() => noGrad(async () => 1))).toBe('INVALID_ARGUMENT');
    expect(
      codeOf(() =>
        noGrad(async () => {
          throw new Error('unseen');
        }),
      ),
    ).toBe('INVALID_ARGUMENT');
    expect(isGradEnabled()).toBe(true);
    expect(codeOf(() => noGrad(1 as never))).toBe('INVALID_ARGUMENT');
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('memory', () => {
  it('disposes once, twice and by using, and says so afterwards', () => {
    const t = zeros([2]);
    const view = t.at(0);
    t.dispose();
    t.dispose();
    expect(t.isDisposed).toBe(true);
    expect(view.item()).toBe(0);
    expect(() => t.add(1)).toThrow(/disposed/);
    expect(codeOf(() => view.add(t))).toBe('DISPOSED');
    expect(String(t)).toBe('tensor(disposed)');
    let inner: Tensor;
    {
      using scoped = zeros([1]);
      inner = scoped;
    }
    expect(inner.isDisposed).toBe(true);
  });

  it('tidy keeps what is returned, however deep, and what is kept', () => {
    let lost: Tensor | undefined;
    let kept: Tensor | undefined;
    const result = tidy(() => {
      lost = zeros([1]);
      kept = keep(zeros([1]));
      return { list: [zeros([1]), new Map([['a', zeros([2])]])], net: new nn.Linear(2, 2), n: 3 };
    });
    expect([lost!.isDisposed, kept!.isDisposed]).toEqual([true, false]);
    expect((result.list[0] as Tensor).isDisposed).toBe(false);
    expect((result.list[1] as Map<string, Tensor>).get('a')!.isDisposed).toBe(false);
    expect(result.net.forward(zeros([1, 2])).shape).toEqual([1, 2]);
  });

  it('tidy hands what an inner call returns to the outer one, and cleans up after an error', () => {
    let inner: Tensor | undefined;
    tidy(() => {
      inner = tidy(() => zeros([1]));
      expect(inner.isDisposed).toBe(false);
    });
    expect(inner!.isDisposed).toBe(true);
    let made: Tensor | undefined;
    expect(() =>
      tidy(() => {
        made = zeros([1]);
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(made!.isDisposed).toBe(true);
  });

  it('tidy never disposes parameters, gradients or the state of optimizers', () => {
    let layer: nn.Linear | undefined;
    let grad: Tensor | null | undefined;
    tidy(() => {
      layer = new nn.Linear(2, 1);
      layer
        .forward(zeros([1, 2]))
        .sum()
        .backward();
      grad = layer.bias!.grad;
    });
    expect([layer!.weight.isDisposed, grad!.isDisposed]).toEqual([false, false]);
    expect(layer!.bias!.grad!.toArray()).toEqual([1]);
  });

  it('tidy refuses async functions', () => {
    let made: Tensor | undefined;
    expect(
      codeOf(() =>
        tidy(async () => {
          made = zeros([1]);
        }),
      ),
    ).toBe('INVALID_ARGUMENT');
    expect(made!.isDisposed).toBe(true);
  });
});
