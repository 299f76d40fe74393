import { constraint, invalidArgument } from '../errors.js';

/**
 * Throws unless `options` is an object.
 *
 * @internal
 */
export function checkOptionsObject(options: unknown): asserts options is object {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
}

/**
 * Throws unless `options` is an object with known names only. The message suggests the closest known name, if one is
 * close, and lists all.
 *
 * @param where - Whose options they are, for the message.
 *
 * @internal
 */
export function checkOptionNames(where: string, options: unknown, known: readonly string[]): void {
  checkOptionsObject(options);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const similar = closest(name, known);
    throw constraint(
      name,
      `Unknown option ${JSON.stringify(name)} for ${where}${similar ? `; did you mean ${similar}?` : ''}; ` +
        `known options: ${known.join(', ')}`,
    );
  }
}

/**
 * The closest known name, if the difference looks like a typo.
 *
 * @internal
 */
export function closest(name: string, known: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  let least = most + 1;
  for (const candidate of known) {
    const edits = distance(name.toLowerCase(), candidate.toLowerCase(), least);
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

/** Levenshtein distance, capped at `limit`. */
function distance(a: string, b: string, limit: number): number {
  // A much longer key is not a typo, and must not cost the square of its length.
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return Math.min(row[b.length]!, limit);
}
