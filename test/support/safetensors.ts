import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Tensor, type TypedArray, tensor } from '../../src/torch/index.js';

/** Folder of the small golden files. */
export const golden = join(import.meta.dirname, '../fixtures/golden');

const shared = () => [process.env.RECURRA_DATA && join(process.env.RECURRA_DATA, '../golden'), '../shared/golden'];

const find = (name: string, folders: (string | undefined)[]) =>
  folders.map((folder) => folder && join(folder, name)).find((path) => path && existsSync(path)) || undefined;

/** The golden file of a name: in the fixtures, else among the large ones beside the checkout, else nothing. */
export function goldenFile(name: string): string | undefined {
  return find(name, [golden, ...shared()]);
}

/** The golden file of a name among the large ones beside the checkout, or nothing. */
export function largeGoldenFile(name: string): string | undefined {
  return find(name, shared());
}

/** One array of a golden file: its values, not yet a tensor, since a tensor needs libtorch. */
export interface GoldenArray {
  dtype: string;
  shape: number[];
  values: TypedArray;
}

const VIEWS: Record<string, new (buffer: ArrayBuffer) => TypedArray> = {
  F32: Float32Array,
  F64: Float64Array,
  I64: BigInt64Array,
  I32: Int32Array,
  BOOL: Uint8Array,
};

/** Reads a safetensors file of this test suite: a header of JSON after its length, then the arrays' bytes. */
export function readArrays(path: string): Record<string, GoldenArray> {
  const file = readFileSync(path);
  const headerEnd = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, headerEnd)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return Object.fromEntries(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, { dtype, shape, data_offsets }]) => {
        const [start, end] = data_offsets;
        const bytes = new Uint8Array(file.subarray(headerEnd + start, headerEnd + end));
        return [name, { dtype, shape, values: new VIEWS[dtype]!(bytes.buffer) }];
      }),
  );
}

/** The same as tensors. */
export function readSafetensors(path: string): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(readArrays(path)).map(([name, { dtype, shape, values }]) => {
      const options = { shape, ...(dtype === 'BOOL' ? { dtype: 'bool' as const } : {}) };
      return [name, tensor(values, options)];
    }),
  );
}
