import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  convertTags,
  detectTagScheme,
  getEntities,
  spansToTags,
  type TagScheme,
  type TokenSpan,
} from '../../src/index.js';
import { SCHEME_PREFIXES, TAG_SCHEMES } from '../../src/text/tags/scheme.js';
import { tagFaults, tagTransitions } from '../../src/text/tags/transitions.js';

/** Spans in order, some of which touch, and the number of tokens. */
const layouts = fc
  .array(
    fc.record({ gap: fc.nat(2), length: fc.integer({ min: 1, max: 4 }), label: fc.constantFrom('PER', 'LOC', 'x-y') }),
    {
      maxLength: 6,
    },
  )
  .map((parts) => {
    let at = 0;
    const spans: TokenSpan[] = parts.map(({ gap, length, label }) => {
      const start = at + gap;
      at = start + length;
      return { label, start, end: at };
    });
    return { spans, length: at + 1 };
  });
const scheme = fc.constantFrom(...TAG_SCHEMES);

describe('spans and tags', () => {
  it('are written as each scheme has them', () => {
    const spans = [
      { start: 0, end: 3, label: 'A' },
      { start: 3, end: 4, label: 'A' },
      { start: 5, end: 7, label: 'B' },
    ];
    const written = (name: TagScheme) => spansToTags(spans, 7, name).join(' ');
    expect(written('IOB1')).toBe('I-A I-A I-A B-A O I-B I-B');
    expect(written('IOB2')).toBe('B-A I-A I-A B-A O B-B I-B');
    expect(written('IOBES')).toBe('B-A I-A E-A S-A O B-B E-B');
    expect(written('BILOU')).toBe('B-A I-A L-A U-A O B-B L-B');
    expect(spansToTags(spans.toReversed(), 7)).toEqual(spansToTags(spans, 7));
  });

  it('give each other back, in both modes, and follow their scheme', () => {
    fc.assert(
      fc.property(layouts, scheme, scheme, ({ spans, length }, name, other) => {
        const tags = spansToTags(spans, length, name);
        expect(getEntities(tags)).toEqual(spans);
        expect(getEntities(tags, { mode: 'strict', scheme: name })).toEqual(spans);
        expect(tagFaults(tags, name)).toEqual([]);
        expect(convertTags(tags, other)).toEqual(spansToTags(spans, length, other));
      }),
    );
  });

  it('keep tags that are a prefix alone as they are', () => {
    expect(convertTags(['B', 'I', 'O', 'B'], 'IOBES')).toEqual(['B', 'E', 'O', 'S']);
    expect(getEntities(['S', 'B', 'E']).map(({ label, start, end }) => [label, start, end])).toEqual([
      ['_', 0, 1],
      ['_', 1, 3],
    ]);
  });

  it.each<[() => unknown, string, RegExp]>([
    [
      () =>
        spansToTags(
          [
            { start: 0, end: 2, label: 'A' },
            { start: 1, end: 3, label: 'B' },
          ],
          3,
        ),
      'INVALID_ARGUMENT',
      /must not overlap: "A" from 0 to 2 and "B" from 1 to 3/,
    ],
    [() => spansToTags([{ start: 1, end: 1, label: 'A' }], 3), 'OUT_OF_RANGE', /spans\[0\]\.end/],
    [
      () => spansToTags([{ start: 1, end: 4, label: 'A' }], 3),
      'OUT_OF_RANGE',
      /an integer from 2 to 3 for spans\[0\]\.end/,
    ],
    [() => spansToTags([{ start: -1, end: 1, label: 'A' }], 3), 'OUT_OF_RANGE', /spans\[0\]\.start/],
    [
      () => spansToTags([{ start: 0, end: 1, label: '' }], 3),
      'INVALID_ARGUMENT',
      /a non-empty string for spans\[0\]\.label/,
    ],
    [() => spansToTags([null as never], 3), 'INVALID_ARGUMENT', /a span for spans\[0\]/],
    [() => spansToTags([], 1, 'BIO' as never), 'INVALID_ARGUMENT', /for scheme/],
    [() => convertTags(['NOUN'], 'IOB2'), 'INVALID_ARGUMENT', /tags\[0\]/],
    [() => detectTagScheme([3 as never]), 'INVALID_ARGUMENT', /sequences\[0\]/],
  ])('refuse %s', (work, code, message) => {
    expect(work).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

describe('detectTagScheme', () => {
  it.each<[string, TagScheme | undefined]>([
    ['I-PER I-PER O I-LOC', 'IOB1'],
    ['I-PER B-PER O', 'IOB1'],
    ['I-PER B-LOC O', 'IOB2'],
    ['B-PER O B-LOC', 'IOB2'],
    ['B-PER I-PER I-LOC', 'IOB2'],
    ['S-PER O', 'IOBES'],
    ['B-PER I-PER E-PER', 'IOBES'],
    ['B-PER L-PER', 'BILOU'],
    ['U-PER I-PER', 'BILOU'],
    ['I-PER E-PER', undefined],
    ['E-PER L-PER B-PER', undefined],
    ['O O', undefined],
    ['NOUN B-PER', undefined],
    ['B I O', 'IOB2'],
    ['B_PER', undefined],
    ['O-PER', undefined],
    ['', undefined],
  ])('%s: %s', (tags, expected) => {
    expect(detectTagScheme([tags.split(' ')])).toBe(expected);
  });

  it('recognises what each scheme wrote', () => {
    fc.assert(
      fc.property(fc.array(layouts, { minLength: 1 }), scheme, (rows, name) => {
        const entities = rows.flatMap(({ spans }) => spans);
        const found = detectTagScheme(rows.map(({ spans, length }) => spansToTags(spans, length, name)));
        expect(found).toBe(entities.length === 0 ? undefined : name);
      }),
    );
  });
});

describe('transitions', () => {
  it('allow exactly the sequences that are written from spans', () => {
    for (const name of TAG_SCHEMES) {
      const tags = [...SCHEME_PREFIXES[name]].flatMap((prefix) =>
        prefix === 'O' ? ['O'] : [`${prefix}-A`, `${prefix}-B`],
      );
      const n = tags.length;
      const { start, end, between } = tagTransitions(tags, name);
      // All sequences of three tags.
      for (let code = 0; code < n ** 3; code++) {
        const [a, b, c] = [code % n, Math.floor(code / n) % n, Math.floor(code / n ** 2)] as const;
        const sequence = [tags[a]!, tags[b]!, tags[c]!];
        const allowed = start[a]! * between[a * n + b]! * between[b * n + c]! * end[c]! === 1;
        const canonical = convertTags(sequence, name).join(' ') === sequence.join(' ');
        expect(allowed, `${name} ${sequence.join(' ')}`).toBe(canonical);
        expect(tagFaults(sequence, name).length === 0).toBe(canonical);
      }
    }
  });

  it('say where tags do not follow their scheme', () => {
    expect(tagFaults(['O', 'I-A'], 'IOB2')).toEqual([{ index: 1, before: 'O', tag: 'I-A' }]);
    expect(tagFaults(['B-A'], 'IOBES')).toEqual([{ index: 1, before: 'B-A', tag: undefined }]);
    expect(tagFaults(['S-A'], 'IOB2')).toEqual([{ index: 0, before: undefined, tag: 'S-A' }]);
    expect(tagFaults(['x'], 'IOB2')).toEqual([{ index: 0, before: undefined, tag: 'x' }]);
  });

  it('are free for tags without a scheme', () => {
    expect([...tagTransitions(['NOUN', 'VERB'], undefined).between]).toEqual([1, 1, 1, 1]);
  });
});
