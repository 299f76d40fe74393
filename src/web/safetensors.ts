import { ModelFileError } from '../core/errors.js';

/** An array of a file: where its elements lie. */
export interface FileTensor {
  name: string;
  /** As the file calls it, such as `F32`. */
  dtype: string;
  shape: readonly number[];
  /** The little-endian elements; a view of the file. */
  data: Uint8Array;
}

/** Contents of a safetensors file. */
export interface FileContents {
  metadata: Readonly<Record<string, string>>;
  tensors: readonly FileTensor[];
}

/** Bytes of the number in front of the header. */
const PREFIX = 8;

const invalid = (what: string, cause?: unknown) =>
  new ModelFileError('INVALID_FILE', `the file is not a model: ${what}`, cause === undefined ? {} : { cause });

function parseHeader(bytes: Uint8Array, end: number): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(PREFIX, end)));
    if (typeof header === 'object' && header !== null) return header as Record<string, unknown>;
  } catch (cause) {
    throw invalid('its header is not JSON', cause);
  }
  throw invalid('its header is not an object');
}

/** The module counts in 32 bits. */
const isLength = (value: unknown) => isSize(value) && value < 2 ** 32;

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * Reads a safetensors file (https://github.com/huggingface/safetensors). Its arrays stay where they are.
 *
 * @throws {@link ModelFileError} `INVALID_FILE` for bytes that are no such file, or whose arrays lie outside of it.
 */
export function readSafetensors(bytes: Uint8Array): FileContents {
  if (bytes.length < PREFIX) throw invalid(`it has ${bytes.length} bytes`);
  const size = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const start = PREFIX + size;
  if (!(start <= bytes.length)) throw invalid('it ends within its header');
  const { __metadata__: metadata = {}, ...entries } = parseHeader(bytes, start);
  const tensors = Object.entries(entries).map(([name, entry]): FileTensor => {
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    if (typeof dtype !== 'string' || !Array.isArray(shape) || !shape.every(isLength) || !Array.isArray(offsets))
      throw invalid(`its header does not describe the array ${name}`);
    const [from, to] = offsets as unknown[];
    if (!isSize(from) || !isSize(to) || from > to || start + to > bytes.length)
      throw invalid(`the array ${name} lies outside of it`);
    return { name, dtype, shape, data: bytes.subarray(start + from, start + to) };
  });
  const isText = (value: unknown) => typeof value === 'string';
  if (typeof metadata !== 'object' || metadata === null || !Object.values(metadata).every(isText))
    throw invalid('its metadata is not an object of texts');
  return { metadata: metadata as Record<string, string>, tensors };
}
