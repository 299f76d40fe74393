import { RecurraError } from '../core/errors.js';
import { type ByteSource, checked, opened } from './source.js';

/**
 * Where the WebAssembly module comes from: an address, its bytes, a response that brings them, or the compiled module itself, which is
 * what platforms give that compile at deployment (Cloudflare Workers: `import module from 'recurra-web/recurra.wasm'`).
 */
export type ModuleSource = Exclude<ByteSource, Blob> | WebAssembly.Module;

let usual: Promise<WebAssembly.Module> | undefined;

/** The module, compiled once for all models; next to the package's JavaScript unless another source is given. */
export function compiled(source: ModuleSource | undefined): Promise<WebAssembly.Module> {
  if (source !== undefined) return compile(source);
  // Written like this, bundlers find the file and put it next to their output.
  usual ??= compile(new URL('./recurra.wasm', import.meta.url)).catch((error: unknown) => {
    // The next model may have more luck.
    usual = undefined;
    throw error;
  });
  return usual;
}

/** Platforms that compile at deployment may do so in another realm, whose modules `instanceof` does not know. */
const isModule = (source: ModuleSource): source is WebAssembly.Module =>
  Object.prototype.toString.call(source) === '[object WebAssembly.Module]';

async function compile(source: ModuleSource): Promise<WebAssembly.Module> {
  if (isModule(source)) return source;
  try {
    const given = typeof source === 'string' || source instanceof URL ? await opened(source) : source;
    return await (given instanceof Response ? ofResponse(checked(given)) : WebAssembly.compile(given));
  } catch (cause) {
    const code = cause instanceof RecurraError ? cause.code : 'IO';
    const advice =
      cause instanceof RecurraError
        ? ''
        : '; recurra-web needs WebAssembly with SIMD (Chrome 91, Firefox 89, Safari 16.4)';
    const message = `the WebAssembly module of recurra-web cannot be loaded: ${(cause as Error).message}${advice}`;
    throw new RecurraError(code, message, { cause });
  }
}

async function ofResponse(response: Response): Promise<WebAssembly.Module> {
  // Compiling as the bytes arrive needs the right type from the server.
  const streams = response.headers.get('content-type') === 'application/wasm' && 'compileStreaming' in WebAssembly;
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}
