import { AtomicLines } from '../core/atomicLines.js';
import type { Turns } from '../core/turns.js';
import type { WordRows } from './nearest.js';

/**
 * Writes words and their vectors as word2vec text (fastText's `.vec`). The numbers are exact. The file is written
 * atomically. Words that contain blanks or line breaks, which the format cannot store, and the empty word are skipped.
 *
 * @returns the number of written words.
 * @throws DataError `IO` if it cannot be written; RecurraError `ABORTED` if the signal of `turns` is aborted.
 */
export async function writeVectors(file: string, { words, matrix, dim }: WordRows, turns: Turns): Promise<number> {
  const kept = [...words.keys()].filter((index) => words[index] !== '' && !/[\s\0]/.test(words[index]!));
  const lines = await AtomicLines.open(file);
  try {
    await lines.write(`${kept.length} ${dim}`);
    for (const index of kept) {
      const row = matrix.subarray(index * dim, (index + 1) * dim);
      await lines.write(`${words[index]!} ${Array.from(row, written).join(' ')}`);
      if (turns.due) await turns.next();
    }
    await lines.finish();
  } finally {
    await lines.discard();
  }
  return kept.length;
}

/** A float32 with the fewest digits that restore it. */
function written(value: number): string {
  for (let digits = 7; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}
