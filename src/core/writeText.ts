import { AtomicLines } from './atomicLines.js';

/** Writes a text as a file that ends with one line end, which appears whole or not at all. */
export async function writeText(path: string, text: string): Promise<void> {
  const file = await AtomicLines.open(path);
  try {
    const full = file.write(text.trimEnd());
    if (full) await full;
    await file.finish();
  } finally {
    await file.discard();
  }
}
