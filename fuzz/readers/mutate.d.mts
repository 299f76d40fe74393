export function numbers(seed: number): (below: number) => number;
export function mutate(seeds: readonly Uint8Array[], below: (n: number) => number): Buffer;
