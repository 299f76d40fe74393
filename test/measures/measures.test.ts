import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  averagePrecision,
  calibration,
  classificationReport,
  confusionMatrix,
  formatClassificationReport,
  formatConfusions,
  logLoss,
  multiLabelReport,
  rocAuc,
  topKAccuracy,
  worstConfusions,
} from '../../src/index.js';

const thrown = (work: () => unknown): { code: string; message: string } => {
  try {
    work();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('it did not throw');
};

describe('what cannot be measured is an error, never NaN', () => {
  it.each([
    () => classificationReport([], []),
    () => confusionMatrix([], []),
    () => multiLabelReport([], []),
    () => logLoss([], [], { labels: ['a'] }),
    () => topKAccuracy([], [], { labels: ['a'] }),
    () => calibration([], new Float32Array(0), { labels: ['a'] }),
    () => averagePrecision([], []),
    () => rocAuc([], []),
  ])('no rows: %s', (work) => {
    expect(thrown(work).code).toBe('EMPTY_DATASET');
  });

  it.each<[() => unknown, string, RegExp]>([
    [() => classificationReport(['a'], ['a', 'b']), 'INVALID_SHAPE', /yTrue has 1 rows but yPred has 2/],
    [() => classificationReport(['a'], ['b'], { labels: ['a'] }), 'UNKNOWN_LABEL', /yPred\[0\] is "b"/],
    [() => classificationReport(['a', 3 as never], ['a', 'a']), 'INVALID_ARGUMENT', /a string for yTrue\[1\]/],
    [() => classificationReport('a' as never, ['a']), 'INVALID_ARGUMENT', /an array for yTrue/],
    [() => classificationReport(['a'], ['a'], { labels: ['a', 'a'] }), 'INVALID_ARGUMENT', /different labels/],
    [() => logLoss(['a', 'b'], [[0.5, 0.5]]), 'INVALID_SHAPE', /yTrue has 2 rows .* probabilities has 1 rows/],
    [
      () =>
        logLoss(
          ['a', 'a'],
          [
            [0.5, 0.5],
            [1, 0],
          ],
        ),
      'INVALID_SHAPE',
      /probabilities\[0\] has 2 numbers, .* 1 labels/,
    ],
    [
      () =>
        logLoss(
          ['a', 'b'],
          [
            [0.5, 0.5],
            [1.5, -0.5],
          ],
        ),
      'INVALID_ARGUMENT',
      /from 0 to 1 for probabilities\[1\]\[0\]/,
    ],
    [
      () =>
        logLoss(
          ['a', 'b'],
          [
            [0.5, 0.5],
            [0.5, 0.6],
          ],
        ),
      'INVALID_ARGUMENT',
      /add up to 1 for probabilities\[1\]/,
    ],
    [
      () =>
        logLoss(
          ['a', 'b'],
          [
            [0.5, 0.5],
            [Number.NaN, 1],
          ],
        ),
      'INVALID_ARGUMENT',
      /finite number/,
    ],
    [
      () =>
        calibration(
          ['a', 'b'],
          [
            [1, 0],
            [0, 1],
          ],
          { bins: 0 },
        ),
      'OUT_OF_RANGE',
      /integer from 1 to 10000 for bins/,
    ],
    [
      () =>
        topKAccuracy(
          ['a', 'b'],
          [
            [1, 0],
            [0, 1],
          ],
          { k: 1.5 },
        ),
      'INVALID_ARGUMENT',
      /integer of at least 1 for k/,
    ],
    [
      () =>
        topKAccuracy(
          ['a', 'b'],
          [
            [1, 0],
            [0, 1],
          ],
          { n: 1 } as never,
        ),
      'INVALID_ARGUMENT',
      /Unknown option "n"/,
    ],
    [() => multiLabelReport([[]], [[]]), 'INVALID_ARGUMENT', /none of the rows has a label/],
    [() => multiLabelReport([['a']], ['a' as never]), 'INVALID_ARGUMENT', /array of labels for yPred\[0\]/],
    [() => averagePrecision([true], [1, 2]), 'INVALID_SHAPE', /1 rows but there are 2 scores/],
    [() => rocAuc([1 as never], [1]), 'INVALID_ARGUMENT', /a boolean for yTrue\[0\]/],
  ])('%s', (work, code, message) => {
    const error = thrown(work);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });
});

describe('divisions by zero', () => {
  it('count as 0 and are named', () => {
    const report = classificationReport(['a', 'b'], ['a', 'a'], { labels: ['a', 'b', 'c'] });
    expect(report.perLabel[2]).toEqual({ label: 'c', precision: 0, recall: 0, f1: 0, support: 0, predicted: 0 });
    expect(report.undefinedMeasures).toEqual([
      { label: 'b', measure: 'precision' },
      { label: 'c', measure: 'precision' },
      { label: 'c', measure: 'recall' },
      { label: 'c', measure: 'f1' },
    ]);
    expect(formatClassificationReport(report)).toMatch(/^c {25}- {10}- {10}- {10}0$/m);
  });

  it('of a row without labels are counted apart', () => {
    const { rowsWithoutLabel, samplesAverage } = multiLabelReport([[], ['a'], []], [[], [], ['a']]);
    expect(rowsWithoutLabel).toEqual({ truth: 2, predicted: 2, both: 1 });
    expect(samplesAverage).toEqual({ precision: 0, recall: 0, f1: 0 });
  });
});

describe('a certain mistake', () => {
  it('costs what scikit-learn makes of it, by the type of the numbers', () => {
    expect(
      logLoss(
        ['a', 'b'],
        [
          [0, 1],
          [0, 1],
        ],
      ),
    ).toBeCloseTo(-Math.log(2 ** -52) / 2, 10);
    expect(logLoss(['a', 'b'], Float32Array.of(0, 1, 0, 1))).toBeCloseTo(-Math.log(2 ** -23) / 2, 6);
  });
});

describe('tables', () => {
  const report = classificationReport(['a', 'a', 'a', 'bb', 'bb', 'c'], ['a', 'bb', 'bb', 'bb', 'c', 'c']);

  it('put the weakest label first and the averages last', () => {
    expect(formatClassificationReport(report)).toBe(
      [
        '                  precision     recall         f1    support',
        'bb                   0.3333     0.5000     0.4000          2',
        'a                    1.0000     0.3333     0.5000          3',
        'c                    0.5000     1.0000     0.6667          1',
        '',
        'macro average        0.6111     0.6111     0.5222',
        'weighted average     0.6944     0.5000     0.4944',
      ].join('\n'),
    );
    expect(formatClassificationReport(multiLabelReport([['a']], [['a']]))).toMatch(/micro average.*samples average/s);
  });

  it('tell which labels are taken for which', () => {
    expect(worstConfusions(report)).toEqual([
      { truth: 'a', predicted: 'bb', rows: 2, share: 2 / 3 },
      { truth: 'bb', predicted: 'c', rows: 1, share: 0.5 },
    ]);
    expect(formatConfusions(report, 1)).toBe('2  a taken for bb (66.7 % of a)');
    expect(formatConfusions(classificationReport(['a'], ['a']))).toBe('');
  });
});

describe('of any predictions', () => {
  const labels = ['a', 'b', 'c', '__proto__', 'constructor'];
  const rows = fc.array(fc.tuple(fc.constantFrom(...labels), fc.constantFrom(...labels)), {
    minLength: 1,
    maxLength: 40,
  });

  it('the figures lie between 0 and 1, agree with one another, and do not depend on the order of the rows', () => {
    fc.assert(
      fc.property(rows, (pairs) => {
        const truth = pairs.map(([label]) => label);
        const predicted = pairs.map(([, label]) => label);
        const report = classificationReport(truth, predicted);
        const values = [report.macroAverage, report.weightedAverage, ...report.perLabel];
        for (const { precision, recall, f1 } of values) {
          for (const value of [precision, recall, f1]) expect(value >= 0 && value <= 1 + 1e-12).toBe(true);
        }
        expect(report.weightedAverage.recall).toBeCloseTo(report.accuracy, 12);
        expect(report.perLabel.reduce((sum, { support }) => sum + support, 0)).toBe(pairs.length);
        expect(classificationReport(truth.toReversed(), predicted.toReversed())).toEqual(report);
        const sets = multiLabelReport(
          truth.map((label) => [label]),
          predicted.map((label) => [label]),
        );
        expect(sets.perLabel).toEqual(report.perLabel);
        expect(sets.microAverage.f1).toBeCloseTo(report.accuracy, 12);
        expect(sets.accuracy).toBe(report.accuracy);
      }),
    );
  });

  it('a ranking of more rows than are sorted at once is that of few, repeated', () => {
    const has = [true, false, true, true, false, false, true];
    const scores = [0.9, 0.9, 0.8, 0.5, 0.4, 0.3, 0.1];
    const copies = 20_011;
    const many = <T>(values: T[]) =>
      Array.from({ length: values.length * copies }, (_, i) => values[(i * 3) % values.length]!);
    // Each row stands there as often as the others, in another order.
    expect(averagePrecision(many(has), many(scores))).toBeCloseTo(averagePrecision(has, scores), 10);
    expect(rocAuc(many(has), many(scores))).toBeCloseTo(rocAuc(has, scores)!, 12);
  });

  it('the area is the share of pairs in the right order', () => {
    const scored = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 6 })), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(scored, (list) => {
        const positive = list.filter(([has]) => has);
        const negative = list.filter(([has]) => !has);
        let won = 0;
        for (const [, a] of positive) for (const [, b] of negative) won += a > b ? 1 : a === b ? 0.5 : 0;
        const area = rocAuc(
          list.map(([has]) => has),
          list.map(([, score]) => score),
        );
        const pairs = positive.length * negative.length;
        if (pairs === 0) expect(area).toBeNull();
        else expect(area).toBeCloseTo(won / pairs, 12);
      }),
    );
  });
});
