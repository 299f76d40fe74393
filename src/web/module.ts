import { RecurraError } from '../core/errors.js';

/**
 * Where the WebAssembly module comes from: an address, its bytes, a response that brings them, or the compiled module itself, which is
 * what platforms give that compile at deployment (Cloudflare Workers: `import module from 'recurra-web/recurra.wasm'`).
 */
export type ModuleSource = string | URL | Response | ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module;

let usual: Promise<WebAssembly.Module> | undefined;

/** The module, compiled once for all models; beside the package's own JavaScript unless another source is given. */
export function compiled(source: ModuleSource | undefined): Promise<WebAssembly.Module> {
  if (source !== undefined) return compile(source);
  usual ??= compile(new URL('./recurra.wasm', import.meta.url)).catch((error: unknown) => {
    // The next model may have more luck.
    usual = undefined;
    throw error;
  });
  return usual;
}

async function compile(source: ModuleSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  try {
    if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return await WebAssembly.compile(source);
    if (source instanceof Response) return await ofResponse(source);
    const url = new URL(source, import.meta.url);
    return url.protocol === 'file:' ? await WebAssembly.compile(await readFile(url)) : await ofResponse(await fetch(url));
  } catch (cause) {
    if (cause instanceof RecurraError) throw cause;
    throw new RecurraError('IO', `the WebAssembly module of recurra-web cannot be loaded: ${(cause as Error).message}`, { cause });
  }
}

async function ofResponse(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) throw new RecurraError('IO', `${response.url || 'the module'}: HTTP ${response.status}`);
  // Compiling as the bytes arrive needs the right type from the server.
  const streams = response.headers.get('content-type') === 'application/wasm' && 'compileStreaming' in WebAssembly;
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/** Node's `fetch` knows no files. The name is put together so that bundlers for browsers do not look for it. */
async function readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const name = ['node', 'fs/promises'].join(':');
  const files = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as typeof import('node:fs/promises');
  return files.readFile(url);
}
