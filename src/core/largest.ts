/**
 * Puts a value among the largest ones that were seen, in falling order; of equal ones the first seen comes first.
 *
 * @param kept - The largest so far, which is changed.
 * @param most - How many are kept.
 * @param size - How large the value is.
 * @param sizeOf - How large one is that is kept.
 * @param make - Makes the value; called only if it is kept.
 */
export function keepLargest<T>(
  kept: T[],
  most: number,
  size: number,
  sizeOf: (value: T) => number,
  make: () => T,
): void {
  if (most === 0 || (kept.length === most && sizeOf(kept[most - 1]!) >= size)) return;
  let place = kept.length;
  while (place > 0 && sizeOf(kept[place - 1]!) < size) place--;
  kept.splice(place, 0, make());
  if (kept.length > most) kept.pop();
}
