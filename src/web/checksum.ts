import { compareCodePoints } from '../text/codePointOrder.js';
import type { FileContents } from './safetensors.js';

/** Key of the metadata under which a file's checksum stands. */
const KEY = 'sha256';

/** The parts that the checksum is of, each with its length before it: the other metadata and all arrays, in the order of names. */
function partsOf({ metadata, tensors }: FileContents): Uint8Array[] {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  const add = (bytes: Uint8Array) => {
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length), true);
    parts.push(length, bytes);
  };
  for (const key of Object.keys(metadata).sort(compareCodePoints)) {
    if (key === KEY) continue;
    add(encoder.encode(key));
    add(encoder.encode(metadata[key]!));
  }
  for (const { name, dtype, shape, data } of [...tensors].sort((a, b) => compareCodePoints(a.name, b.name))) {
    add(encoder.encode(name));
    add(encoder.encode(`${dtype} [${shape.join(', ')}]`));
    add(data);
  }
  return parts;
}

/**
 * Whether a file's checksum fits its contents: `valid`, `invalid` or `absent`. Browsers compute SHA-256 for pages that come by HTTPS
 * or from the same machine; elsewhere the checksum is not looked at.
 */
export async function checksumOf(contents: FileContents): Promise<'valid' | 'invalid' | 'absent'> {
  const stated = contents.metadata[KEY];
  if (stated === undefined) return 'absent';
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle) return 'valid';
  const parts = partsOf(contents);
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  const sum = new Uint8Array(await subtle.digest('SHA-256', all));
  const written = Array.from(sum, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return written === stated ? 'valid' : 'invalid';
}
