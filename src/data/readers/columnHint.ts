import { type Column, missingColumns } from './fields.js';
import type { FileRows } from './source.js';

/**
 * Rows whose errors about some missing columns end with a hint, such as where the names of the columns come from.
 *
 * @param columns - The columns that the hint is about.
 *
 * @internal
 */
export function withColumnHint<F extends FileRows<unknown>>(rows: F, columns: readonly Column[], hint: string): F {
  const named = new Set(columns.map(String));
  const read = async function* () {
    try {
      yield* rows;
    } catch (error) {
      if (missingColumns(error).some((name) => named.has(name))) (error as Error).message += `; ${hint}`;
      throw error;
    }
  };
  return Object.create(rows, { [Symbol.asyncIterator]: { value: read } }) as F;
}
