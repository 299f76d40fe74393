import { zeros } from '../core/allocate.js';
import type { Turns } from '../core/turns.js';
import { isTensor, type Pickled, type PickledTensor } from '../pickle/pickle.js';
import { halfOf, invalidFile, withTorchArchive } from '../pickle/torchArchive.js';

/** The names, shapes and numbers of a state dict. */
export interface StateArray {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

/** Elements that are converted between two looks at the clock. */
const ELEMENTS_A_LOOK = 65_536;

/** Keys under which training scripts store the state dict next to other data. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model'];

/** Reads an element of each type of storage, and its bytes. */
const STORAGES: Readonly<Record<string, { bytes: number; read: (from: DataView, at: number) => number }>> = {
  FloatStorage: { bytes: 4, read: (from, at) => from.getFloat32(at, true) },
  DoubleStorage: { bytes: 8, read: (from, at) => from.getFloat64(at, true) },
  HalfStorage: { bytes: 2, read: (from, at) => halfOf(from.getUint16(at, true)) },
  BFloat16Storage: { bytes: 2, read: bfloat16At },
};

/**
 * Reads a state dict written by `torch.save` in its current format, a ZIP archive (since PyTorch 1.6). Floating point
 * tensors become float32; others, such as counts of batches, are skipped.
 *
 * @throws {@link ModelFileError} `INVALID_FILE` for any other file, a damaged one, or one that contains anything but tensors.
 */
export function readTorchFile(path: string, turns: Turns): Promise<StateArray[]> {
  return withTorchArchive(path, turns, async ({ value, bytesOf }) => {
    const arrays: StateArray[] = [];
    for (const [name, tensor] of tensorsOf(value, path)) {
      const storage = STORAGES[tensor.storage.type];
      if (!storage) continue;
      const bytes = (await bytesOf(name, tensor))!;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const values = zeros(bytes.length / storage.bytes, name);
      for (let i = 0; i < values.length; i++) {
        values[i] = storage.read(view, i * storage.bytes);
        if (i % ELEMENTS_A_LOOK === 0 && turns.due) await turns.next();
      }
      arrays.push({ name, shape: tensor.shape, values });
    }
    return arrays;
  });
}

/** The tensors of a dictionary, or of the state dict inside it. */
function tensorsOf(pickled: Pickled, path: string, depth = 0): [string, PickledTensor][] {
  if (!(pickled instanceof Map)) throw invalidFile(path, 'expected a state dict, but it contains no dictionary');
  for (const key of WRAPPERS) {
    const inner = pickled.get(key);
    // A dictionary may contain itself.
    if (inner instanceof Map && depth < WRAPPERS.length) return tensorsOf(inner, path, depth + 1);
  }
  const found: [string, PickledTensor][] = [];
  for (const [name, value] of pickled) if (typeof name === 'string' && isTensor(value)) found.push([name, value]);
  if (found.length === 0) throw invalidFile(path, 'expected a state dict, but its dictionary has no tensors');
  return found;
}

const room = new DataView(new ArrayBuffer(4));
function bfloat16At(from: DataView, at: number): number {
  room.setUint32(0, from.getUint16(at, true) * 65_536);
  return room.getFloat32(0);
}
