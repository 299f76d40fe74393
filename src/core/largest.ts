/**
 * Inserts a value into the largest ones seen, in descending order; equal values keep their order.
 *
 * @param kept - The largest values so far; modified in place.
 * @param most - How many to keep.
 * @param size - How large the value is.
 * @param sizeOf - The size of a kept value.
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
