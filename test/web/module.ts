import { buildModule } from '../../scripts/web/module.mjs';

/** Path of the WebAssembly module, built. Undefined, with a warning, where it cannot be: its tests are skipped, and say so. */
export function builtModule(): string | undefined {
  try {
    return buildModule();
  } catch (error) {
    const { message } = error as Error;
    // A compiler that is there must compile it.
    if (!message.includes('rustup target add')) throw error;
    console.warn(`tests of recurra-web are skipped: ${message}`);
    return undefined;
  }
}
