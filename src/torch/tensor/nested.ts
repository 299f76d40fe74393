/**
 * Elements, read one by one, as nested arrays.
 *
 * @internal
 */
export function nest<T>(shape: readonly number[], read: (index: number) => T): NestedOf<T> {
  let next = 0;
  const build = (dim: number): NestedOf<T> => {
    if (dim === shape.length) return read(next++);
    const size = shape[dim]!;
    const list: NestedOf<T>[] = new Array(size);
    for (let i = 0; i < size; i++) list[i] = build(dim + 1);
    return list;
  };
  return build(0);
}

/**
 * What {@link nest} makes.
 *
 * @internal
 */
export type NestedOf<T> = T | NestedOf<T>[];
