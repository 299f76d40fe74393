/** fastText's hash of bytes: FNV-1a with 32 bits, where a byte from 128 on counts as a negative number. */
function hash(bytes: Uint8Array, from: number, to: number): number {
  let sum = 2_166_136_261;
  for (let i = from; i < to; i++) sum = Math.imul(sum ^ ((bytes[i]! << 24) >> 24), 16_777_619);
  return sum >>> 0;
}

/**
 * The buckets of a word's subwords, as in fastText's `computeSubwords`: the runs of `minn` to `maxn` characters of
 * `<word>`, except a single border.
 *
 * @param take - Receives each bucket in `[0, buckets)`, once per run.
 */
export function eachSubword(
  word: string,
  { minn, maxn, buckets }: { minn: number; maxn: number; buckets: number },
  take: (bucket: number) => void,
): void {
  const bytes = Buffer.from(`<${word}>`);
  const begins = (at: number) => (bytes[at]! & 0xc0) !== 0x80;
  for (let start = 0; start < bytes.length; start++) {
    if (!begins(start)) continue;
    let end = start;
    for (let length = 1; length <= maxn && end < bytes.length; length++) {
      end++;
      while (end < bytes.length && !begins(end)) end++;
      const border = length === 1 && (start === 0 || end === bytes.length);
      if (length >= minn && !border) take(hash(bytes, start, end) % buckets);
    }
  }
}
