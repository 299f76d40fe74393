/**
 * A text normalised for comparison: compatibility forms, case and blanks are ignored.
 *
 * @internal
 */
export function comparable(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();
}

/**
 * A hash of 53 bits. Among 10 million texts, the probability of a collision is 0.6 %.
 *
 * From cyrb53 by bryc, which is in the public domain: two lanes of 32 bits, each multiplied by a constant, mixed at the end as in
 * MurmurHash3.
 *
 * @returns an integer from 1 to 2^53 - 1.
 * @internal
 */
export function textHash(text: string, seed = 0): number {
  let low = 0xdeadbeef ^ seed;
  let high = 0x41c6ce57 ^ seed;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 2654435761);
    high = Math.imul(high ^ unit, 1597334677);
  }
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  return 4294967296 * (2097151 & high) + (low >>> 0) || 1;
}
