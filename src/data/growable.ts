/** Elements of one block: 256 KB. */
const BLOCK = 65536;

/**
 * A list of int32 that grows without copying what it has, so that its memory is never twice that of its content.
 *
 * @internal
 */
export class Int32List {
  #full: Int32Array[] = [];
  #last = new Int32Array(BLOCK);
  #used = 0;

  /** Number of elements. */
  get length(): number {
    return this.#full.length * BLOCK + this.#used;
  }

  /** Appends an element. */
  push(value: number): void {
    if (this.#used === BLOCK) {
      this.#full.push(this.#last);
      this.#last = new Int32Array(BLOCK);
      this.#used = 0;
    }
    this.#last[this.#used++] = value;
  }

  /**
   * Gives all elements as one array and lets go of its own blocks one by one; pauses after each.
   *
   * @param map - Table applied to each element on the way, if given.
   */
  *finish(map?: Int32Array): Generator<void, Int32Array<ArrayBuffer>, undefined> {
    const all = new Int32Array(this.length);
    const blocks: (Int32Array | undefined)[] = [...this.#full, this.#last.subarray(0, this.#used)];
    this.#full = [];
    this.#last = new Int32Array(BLOCK);
    this.#used = 0;
    for (let b = 0; b < blocks.length; b++) {
      const block = blocks[b]!;
      const target = all.subarray(b * BLOCK, b * BLOCK + block.length);
      if (map) for (let i = 0; i < target.length; i++) target[i] = map[block[i]!]!;
      else target.set(block);
      blocks[b] = undefined;
      yield;
    }
    return all;
  }
}
