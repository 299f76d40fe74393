import { describe, expect, it } from 'vitest';
import { ArgumentError, LibtorchError, RecurraError } from '../../src/core/errors.js';
import { decodeError } from '../../src/native/wrap.js';

/** What users see of an error that a binding threw. */
const decoded = (message: string, code?: string) =>
  decodeError(Object.assign(new Error(message), code ? { code } : {}));

describe('an error of the native side', () => {
  it('keeps its code and its message', () => {
    const error = decoded('RECURRA:IO:a: b\nc');
    expect(error).toMatchObject({ name: 'RecurraError', code: 'IO', message: 'a: b\nc' });
    expect(error).not.toHaveProperty('cause');
  });

  it('says which option it is about', () => {
    const error = decoded('RECURRA:OUT_OF_RANGE\x1flabelSmoothing\x1f\x1f:labelSmoothing is 2');
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ code: 'OUT_OF_RANGE', option: 'labelSmoothing', message: 'labelSmoothing is 2' });
    expect(error).not.toHaveProperty('cause');
  });

  it('has the words of the system as its cause', () => {
    const error = decoded('RECURRA:IO\x1f\x1fdenied: (os error 13)\x1f:m: cannot write: denied');
    expect(error).toBeInstanceOf(RecurraError);
    expect(error).not.toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ message: 'm: cannot write: denied', cause: { message: 'denied: (os error 13)' } });
  });

  it('of libtorch is a LibtorchError', () => {
    expect(decoded('RECURRA:LIBTORCH:no such symbol')).toBeInstanceOf(LibtorchError);
  });

  it("that napi made has napi's as its cause", () => {
    expect(decoded('Failed to convert', 'InvalidArg')).toMatchObject({
      code: 'INVALID_ARGUMENT',
      cause: { message: 'Failed to convert' },
    });
    expect(decoded('odd')).toMatchObject({ code: 'INTERNAL', cause: { message: 'odd' } });
    expect(decodeError('no error')).toBe('no error');
  });
});
