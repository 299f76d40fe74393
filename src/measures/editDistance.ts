/**
 * Levenshtein's distance: the fewest insertions, deletions and replacements of one element each that make one sequence of the other.
 * It takes `a.length * b.length` steps.
 *
 * @param a - A sequence of strings, numbers or whatever `===` compares; of a string its UTF-16 code units.
 * @param b - The other one.
 *
 * @example
 * ```ts
 * editDistance('kitten', 'sitting'); // 3
 * editDistance(['HH', 'AH', 'L', 'OW'], ['HH', 'EH', 'L', 'OW']); // 1
 * ```
 */
export function editDistance<T>(a: ArrayLike<T>, b: ArrayLike<T>): number {
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
