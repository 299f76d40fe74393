import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignSpans, spansToTags, type TextSpan, tokensInText, unicodeWords } from '../../src/index.js';
import { anyText } from '../support/anyText.js';

/** Texts with emoji of several code points, combining marks, and blanks of several kinds that follow each other. */
const texts = fc
  .array(
    fc.oneof(
      anyText,
      fc.string({ unit: 'grapheme', maxLength: 6 }),
      fc.constantFrom(
        '  ',
        '\t\n',
        '\u00a0',
        '👩‍👩‍👧‍👦',
        '🇩🇪',
        'e\u0301',
        'n\u0303o',
        '한국어',
        'สวัสดี',
        '你好世界',
        "don't",
        '3.50€',
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

describe('tokensInText', () => {
  it('keeps words as they are written', () => {
    const text = "Zoë  isn't ＡＮＮＡ, at 3.50 €… 👩‍👩‍👧 e\u0301té\n";
    expect(tokensInText(text).map(({ token }) => token)).toEqual([
      'Zoë',
      "isn't",
      'ＡＮＮＡ',
      ',',
      'at',
      '3.50',
      '€',
      '…',
      '👩‍👩‍👧',
      'e\u0301té',
    ]);
    expect(tokensInText(' \n')).toEqual([]);
    expect(() => tokensInText(3 as never)).toThrow(/a string for text/);
  });

  it('says where each token stands, and leaves out white space alone', () => {
    fc.assert(
      fc.property(texts, (text) => {
        let at = 0;
        for (const { token, start, end } of tokensInText(text)) {
          expect(text.slice(start, end)).toBe(token);
          expect(text.slice(at, start)).toMatch(/^\s*$/u);
          expect(token).toMatch(/^\S+$/u);
          at = end;
        }
        expect(text.slice(at)).toMatch(/^\s*$/u);
      }),
      { numRuns: 400 },
    );
  });

  it('splits as unicodeWords where that changes nothing else', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const plain = text.normalize('NFKC').toLowerCase();
        if (plain.normalize('NFKC').toLowerCase() !== plain) return;
        expect(tokensInText(plain).map(({ token }) => token)).toEqual(unicodeWords(plain));
      }),
    );
  });

  it('takes long texts and words, and splits no character', () => {
    const text = `${'🙂'.repeat(3000)} ${'x'.repeat(20_000)} ${'word, '.repeat(3000)}`;
    const tokens = tokensInText(text);
    expect(tokens.map(({ token }) => token).join('')).toBe(text.replaceAll(' ', ''));
    expect(tokens.some(({ token }) => /\p{Surrogate}/u.test(token))).toBe(false);
  });
});

/** A text with spans that do not overlap, whose borders lie anywhere between its code points. */
const spanned = fc
  .tuple(
    texts,
    fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 9 }), fc.constantFrom('A', 'B')), { maxLength: 6 }),
  )
  .map(([text, parts]) => {
    const borders = [0];
    for (const character of text) borders.push(borders.at(-1)! + character.length);
    const spans: TextSpan[] = [];
    let at = 0;
    for (const [gap, length, label] of parts) {
      const [start, end] = [at + gap, at + gap + length];
      if (end >= borders.length) break;
      spans.push({ start: borders[start]!, end: borders[end]!, label });
      at = end;
    }
    return { text, spans };
  });

describe('alignSpans', () => {
  it('finds the tokens of spans, without the blanks at their borders', () => {
    const text = 'Ann went to New  York!';
    const result = alignSpans(text, [
      { start: 11, end: 21, label: 'LOC' },
      { start: 0, end: 3, label: 'PER' },
    ]);
    expect(result.spans).toEqual([
      { start: 0, end: 1, label: 'PER' },
      { start: 3, end: 5, label: 'LOC' },
    ]);
    expect(result.misaligned).toEqual([]);
    expect(spansToTags(result.spans, result.tokens.length)).toEqual(['B-PER', 'O', 'O', 'B-LOC', 'I-LOC', 'O']);
  });

  it('reports what begins or ends within a token, or splits the token', () => {
    const text = 'USA2010 x  y';
    const spans = [
      { start: 0, end: 3, label: 'LOC' },
      { start: 3, end: 7, label: 'YEAR' },
      { start: 9, end: 11, label: 'GAP' },
    ];
    const whole = alignSpans(text, spans);
    expect(whole.spans).toEqual([{ start: 0, end: 1, label: 'LOC' }]);
    expect(whole.misaligned).toEqual([
      { ...spans[0], kept: true },
      { ...spans[1], kept: false },
      { ...spans[2], kept: false },
    ]);
    const parts = alignSpans(text, spans, { split: true });
    expect(parts.tokens.map(({ token }) => token)).toEqual(['USA', '2010', 'x', 'y']);
    expect(parts.spans).toEqual([
      { start: 0, end: 1, label: 'LOC' },
      { start: 1, end: 2, label: 'YEAR' },
    ]);
    expect(parts.misaligned).toEqual([{ ...spans[2], kept: false }]);
  });

  it('gives each span back by its tokens where these are split', () => {
    fc.assert(
      fc.property(spanned, ({ text, spans }) => {
        const { tokens, spans: aligned, misaligned } = alignSpans(text, spans, { split: true });
        for (const { token, start, end } of tokens) expect(text.slice(start, end)).toBe(token);
        const visible = spans.filter(({ start, end }) => text.slice(start, end).trim() !== '');
        expect(misaligned).toHaveLength(spans.length - visible.length);
        expect(
          aligned.map(({ start, end, label }) => [label, text.slice(tokens[start]!.start, tokens[end - 1]!.end)]),
        ).toEqual(visible.map(({ start, end, label }) => [label, text.slice(start, end).trim()]));
        expect(spansToTags(aligned, tokens.length)).toHaveLength(tokens.length);
      }),
      { numRuns: 400 },
    );
  });

  it('keeps tokens whole otherwise, and loses no span silently', () => {
    fc.assert(
      fc.property(spanned, ({ text, spans }) => {
        const { tokens, spans: aligned, misaligned } = alignSpans(text, spans);
        expect(tokens).toEqual(tokensInText(text));
        expect(aligned.length + misaligned.filter(({ kept }) => !kept).length).toBe(spans.length);
        expect(spansToTags(aligned, tokens.length)).toHaveLength(tokens.length);
        for (const { start, end } of spans) {
          const reported = misaligned.some((span) => span.start === start);
          const trimmed = text.slice(start, end).trim();
          const from = start + text.slice(start, end).indexOf(trimmed);
          const exact = aligned.some(
            (span) => tokens[span.start]!.start === from && tokens[span.end - 1]!.end === from + trimmed.length,
          );
          expect(reported).toBe(trimmed === '' || !exact);
        }
      }),
      { numRuns: 400 },
    );
  });

  it.each<[TextSpan[], RegExp]>([
    [[{ start: 0, end: 9, label: 'A' }], /not within the text/],
    [[{ start: 1, end: 1, label: 'A' }], /is empty/],
    [[{ start: 1, end: 2, label: 'A' }], /within a character/],
    [[{ start: 0, end: 2, label: '' }], /no label/],
    [[null as never], /an array of spans/],
  ])('refuses %j', (spans, message) => {
    expect(() => alignSpans('🙂 b', spans)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) }),
    );
  });
});
