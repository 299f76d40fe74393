import { DataError } from './errors.js';

/**
 * Makes the error for a file that cannot be opened or read.
 *
 * @internal
 */
export function ioError(error: Error, file: string | undefined): DataError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new DataError('FILE_NOT_FOUND', 'no such file', { file }, { cause: error });
  const reason = code === 'EISDIR' ? 'this is a folder, not a file' : `cannot be read: ${error.message}`;
  return new DataError('IO', reason, { file }, { cause: error });
}
