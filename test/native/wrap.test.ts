import { describe, expect, it } from 'vitest';
import { ArgumentError, LibtorchError, RecurraError } from '../../src/core/errors.js';
import { kernelEngine } from '../../src/engine/kernels.js';
import { light } from '../../src/native/light.js';
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

describe('what the addon refuses', () => {
  const config = {
    cell: 'lstm',
    embeddingDim: 4,
    hiddenSize: 4,
    numLayers: 1,
    bidirectional: false,
    dropout: 0,
    embeddingDropout: 0,
    wordDropout: 0,
    vocabSize: 5,
    head: { kind: 'classes', outputs: 2, multiLabel: false, pooling: 'max' },
    paddingIdx: 1,
    unknownIdx: 0,
    seed: 0,
    threads: 1,
  } as const;

  it.each([
    ['dropout', { dropout: 1 }],
    ['wordDropout', { wordDropout: -0.5 }],
    ['embeddingStd', { embeddingStd: Number.NaN }],
    ['hiddenSize', { hiddenSize: 0 }],
    ['threads', { threads: 5_000 }],
    ['paddingIdx', { paddingIdx: 5 }],
  ])('names the option %s', (option, wrong) => {
    expect(() => kernelEngine({ ...config, ...wrong })).toThrow(
      expect.objectContaining({ name: 'ArgumentError', code: 'INVALID_ARGUMENT', option }),
    );
  });

  it("has the system's words for a file as its cause", async () => {
    const write = light().writeSafetensors('/no/such/folder/model', [], {});
    await expect(write).rejects.toMatchObject({
      code: 'IO',
      cause: { message: expect.stringMatching(/No such file|cannot find the path|Path not found/) },
    });
  });
});
