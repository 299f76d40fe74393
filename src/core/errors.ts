/**
 * Stable error codes, as found in {@link RecurraError.code}.
 */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_SHAPE'
  | 'INVALID_DTYPE'
  | 'INVALID_DEVICE'
  | 'OUT_OF_RANGE'
  | 'DISPOSED'
  | 'IO'
  | 'FILE_NOT_FOUND'
  | 'INVALID_FILE'
  | 'MISSING_COLUMN'
  | 'INVALID_ROW'
  | 'EMPTY_DATASET'
  | 'SINGLE_CLASS'
  | 'UNKNOWN_LABEL'
  | 'STATE_MISMATCH'
  | 'DATA_MISMATCH'
  | 'NON_FINITE_LOSS'
  | 'ABORTED'
  | 'OVERLOADED'
  | 'DISTRIBUTED'
  | 'OUT_OF_MEMORY'
  | 'ADDON_NOT_FOUND'
  | 'LIBTORCH_NOT_FOUND'
  | 'LIBTORCH_WRONG_VERSION'
  | 'LIBTORCH_UNREADABLE'
  | 'LIBTORCH_UNSUPPORTED_PLATFORM'
  | 'CUDA_NO_DRIVER'
  | 'CUDA_LIBRARIES_MISSING'
  | 'CUDA_WRONG_VERSION'
  | 'CUDA_NO_DEVICE'
  | 'TORCH'
  | 'INTERNAL';

/** Options of {@link RecurraError}. */
export interface RecurraErrorOptions {
  /** What caused this error. */
  cause?: unknown;
}

/**
 * Every error that this library throws or rejects with. Its {@link code} is stable; its message is for people.
 *
 * @example
 * ```ts
 * try {
 *   await TextClassifier.load('none.safetensors');
 * } catch (error) {
 *   if (error instanceof RecurraError) console.log(error.code); // FILE_NOT_FOUND
 * }
 * ```
 */
export class RecurraError extends Error {
  /** Name of the class, as for every JavaScript error. */
  override name = 'RecurraError';
  /** Stable name of the kind of error. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options: RecurraErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
  }
}

/** Options of {@link ArgumentError}. */
export interface ArgumentErrorOptions extends RecurraErrorOptions {
  /** Name of the argument or option. */
  option?: string | undefined;
  /** A description of valid values. */
  expected?: string | undefined;
  /** A description of the given value. */
  received?: string | undefined;
}

/**
 * An invalid argument or option, found before any work began. The command line exits with code 2 for it.
 *
 * @example
 * ```ts
 * try {
 *   await TextClassifier.train([], { epochs: 0 });
 * } catch (error) {
 *   if (error instanceof ArgumentError) console.log(error.option, error.received); // epochs number 0
 * }
 * ```
 */
export class ArgumentError extends RecurraError {
  /** Name of the class, as for every JavaScript error. */
  override name = 'ArgumentError';
  /**
   * Name of the argument or option as used in the message, such as `epochs` or `texts[3]`; undefined if there is no
   * single one.
   */
  readonly option: string | undefined;
  /**
   * A description of valid values, such as `an integer from 1 to 100000`; undefined if the error is about a combination
   * of options.
   */
  readonly expected: string | undefined;
  /** What was given, such as `number 0` or `array of 3`; undefined where {@link expected} is. */
  readonly received: string | undefined;

  constructor(code: ErrorCode, message: string, options: ArgumentErrorOptions = {}) {
    super(code, message, options);
    this.option = options.option;
    this.expected = options.expected;
    this.received = options.received;
  }
}

/** Position of an error in a file. Lines and columns count from 1. */
export interface FilePosition {
  /** Path of the file as the caller gave it. */
  file?: string | undefined;
  /** Line, from 1. */
  line?: number | undefined;
  /** Column or field, from 1. */
  column?: number | undefined;
}

/**
 * An error in data: a missing file, a missing column, an invalid row.
 *
 * @example
 * ```ts
 * try {
 *   for await (const row of readCsv('tickets.csv', { text: 'body', label: 'queue' })) console.log(row);
 * } catch (error) {
 *   if (error instanceof DataError) console.log(error.code, error.file, error.line, error.column);
 * }
 * ```
 */
export class DataError extends RecurraError {
  /** Name of the class, as for every JavaScript error. */
  override name = 'DataError';
  /** Path of the file, if there is one. */
  readonly file: string | undefined;
  /** Line in the file, from 1. */
  readonly line: number | undefined;
  /** Column or field in the line, from 1. */
  readonly column: number | undefined;

  constructor(code: ErrorCode, message: string, position: FilePosition = {}, options: RecurraErrorOptions = {}) {
    const where = [position.file, position.line, position.column].filter((part) => part !== undefined).join(':');
    super(code, where ? `${where}: ${message}` : message, options);
    this.file = position.file;
    this.line = position.line;
    this.column = position.column;
  }
}

/** A model file that cannot be read or is invalid. */
export class ModelFileError extends RecurraError {
  /** Name of the class, as for every JavaScript error. */
  override name = 'ModelFileError';
}

/**
 * libtorch could not be found, opened or used; the message lists every place searched and the command that fixes it.
 */
export class LibtorchError extends RecurraError {
  /** Name of the class, as for every JavaScript error. */
  override name = 'LibtorchError';
}

/** CUDA was requested and cannot be used; the code says what is missing, the message what to do about it. */
export class CudaError extends RecurraError {
  /** Name of the class, as for every JavaScript error. */
  override name = 'CudaError';
}

/** Options of {@link DistributedError}. */
export interface DistributedErrorOptions extends RecurraErrorOptions {
  /** The rank at fault, if known. */
  rank?: number | undefined;
}

/** Another process of the group failed, timed out or has different settings, or the group cannot be formed. */
export class DistributedError extends RecurraError {
  /** Name of the class, as for every JavaScript error. */
  override name = 'DistributedError';
  /** The rank at fault; undefined if unknown. */
  readonly rank: number | undefined;

  constructor(message: string, options: DistributedErrorOptions = {}) {
    super('DISTRIBUTED', message, options);
    this.rank = options.rank;
  }
}

/**
 * Describes a value for an error message, as `string "abc"`, `Float32Array of 3` or `null`.
 *
 * @internal
 */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string')
    return `string ${JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)}`;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return `${typeof value} ${value}`;
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (ArrayBuffer.isView(value))
    return `${value.constructor.name} of ${(value as Uint8Array).length ?? value.byteLength}`;
  return typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value;
}

/**
 * Makes the error for an invalid argument: `Expected <expected> for <name> but received <value>`.
 *
 * @param expected - A noun phrase: `an integer from 1 to 64`. For anything else there is {@link constraint}.
 *
 * @internal
 */
export function invalidArgument(
  name: string,
  expected: string,
  value: unknown,
  code: ErrorCode = 'INVALID_ARGUMENT',
): ArgumentError {
  return mismatch(name, expected, describe(value), code);
}

/**
 * Like {@link invalidArgument}, with a custom description of the given value.
 *
 * @internal
 */
export function mismatch(
  name: string,
  expected: string,
  received: string,
  code: ErrorCode = 'INVALID_ARGUMENT',
): ArgumentError {
  return new ArgumentError(code, `Expected ${expected} for ${name} but received ${received}`, {
    option: name,
    expected,
    received,
  });
}

/**
 * Makes the error for a rule between options, or for any rule that a value of the option alone cannot satisfy.
 *
 * @param name - The option to change or remove.
 * @param message - The whole sentence.
 *
 * @internal
 */
export function constraint(name: string, message: string, code: ErrorCode = 'INVALID_ARGUMENT'): ArgumentError {
  return new ArgumentError(code, message, { option: name });
}
