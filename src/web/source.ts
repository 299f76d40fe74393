import { ModelFileError, RecurraError } from '../core/errors.js';

/** Where bytes come from: an address, a response that brings them, a file that the user chose, or the bytes themselves. */
export type ByteSource = string | URL | Response | Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

/** What a {@link ByteSource} is called in messages. */
export function nameOf(source: unknown): string {
  if (typeof source === 'string' || source instanceof URL) return String(source);
  return (source instanceof Response && source.url) || 'the model';
}

/** A page's addresses are relative to it; elsewhere they must be whole. */
function addressOf(source: string | URL): URL {
  const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } };
  try {
    return new URL(source, document?.baseURI ?? location?.href);
  } catch (cause) {
    const message = `${String(source)} is not an address; give one such as https://example.com/model.safetensors, a file: URL, or the bytes`;
    throw new RecurraError('IO', message, { cause });
  }
}

/** Node's `fetch` knows no files. The name is put together so that bundlers for browsers do not look for it. */
async function readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const name = ['node', 'fs/promises'].join(':');
  const files = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as typeof import('node:fs/promises');
  return files.readFile(url);
}

/**
 * A response for what is fetched, or the bytes of a file.
 *
 * @throws {@link RecurraError} `FILE_NOT_FOUND` or `IO`.
 */
export async function opened(source: string | URL): Promise<Response | Uint8Array<ArrayBuffer>> {
  const url = addressOf(source);
  try {
    // A browser refuses files by itself.
    const files = url.protocol === 'file:' && typeof process === 'object' && process.versions?.node !== undefined;
    return files ? await readFile(url) : checked(await fetch(url));
  } catch (cause) {
    if (cause instanceof RecurraError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new RecurraError(code === 'ENOENT' ? 'FILE_NOT_FOUND' : 'IO', `${url}: ${message}`, { cause });
  }
}

/** @throws {@link RecurraError} `FILE_NOT_FOUND` or `IO` for a response that is none of success. */
export function checked(response: Response): Response {
  if (response.ok) return response;
  const code = response.status === 404 || response.status === 410 ? 'FILE_NOT_FOUND' : 'IO';
  throw new RecurraError(code, `${response.url || 'the response'}: HTTP status ${response.status}`);
}

/**
 * All bytes of a model file.
 *
 * @throws {@link ModelFileError} `FILE_NOT_FOUND` or `IO` if they cannot be had.
 */
export async function bytesOf(source: ByteSource): Promise<Uint8Array> {
  try {
    if (source instanceof ArrayBuffer) return new Uint8Array(source);
    if (source instanceof Uint8Array) return source;
    const from = source instanceof Response ? checked(source) : source instanceof Blob ? source : await opened(source);
    return from instanceof Uint8Array ? from : new Uint8Array(await from.arrayBuffer());
  } catch (cause) {
    const code = cause instanceof RecurraError ? cause.code : cause instanceof RangeError ? 'OUT_OF_MEMORY' : 'IO';
    throw new ModelFileError(code, `the model cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** Whether a value is a {@link ByteSource}. */
export function isByteSource(value: unknown): value is ByteSource {
  return (
    typeof value === 'string' || [URL, Response, Blob, ArrayBuffer, Uint8Array].some((kind) => value instanceof kind)
  );
}
