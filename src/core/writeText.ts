import { AtomicLines } from './atomicLines.js';

/** Writes a text file atomically, with exactly one line end at its end. */
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
