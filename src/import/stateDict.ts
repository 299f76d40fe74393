import { open } from 'node:fs/promises';
import { ModelFileError, RecurraError } from '../core/errors.js';
import { foreignFile } from '../core/foreignFile.js';
import type { Turns } from '../core/turns.js';
import { light } from '../native/light.js';
import { readTorchFile, type StateArray } from './torchFile.js';

const ZIP = Buffer.from('PK\x03\x04', 'latin1');
/** A larger state dict is not a text model. */
const LARGEST_FILE = 16 * 2 ** 30;

async function headOf(path: string): Promise<Buffer> {
  let handle: Awaited<ReturnType<typeof open>> | undefined;
  try {
    handle = await open(path);
    if (!(await handle.stat()).isFile()) throw new ModelFileError('IO', `${path}: it is not a file`);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(ZIP.length), 0, ZIP.length, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (error instanceof RecurraError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const what = missing ? 'no such file' : `cannot be read: ${(error as Error).message}`;
    throw new ModelFileError(missing ? 'FILE_NOT_FOUND' : 'IO', `${path}: ${what}`, { cause: error });
  } finally {
    await handle?.close();
  }
}

/**
 * Reads a state dict that PyTorch wrote, by `torch.save` or as safetensors; floating point numbers become float32.
 *
 * @throws {@link ModelFileError} `FILE_NOT_FOUND`, `IO`, or `INVALID_FILE` for something else.
 */
export async function readStateDict(path: string, turns: Turns): Promise<StateArray[]> {
  if ((await headOf(path)).equals(ZIP)) return readTorchFile(path, turns);
  try {
    const { tensors } = await light().readSafetensors(path, LARGEST_FILE);
    turns.restart();
    const arrays: StateArray[] = [];
    for (const { name, dtype, shape, data } of tensors) {
      const values = floats(dtype, data);
      if (values) arrays.push({ name, shape, values });
      if (turns.due) await turns.next();
    }
    return arrays;
  } catch (error) {
    if (!(error instanceof RecurraError) || error.code === 'ABORTED') throw error;
    const foreign = await foreignFile(path);
    const expected = 'expected a state dict, of torch.save (since PyTorch 1.6) or of safetensors';
    const what = foreign ? `${expected}; this is ${foreign}` : `${expected}: ${error.message}`;
    throw new ModelFileError(error.code, `${path}: ${what}`, { cause: error });
  }
}

/** Numbers as float32; undefined for other types than floating point. */
function floats(dtype: string, data: Uint8Array): Float32Array | undefined {
  const bytes = data.slice();
  if (dtype === 'float32') return new Float32Array(bytes.buffer);
  if (dtype === 'float64') return Float32Array.from(new Float64Array(bytes.buffer));
  if (dtype !== 'bfloat16') return undefined;
  const halves = new Uint16Array(bytes.buffer);
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}
