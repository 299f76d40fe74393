import { describe, expect, it } from 'vitest';
import { printable, printableLines, shownLabels } from '../../src/core/printable.js';

describe('printable', () => {
  it.each([
    ['plain text, \u00e9\u4e2d\u{1f600}', 'plain text, \u00e9\u4e2d\u{1f600}'],
    ['\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
    ['a\tb\r\nc\u0000\u007f\u009b', 'a\\tb\\r\\nc\\u0000\\u007f\\u009b'],
    // Text that runs backwards, a zero-width blank, a byte order mark, a tag, half a character.
    ['\u202egnp\u202c\u200b\ufeff\u{e0041}\ud800', '\\u202egnp\\u202c\\u200b\\ufeff\\u{e0041}\\ud800'],
    // Joined emoji and Persian need their joiners.
    ['\u{1f469}\u200d\u{1f4bb} \u0645\u06cc\u200c\u062e', '\u{1f469}\u200d\u{1f4bb} \u0645\u06cc\u200c\u062e'],
  ])('%j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('leaves the ends of lines where there are several', () => {
    expect(printableLines('a\nb\tc\u001b')).toBe('a\nb\\tc\\u001b');
  });
});

describe('shownLabels', () => {
  it('tells labels apart that look alike, and leaves the others', () => {
    expect(shownLabels(['billing', 'billing ', 'bi\u200blling', 'b\u0456lling', 'other'])).toEqual([
      '"billing"',
      '"billing "',
      '"bi\\u200blling"',
      '"b\\u0456lling"',
      'other',
    ]);
    expect(shownLabels(['caf\u00e9', 'cafe\u0301', 'a\u00a0b', 'a b'])).toEqual([
      '"caf\\u00e9"',
      '"cafe\\u0301"',
      '"a\\u00a0b"',
      '"a b"',
    ]);
    expect(shownLabels(['caf\u00e9', 'a\u00a0b', 'Spam', 'spam'])).toEqual(['caf\u00e9', 'a\u00a0b', 'Spam', 'spam']);
  });
});
