import { expect } from 'vitest';
import { DataError } from '../../src/core/errors.js';

/** All rows of a reader. */
export async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const row of rows) list.push(row);
  return list;
}

/** The error that reading ends with. */
export async function errorOf(rows: AsyncIterable<unknown>): Promise<DataError> {
  const error = await all(rows).then(
    () => expect.fail('no error'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return error as DataError;
}
