import { AtomicLines } from '../core/atomicLines.js';

/** Writes a text as a file, under a temporary name that is renamed. */
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
