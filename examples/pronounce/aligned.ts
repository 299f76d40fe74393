/**
 * A word with its letters above the phonemes that looked at them most: each letter belongs to the phoneme that it counted most for.
 *
 * @param alignments - For each phoneme how much each letter counted.
 */
export function aligned(
  letters: readonly string[],
  phonemes: readonly string[],
  alignments: readonly ArrayLike<number>[],
): string {
  const groups = phonemes.map(() => '');
  for (const [at, letter] of letters.entries()) {
    const weights = alignments.map((row) => row[at]!);
    const most = weights.indexOf(Math.max(...weights));
    if (most >= 0) groups[most] += letter;
  }
  return phonemes.map((phoneme, i) => `${groups[i] === '' ? '-' : groups[i]}:${phoneme}`).join(' ');
}
