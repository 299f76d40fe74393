import { type DType, isFloating, type TypedArray } from './dtype.js';

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

/**
 * Elements as the short texts in which a tensor is shown.
 *
 * @internal
 */
export function valueTexts(flat: TypedArray, dtype: DType): (index: number) => string {
  return (index) => {
    const value = flat[index]!;
    if (dtype === 'bool') return value === 0 ? 'false' : 'true';
    return isFloating(dtype) ? String(Number(Number(value).toPrecision(5))) : String(value);
  };
}
