/**
 * The Mersenne Twister of 32 bits (Matsumoto and Nishimura, 1998), which PyTorch's generator on the CPU is.
 *
 * @param seed - Its low 32 bits count.
 * @returns A function that gives the next number, from 0 to 2^32 - 1.
 */
export function mersenne(seed: number): () => number {
  const state = new Uint32Array(624);
  state[0] = seed;
  for (let i = 1; i < 624; i++) {
    const before = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = Math.imul(1_812_433_253, before) + i;
  }
  let at = 624;
  const twist = (): void => {
    for (let i = 0; i < 624; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % 624]! & 0x7fffffff);
      state[i] = state[(i + 397) % 624]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  return () => {
    if (at === 624) twist();
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

/** `torch.randperm(n)` by a generator with this seed: the numbers from 0 to n - 1 in its order. */
export function randomPermutation(n: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const next = mersenne(seed);
  for (let i = 0; i < n - 1; i++) {
    const j = i + (next() % (n - i));
    const value = order[i]!;
    order[i] = order[j]!;
    order[j] = value;
  }
  return order;
}
