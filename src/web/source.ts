import { ModelFileError, RecurraError } from '../core/errors.js';
import type { Platform } from './platform.js';

/** Where bytes come from: an address, a response that brings them, a file that the user chose, or the bytes themselves. */
export type ByteSource =
  | string
  | Platform<'URL'>
  | Platform<'Response'>
  | Platform<'Blob'>
  | ArrayBuffer
  | Uint8Array<ArrayBuffer>;

/** What a {@link ByteSource} is called in messages: the address, or the name of a file that the user chose. */
export function nameOf(source: unknown): string {
  if (typeof source === 'string' || source instanceof URL) return String(source);
  const { url, name } = source as { url?: string; name?: string };
  return url || name || 'the model';
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
  const files = url.protocol === 'file:' && typeof process === 'object' && process.versions?.node !== undefined;
  try {
    return files ? await readFile(url) : checked(await fetch(url));
  } catch (cause) {
    if (cause instanceof RecurraError) throw cause;
    const { code, message, cause: inner } = cause as NodeJS.ErrnoException;
    // Browsers do not say why; Node's message is in the inner error.
    const why = inner instanceof Error ? ` (${inner.message})` : '';
    const advice = files
      ? ''
      : url.protocol === 'file:'
        ? '; browsers load no files by address: serve the page over HTTP, or pass the bytes'
        : '; no server answers, or CORS or a content security policy forbids the request';
    throw new RecurraError(code === 'ENOENT' ? 'FILE_NOT_FOUND' : 'IO', `${url}: ${message}${why}${advice}`, { cause });
  }
}

/** How contents that are not what was expected begin, and how they came; `name` is what they are called without an address. */
export function described(name: string, bytes: Uint8Array, response?: Response): string {
  const begin = new TextDecoder().decode(bytes.subarray(0, 40));
  const page = /^\s*</.test(begin)
    ? ', a web page, which many servers send if a file is missing: check the address'
    : '';
  const { status, headers } = response ?? {};
  const came = headers ? ` (HTTP status ${status}, content type ${headers.get('content-type')})` : '';
  return `${response?.url || name} begins with ${JSON.stringify(begin)}${came}${page}`;
}

/** @throws {@link RecurraError} `FILE_NOT_FOUND` or `IO` for a response that is none of success. */
export function checked(response: Response): Response {
  if (response.ok) return response;
  const code = response.status === 404 || response.status === 410 ? 'FILE_NOT_FOUND' : 'IO';
  throw new RecurraError(code, `${response.url || 'the response'}: HTTP status ${response.status}`);
}

const BRACE = 123;

/**
 * All bytes of a model file.
 *
 * @throws {@link ModelFileError} `FILE_NOT_FOUND` or `IO` if they cannot be had; `INVALID_FILE` for something else, such as a web page or
 * a table.
 */
export async function bytesOf(source: ByteSource): Promise<Uint8Array> {
  try {
    const from =
      source instanceof Response
        ? checked(source)
        : typeof source === 'string' || source instanceof URL
          ? await opened(source)
          : source;
    const bytes =
      from instanceof Uint8Array ? from : new Uint8Array(from instanceof ArrayBuffer ? from : await from.arrayBuffer());
    // A model begins with the length of its header, whose last byte is 0, and the header with a brace.
    if (bytes.length < 9 || (!bytes[7] && bytes[8] === BRACE)) return bytes;
    const came = described(nameOf(source), bytes, from instanceof Response ? from : undefined);
    throw new RecurraError('INVALID_FILE', `${came}; expected a model (.safetensors)`);
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
