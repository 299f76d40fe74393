import { RecurraError } from '../../core/errors.js';
import type { StateEntry } from '../../engine/engine.js';
import { floatsOf } from '../../models/wordVectors.js';
import type { Steps } from './graph.js';

/** The arrays of a network by their names in its state dict. */
export class Arrays {
  readonly #arrays: ReadonlyMap<string, StateEntry>;

  constructor(arrays: readonly StateEntry[]) {
    this.#arrays = new Map(arrays.map((array) => [array.name, array]));
  }

  has(name: string): boolean {
    return this.#arrays.has(name);
  }

  /** @throws {@link RecurraError} `STATE_MISMATCH` for a missing array. */
  get(name: string): StateEntry {
    const array = this.#arrays.get(name);
    if (!array) throw new RecurraError('STATE_MISMATCH', `the model's state has no array ${name}`);
    return array;
  }

  shape(name: string): readonly number[] {
    return this.get(name).shape;
  }

  /** @throws {@link RecurraError} `STATE_MISMATCH` for an array that is missing or has another type. */
  floats(name: string): Float32Array {
    const { dtype, data } = this.get(name);
    if (dtype !== 'float32')
      throw new RecurraError('STATE_MISMATCH', `the array ${name} must have numbers of type float32, not ${dtype}`);
    return floatsOf({ data });
  }

  /** A matrix `[rows, columns]` as `[columns, rows]`, computed in steps. */
  transposed(name: string): { values: Steps; shape: [number, number] } {
    const [rows, columns] = this.shape(name) as [number, number];
    return { values: transpose(this.floats(name), rows, columns), shape: [columns, rows] };
  }
}

/** Numbers moved between two pauses. */
const NUMBERS_A_STEP = 65_536;

function* transpose(from: Float32Array, rows: number, columns: number): Steps {
  const to = new Float32Array(from.length);
  let moved = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) to[column * rows + row] = from[row * columns + column]!;
    moved += columns;
    if (moved >= NUMBERS_A_STEP) {
      moved = 0;
      yield;
    }
  }
  return to;
}
