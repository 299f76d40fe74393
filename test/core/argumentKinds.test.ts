import { describe, expect, it } from 'vitest';
import * as recurra from '../../src/index.js';

// Everything that can be called with a value of a wrong kind, and what is not for callers to make.
const NOT_CALLED = ['progressDisplay', 'SummaryWriter'];
const MADE_BY_THE_LIBRARY = [
  'HuggingFaceTokenizer',
  'LanguageModel',
  'Seq2Seq',
  'Prediction',
  'TextClassifier',
  'TextModel',
  'TextTagger',
  'TrainingRun',
  'Vocab',
  'LearnedVectors',
  'FileRows',
];
const VALUES: readonly unknown[] = [undefined, null, 5, true, Symbol('s'), 1n, {}, [5], [null], () => 1, new Map()];

type Callable = (...args: unknown[]) => unknown;

/** Calls something, iterates over what it returns, and gives what was thrown. */
async function thrownBy(call: () => unknown): Promise<unknown> {
  try {
    const result = await call();
    if (result && typeof result === 'object' && Symbol.asyncIterator in result)
      for await (const _ of result as AsyncIterable<unknown>) break;
    return undefined;
  } catch (error) {
    return error;
  }
}

const functions = Object.entries(recurra as unknown as Readonly<Record<string, unknown>>).flatMap(([name, value]) =>
  typeof value === 'function' && !NOT_CALLED.includes(name) ? [[name, value as Callable] as const] : [],
);
const isClass = (value: Callable) => /^class\b/.test(Function.prototype.toString.call(value));

describe('an argument of a wrong kind is an error of this library', () => {
  it.each(functions)('%s', async (name, value) => {
    const calls = VALUES.flatMap((first) => {
      if (isClass(value))
        return MADE_BY_THE_LIBRARY.includes(name) || name.endsWith('Error')
          ? []
          : [() => Reflect.construct(value, [first])];
      return [undefined, null, 5, []].map((second) => () => value(first, second));
    });
    for (const call of calls) {
      const error = await thrownBy(call);
      if (error !== undefined) expect(error).toBeInstanceOf(recurra.RecurraError);
    }
  });

  it.each([
    [() => recurra.buildVocabFromIterator(5 as never), 'tokens', 'number 5'],
    [() => recurra.buildVocabFromIterator([5] as never), 'tokens', 'number 5'],
    [() => recurra.vocabFromCounter(['a'] as never), 'counter', 'string "a"'],
    [() => recurra.stratifiedSplit(null as never), 'data', 'null'],
    [() => recurra.stratifiedSplit({ labels: 5 } as never), 'labels', 'number 5'],
    [() => recurra.formatClassificationReport({} as never), 'report', 'Object'],
    [() => new recurra.EncodedDataset(undefined as never), 'parts', 'undefined'],
  ])('%s names it', (call, option, received) => {
    expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', option, received }));
  });
});
