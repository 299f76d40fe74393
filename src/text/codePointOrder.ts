/** From here on, UTF-16 order and code point order differ. */
const FIRST_SURROGATE = 0xd800;

/**
 * Compares two strings by code points, as Python does; JavaScript's `<` compares UTF-16 code units and so puts
 * U+1F642 before U+FB01.
 *
 * @returns A negative number, 0 or a positive number, for sorting.
 */
export function compareCodePoints(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA === unitB) continue;
    if (unitA < FIRST_SURROGATE || unitB < FIRST_SURROGATE) return unitA - unitB;
    // If the strings differ within a surrogate pair, compare including its first half.
    const before = i > 0 ? a.charCodeAt(i - 1) : 0;
    const within = before >= FIRST_SURROGATE && before < 0xdc00 && (isLowSurrogate(unitA) || isLowSurrogate(unitB));
    const at = within ? i - 1 : i;
    return a.codePointAt(at)! - b.codePointAt(at)!;
  }
  return a.length - b.length;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Length of the runs sorted at once, and the approximate number of comparisons between two pauses. */
const RUN = 2048;

/**
 * Sorts indices in place by merging; pauses often enough for a caller to yield to the event loop.
 *
 * @param indices - The indices to sort.
 * @param compare - Order of two indices; a total one, since `sort` of the runs and the merge must agree.
 */
export function* mergeSort(
  indices: Uint32Array<ArrayBuffer>,
  compare: (a: number, b: number) => number,
): Generator<void, Uint32Array<ArrayBuffer>, undefined> {
  const length = indices.length;
  for (let from = 0; from < length; from += RUN) {
    indices.subarray(from, from + RUN).sort(compare);
    yield;
  }
  let source = indices;
  let target = new Uint32Array(length);
  for (let width = RUN; width < length; width *= 2) {
    for (let from = 0; from < length; from += 2 * width) {
      const middle = Math.min(from + width, length);
      const end = Math.min(from + 2 * width, length);
      let left = from;
      let right = middle;
      for (let to = from; to < end; to++) {
        const takeLeft = left < middle && (right >= end || compare(source[left]!, source[right]!) <= 0);
        target[to] = takeLeft ? source[left++]! : source[right++]!;
        if (to % RUN === 0) yield;
      }
    }
    [source, target] = [target, source];
  }
  return source;
}
