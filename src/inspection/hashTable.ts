/** Slots of a new table. */
const FIRST = 1_024;

/**
 * A table by hash of text: 16 bytes per slot, at most 32 per text. A `Map` needs three times as much and is limited to
 * 16 million entries.
 *
 * @internal
 */
export class HashTable {
  #keys = new Float64Array(FIRST);
  #rows = new Uint32Array(FIRST);
  #notes = new Int32Array(FIRST);
  #used = 0;

  /** Number of hashes. */
  get size(): number {
    return this.#used;
  }

  /**
   * The slot of a hash, which is new if {@link rowAt} gives 0 there. It stays until the next call.
   *
   * @param hash - An integer from 1 to 2^53 - 1.
   */
  slot(hash: number): number {
    if (2 * this.#used >= this.#keys.length) this.#grow();
    const slot = this.#find(hash);
    if (this.#keys[slot] === 0) {
      this.#keys[slot] = hash;
      this.#used++;
    }
    return slot;
  }

  /** The slot of a hash if it is there. */
  found(hash: number): number | undefined {
    const slot = this.#find(hash);
    return this.#keys[slot] === 0 ? undefined : slot;
  }

  /** The row of a slot, from 1; 0 for none. */
  rowAt(slot: number): number {
    return this.#rows[slot]!;
  }

  /** The note of a slot; initially 0. */
  noteAt(slot: number): number {
    return this.#notes[slot]!;
  }

  /** Sets the row and the note of a slot. */
  set(slot: number, row: number, noted: number): void {
    this.#rows[slot] = row;
    this.#notes[slot] = noted;
  }

  #find(hash: number): number {
    const mask = this.#keys.length - 1;
    let slot = (hash % 4294967296) & mask;
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== hash) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [keys, rows, notes] = [this.#keys, this.#rows, this.#notes];
    this.#keys = new Float64Array(2 * keys.length);
    this.#rows = new Uint32Array(2 * keys.length);
    this.#notes = new Int32Array(2 * keys.length);
    for (let from = 0; from < keys.length; from++) {
      if (keys[from] === 0) continue;
      const slot = this.#find(keys[from]!);
      this.#keys[slot] = keys[from]!;
      this.#rows[slot] = rows[from]!;
      this.#notes[slot] = notes[from]!;
    }
  }
}
