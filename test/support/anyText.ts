import fc from 'fast-check';

/** Words that a vocabulary of a test may have. */
export const WORDS = [
  '<unk>',
  '<pad>',
  'a',
  'cat',
  "'",
  '.',
  'ß',
  'é',
  'ς',
  'σας',
  'i̇',
  '中',
  '🙂',
  '\ud800',
  'b',
  '"',
  'x<br',
  '’s',
];

/** Texts of what a tokenizer may stumble over, lone surrogates and rare white space among it. */
export const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.integer({ min: 0, max: 0xff }).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom(...WORDS, ...WORDS.map((word) => word.toUpperCase())),
      fc.constantFrom(' ', '  ', '\u3000', '\u0085', '\ufeff', '<br />', '<BR "/>', '<b"r />', '<br/', 'ΣΑΣ', 'İ', 'K'),
      fc.constantFrom('—', '“', '”', '€', '한', 'ｱ', ';', ':', '"', '(', ')', '!', '?', ',', '\0', '\ud83d"\ude42'),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));
