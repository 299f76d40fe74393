import { RecurraError } from '../core/errors.js';
import type { CompiledModule, Platform } from './platform.js';
import { type ByteSource, checked, described, opened } from './source.js';

/**
 * Where the WebAssembly module comes from: an address, its bytes, a response that brings them, or the compiled module itself, which is
 * what platforms give that compile at deployment (Cloudflare Workers: `import module from 'recurra-web/recurra.wasm'`).
 */
export type ModuleSource = Exclude<ByteSource, Platform<'Blob'>> | CompiledModule;

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
  if (typeof WebAssembly !== 'object')
    throw new RecurraError('IO', 'recurra-web needs WebAssembly, which is absent or switched off here');
  const isAddress = typeof source === 'string' || source instanceof URL;
  let arrived = false;
  try {
    const given = isAddress ? await opened(source) : source;
    const response = given instanceof Response ? checked(given) : undefined;
    // Compiling as the bytes arrive needs the right type from the server.
    if (response?.headers.get('content-type') === 'application/wasm' && 'compileStreaming' in WebAssembly) {
      arrived = true;
      return await WebAssembly.compileStreaming(response);
    }
    const bytes = new Uint8Array(response ? await response.arrayBuffer() : (given as ArrayBuffer));
    arrived = String(bytes.subarray(0, 4)) === MAGIC;
    if (!arrived) throw new Error(described(isAddress ? String(source) : 'the module', bytes, response));
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    const { message } = cause as Error;
    const code = cause instanceof RecurraError ? cause.code : 'IO';
    const advice = arrived
      ? adviceOn(message)
      : isAddress
        ? 'copy recurra.wasm of the package to this address, or pass its address as the option module'
        : 'the option module takes recurra.wasm of the package';
    const whole = `the WebAssembly module of recurra-web cannot be loaded: ${message}; ${advice}`;
    throw new RecurraError(code, whole, { cause });
  }
}

/** What a module begins with: a zero byte and `asm`. */
const MAGIC = '0,97,115,109';

/** A module with one function, which returns a vector of 128 bits. */
const WITH_SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];

/** What to do about a module that does not compile. */
function adviceOn(message: string): string {
  if (!WebAssembly.validate(Uint8Array.from(WITH_SIMD)))
    return 'WebAssembly has no SIMD here, which recurra-web needs (Chrome 91, Firefox 89, Safari 16.4)';
  return /polic|csp|unsafe-eval/i.test(message)
    ? "a content security policy must allow 'wasm-unsafe-eval' in script-src"
    : 'the file is damaged: install recurra-web again';
}
