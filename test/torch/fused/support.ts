import { torch } from '../../../src/native/torch.js';
import type { TensorBase } from '../../../src/torch/index.js';

/** Runs `work` with the fused kernels and the late steps on or off. */
export function withKernels<T>(on: boolean, work: () => T): T {
  const before = torch().setFusedKernels(on);
  try {
    return work();
  } finally {
    torch().setFusedKernels(before);
  }
}

/** Largest difference of two tensors of one shape; NaN counts as infinite. */
export function difference(a: TensorBase, b: TensorBase): number {
  const [x, y] = [a.toTypedArray(), b.toTypedArray()];
  if (x.length !== y.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < x.length; i++) {
    const d = Math.abs(Number(x[i]) - Number(y[i]));
    if (!(d <= largest)) largest = Number.isNaN(d) ? Number.POSITIVE_INFINITY : d;
  }
  return largest;
}
