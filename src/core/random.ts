import { checkInteger } from './checks.js';
import { invalidArgument } from './errors.js';

/** State of a {@link Random}, plain data that survives JSON: four unsigned 32-bit words. */
export type RandomState = readonly [number, number, number, number];

/** An array or typed array, whose elements can be swapped. */
export interface Shuffleable {
  /** Number of elements. */
  readonly length: number;
  /** The elements. */
  [index: number]: unknown;
}

/**
 * Seeded random numbers, the same on every machine and Node version.
 *
 * The generator is xoshiro128** 1.1 by David Blackman and Sebastiano Vigna (public domain, https://prng.di.unimi.it),
 * seeded through a 32-bit splitmix whose finalizer is MurmurHash3's. Not for secrets.
 *
 * @example
 * ```ts
 * const random = new Random(7);
 * const order = random.permutation(10);
 * const saved = random.state; // later: Random.fromState(saved)
 * ```
 */
export class Random {
  readonly #words = new Uint32Array(4);

  /**
   * @param seed - A non-negative safe integer, default 0; all 53 bits are used.
   * @param stream - A second integer, default 0: another one gives an unrelated sequence for the same seed (an epoch's number).
   * @throws {@link ArgumentError} for other values.
   */
  constructor(seed = 0, stream = 0) {
    checkInteger('seed', seed, 0);
    checkInteger('stream', stream, 0);
    let state = 0;
    for (const part of [seed >>> 0, Math.floor(seed / 2 ** 32), stream >>> 0, Math.floor(stream / 2 ** 32)]) {
      state = mix((state + part + 0x9e3779b9) >>> 0);
    }
    for (let i = 0; i < 4; i++) {
      state = (state + 0x9e3779b9) >>> 0;
      this.#words[i] = mix(state);
    }
    // The one state that the generator can never leave.
    if (this.#words.every((word) => word === 0)) this.#words[0] = 1;
  }

  /**
   * Restores a generator from {@link Random.state}.
   *
   * @throws {@link ArgumentError} if `state` is not four unsigned 32-bit integers with at least one that is not 0.
   */
  static fromState(state: RandomState): Random {
    const random = new Random();
    random.state = state;
    return random;
  }

  /** The generator's state; assign it to return to that point. */
  get state(): RandomState {
    const [a, b, c, d] = this.#words;
    return [a!, b!, c!, d!];
  }

  /** Returns to a state. */
  set state(state: RandomState) {
    const fits =
      Array.isArray(state) &&
      state.length === 4 &&
      state.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32);
    if (!fits || state.every((word) => word === 0)) {
      throw invalidArgument('state', 'four unsigned 32-bit integers, not all 0', state);
    }
    this.#words.set(state);
  }

  /** The next unsigned 32-bit integer. */
  uint32(): number {
    const s = this.#words;
    const s1 = s[1]!;
    const scrambled = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s1;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotateLeft(s[3]!, 11);
    return scrambled;
  }

  /** A number in [0, 1) with 53 random bits. */
  float(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /**
   * An integer, uniform in `[0, bound)`.
   *
   * @throws {@link ArgumentError} if `bound` is not an integer from 1 to 2^32.
   */
  int(bound: number): number {
    // Inline because it runs for every draw: a call to a check would cost as much as the draw.
    if (!(Number.isInteger(bound) && bound >= 1 && bound <= 2 ** 32)) checkInteger('bound', bound, 1, 2 ** 32);
    // Draws beyond the last whole multiple of `bound` would favour the small numbers.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let drawn = this.uint32();
    while (drawn >= limit) drawn = this.uint32();
    return drawn % bound;
  }

  /** A normally distributed number with mean 0 and standard deviation 1 (Box-Muller transform). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return radius * Math.cos(2 * Math.PI * this.float());
  }

  /**
   * Shuffles in place (Fisher-Yates) and returns `items`.
   *
   * @param items - An array or typed array of at most 2^32 elements.
   */
  shuffle<T extends Shuffleable>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const held = items[i];
      items[i] = items[j];
      items[j] = held;
    }
    return items;
  }

  /**
   * The integers in `[0, length)` in random order.
   *
   * @throws {@link ArgumentError} if `length` is not an integer from 0 to 2^31.
   *
   * @example
   * ```ts
   * [...new Random(1).permutation(3)].sort(); // [0, 1, 2]
   * ```
   */
  permutation(length: number): Int32Array {
    checkInteger('length', length, 0, 2 ** 31);
    return this.shuffle(Int32Array.from({ length }, (_, i) => i));
  }
}

function rotateLeft(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** MurmurHash3's finalizer: every bit of the input changes about half of the output's. */
function mix(word: number): number {
  let z = word;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
