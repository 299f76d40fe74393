import type { MessagePort } from 'node:worker_threads';

/** Elements of the first block: 256 KB. Each next one has twice as many. */
const FIRST = 65_536;
/** Elements of the largest block: 64 MB, above the 32 MB from which glibc always returns a block's memory. */
const LARGEST = 2 ** 24;
/** Elements processed between two pauses. */
const PIECE = 65_536;

/**
 * A list of int32 that grows without copying, so that it never needs twice the memory of its content.
 *
 * @internal
 */
export class Int32List {
  #full: Int32Array<ArrayBuffer>[] = [];
  #before = 0;
  #last = new Int32Array(FIRST);
  #used = 0;

  /** Number of elements. */
  get length(): number {
    return this.#before + this.#used;
  }

  /** Appends an element. */
  push(value: number): void {
    if (this.#used === this.#last.length) {
      this.#full.push(this.#last);
      this.#before += this.#used;
      this.#last = new Int32Array(Math.min(2 * this.#used, LARGEST));
      this.#used = 0;
    }
    this.#last[this.#used++] = value;
  }

  /** Appends elements. */
  pushAll(values: Int32Array): void {
    for (let from = 0; from < values.length; ) {
      if (this.#used === this.#last.length) this.push(values[from++]!);
      const part = values.subarray(from, from + this.#last.length - this.#used);
      this.#last.set(part, this.#used);
      this.#used += part.length;
      from += part.length;
    }
  }

  /**
   * Returns all elements as one array and frees the blocks one by one; pauses often.
   *
   * @param map - Table applied to each element, if given.
   */
  *finish(map?: Int32Array): Generator<void, Int32Array<ArrayBuffer>, undefined> {
    const all = new Int32Array(this.length);
    const blocks: (Int32Array<ArrayBuffer> | undefined)[] = [...this.#full, this.#last];
    this.#full = [];
    this.#before = 0;
    this.#last = new Int32Array(FIRST);
    this.#used = 0;
    let at = 0;
    for (let b = 0; b < blocks.length; b++) {
      const block = blocks[b]!;
      const end = Math.min(block.length, all.length - at);
      for (let from = 0; from < end; from += PIECE) {
        const to = Math.min(from + PIECE, end);
        if (map) for (let i = from; i < to; i++) all[at + i] = map[block[i]!]!;
        else all.set(block.subarray(from, to), at + from);
        yield;
      }
      at += end;
      blocks[b] = undefined;
      release(block);
    }
    return all;
  }
}

let nowhere: MessagePort | undefined;

/**
 * Frees an array's memory now. The garbage collector does not run in a loop that allocates nothing, so all blocks would
 * stay in memory next to the result; a buffer transferred to a port without a receiver is freed at once.
 */
function release(block: Int32Array<ArrayBuffer>): void {
  if (!nowhere) {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    nowhere = port1;
  }
  nowhere.postMessage(null, [block.buffer]);
}
