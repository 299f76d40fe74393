import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  convertTags,
  detectTagScheme,
  type EntityReport,
  entityReport,
  formatClassificationReport,
  getEntities,
  type PrecisionRecall,
  type TagScheme,
} from '../../src/index.js';
import { golden } from '../support/safetensors.js';

interface Measures {
  entities: [label: string, start: number, end: number][][];
  perLabel: (PrecisionRecall & { label: string; support: number })[];
  microAverage?: PrecisionRecall;
  macroAverage?: PrecisionRecall;
  weightedAverage?: PrecisionRecall;
}
interface Case {
  scheme: TagScheme;
  detected: string | null;
  yTrue: string[][];
  yPred: string[][];
  accuracy: number;
  default?: Measures;
  strict: Measures;
}
const cases = JSON.parse(readFileSync(join(golden, 'entities.json'), 'utf8')) as Case[];

/** Both sides compute in float64; only the order of the operations differs. */
function expectMeasures(ours: PrecisionRecall, theirs: PrecisionRecall): void {
  for (const name of ['precision', 'recall', 'f1'] as const) {
    expect(Math.abs(ours[name] - theirs[name]), `${name}: ${ours[name]} ${theirs[name]}`).toBeLessThanOrEqual(1e-12);
  }
}

function expectReport(ours: EntityReport, theirs: Measures): void {
  expect(ours.perLabel.map(({ label, support }) => [label, support])).toEqual(
    theirs.perLabel.map(({ label, support }) => [label, support]),
  );
  for (const [i, measures] of theirs.perLabel.entries()) expectMeasures(ours.perLabel[i]!, measures);
  const nothing = { precision: 0, recall: 0, f1: 0 };
  for (const name of ['microAverage', 'macroAverage', 'weightedAverage'] as const) {
    expectMeasures(ours[name], theirs[name] ?? nothing);
  }
}

const triples = (spans: ReturnType<typeof getEntities>) => spans.map(({ label, start, end }) => [label, start, end]);

describe('measures of entities are seqeval’s', () => {
  it('has cases of each scheme, with entities of either mode', () => {
    expect(new Set(cases.map(({ scheme }) => scheme)).size).toBe(4);
    expect(cases.filter(({ strict }) => strict.perLabel.length > 1).length).toBeGreaterThan(15);
  });

  it.each(cases.map((data, index) => ({ ...data, index })))('case $index, $scheme', (data) => {
    const { scheme, yTrue, yPred } = data;
    expect(yTrue.map((tags) => triples(getEntities(tags, { mode: 'strict', scheme })))).toEqual(data.strict.entities);
    const strict = entityReport(yTrue, yPred, { mode: 'strict', scheme });
    expectReport(strict, data.strict);
    expect(strict.accuracy).toBeCloseTo(data.accuracy, 12);
    expect([strict.sentences, strict.tokens]).toEqual([yTrue.length, yTrue.flat().length]);
    const loose = entityReport(yTrue, yPred);
    if (data.default !== undefined) {
      expect(yTrue.map((tags) => triples(getEntities(tags)))).toEqual(data.default.entities);
      expectReport(loose, data.default);
    } else {
      // The letters of BILOU, read as those of IOBES.
      const renamed = (tags: string[]) => tags.map((tag) => tag.replace(/^L/, 'E').replace(/^U/, 'S'));
      expect(loose.perLabel).toEqual(entityReport(yTrue.map(renamed), yPred.map(renamed)).perLabel);
    }
    // seqeval knows neither IOB1 nor what `I` without `B` means.
    const detected = detectTagScheme(yTrue);
    if (data.detected !== null && detected !== 'IOB1') expect(detected).toBe(data.detected);
  });

  it('finds the scheme of strict mode in the right tags', () => {
    const yTrue = [['B-PER', 'E-PER', 'O', 'S-LOC']];
    const yPred = [['B-PER', 'E-PER', 'O', 'B-LOC']];
    expect(entityReport(yTrue, yPred).microAverage.f1).toBe(1);
    expect(entityReport(yTrue, yPred, { mode: 'strict' }).microAverage).toEqual({
      precision: 1,
      recall: 0.5,
      f1: 2 / 3,
    });
    expect(convertTags(yPred[0]!, 'IOBES')).toEqual(yTrue[0]);
  });

  it('lays the table out with the micro average', () => {
    const table = formatClassificationReport(entityReport([['B-PER', 'O', 'B-LOC']], [['B-PER', 'O', 'O']]));
    expect(table.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['precision', 'recall', 'f1', 'support'],
      ['LOC', '-', '0.0000', '0.0000', '1'],
      ['PER', '1.0000', '1.0000', '1.0000', '1'],
      [''],
      ['micro average', '1.0000', '0.5000', '0.6667'],
      ['macro average', '0.5000', '0.5000', '0.5000'],
      ['weighted average', '0.5000', '0.5000', '0.5000'],
    ]);
  });

  it('keeps labels that objects have of their own apart', () => {
    const report = entityReport([['B-__proto__', 'B-constructor']], [['B-__proto__', 'O']]);
    expect(report.perLabel.map(({ label, f1 }) => [label, f1])).toEqual([
      ['__proto__', 1],
      ['constructor', 0],
    ]);
  });

  it.each<[() => unknown, string, RegExp]>([
    [() => entityReport([], []), 'EMPTY_DATASET', /no rows/],
    [() => entityReport([[]], [[]]), 'EMPTY_DATASET', /no rows/],
    [() => entityReport([['O']], []), 'INVALID_SHAPE', /yTrue has 1 rows but yPred has 0/],
    [() => entityReport([['O']], [['O', 'O']]), 'INVALID_SHAPE', /yTrue\[0\] has 1 tags but yPred\[0\] has 2/],
    [() => entityReport([['NOUN']], [['O']]), 'INVALID_ARGUMENT', /as B-PER, for yTrue\[0\]\[0\] but .* "NOUN"/],
    [() => entityReport([['O']], [['']]), 'INVALID_ARGUMENT', /yPred\[0\]\[0\]/],
    [() => entityReport([['O']], [[3 as never]]), 'INVALID_ARGUMENT', /number 3/],
    [() => entityReport(['O' as never], [['O']]), 'INVALID_ARGUMENT', /an array of tags for yTrue\[0\]/],
    [() => entityReport([['O']], [['O']], { mode: 'strict' }), 'INVALID_ARGUMENT', /scheme is required/],
    [
      () => entityReport([['B-A']], [['S-A']], { mode: 'strict' }),
      'INVALID_ARGUMENT',
      /a tag of IOB2, which has O, B, I, for yPred\[0\]\[0\]/,
    ],
    [() => entityReport([['O']], [['O']], { mode: 'lenient' as never }), 'INVALID_ARGUMENT', /mode/],
    [() => entityReport([['O']], [['O']], { schema: 'IOB2' } as never), 'INVALID_ARGUMENT', /did you mean scheme/],
    [() => getEntities(['O'], { mode: 'strict' }), 'INVALID_ARGUMENT', /one of 'IOB1', .* for scheme/],
  ])('refuses %s', (work, code, message) => {
    expect(work).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});
