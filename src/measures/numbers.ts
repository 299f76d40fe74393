/** A list of float32 numbers that grows. */
export class Numbers {
  // Small at first: thousands of labels have two lists each.
  #values = new Float32Array(16);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float32Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  /** Takes all numbers; the list is empty afterwards. */
  take(): Float64Array {
    const all = Float64Array.from(this.#values.subarray(0, this.#length));
    this.#values = new Float32Array(0);
    return all;
  }
}
