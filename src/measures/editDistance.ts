import { invalidArgument } from '../core/errors.js';

/** Checks that something has elements. */
function checkSequence(name: string, value: unknown): void {
  const { length } = Object(value) as { length?: unknown };
  if ((typeof value !== 'string' && typeof value !== 'object') || !Number.isSafeInteger(length))
    throw invalidArgument(name, 'a sequence, such as a string or an array,', value);
}

/**
 * Levenshtein distance: the minimum number of insertions, deletions and replacements of single elements that turn one
 * sequence into the other. It takes `a.length * b.length` steps.
 *
 * @param a - A sequence of values compared by `===`; for a string, its UTF-16 code units.
 * @param b - The other one.
 * @throws {@link ArgumentError} for a value that is not a sequence.
 *
 * @example
 * ```ts
 * editDistance('kitten', 'sitting'); // 3
 * editDistance(['HH', 'AH', 'L', 'OW'], ['HH', 'EH', 'L', 'OW']); // 1
 * ```
 */
export function editDistance<T>(a: ArrayLike<T>, b: ArrayLike<T>): number {
  checkSequence('a', a);
  checkSequence('b', b);
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const row = Uint32Array.from({ length: short.length + 1 }, (_, i) => i);
  for (let i = 0; i < long.length; i++) {
    let diagonal = row[0]!;
    row[0] = i + 1;
    for (let j = 0; j < short.length; j++) {
      const above = row[j + 1]!;
      const replaced = diagonal + (long[i] === short[j] ? 0 : 1);
      row[j + 1] = Math.min(above + 1, row[j]! + 1, replaced);
      diagonal = above;
    }
  }
  return row[short.length]!;
}
