import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { basicEnglish, getTokenizer } from '../../src/text/index.js';

interface Case {
  text: string;
  tokens: string[];
}

function golden(name: string): Case[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/golden/${name}`, import.meta.url), 'utf8')) as Case[];
}

// torchtext's substitutions one by one, with Python's white space.
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python takes U+001C to U+001F for white space.
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;
const SUBSTITUTIONS: [RegExp, string][] = [
  [/'/g, " '  "],
  [/"/g, ''],
  [/\./g, ' . '],
  [/<br \/>/g, ' '],
  [/,/g, ' , '],
  [/\(/g, ' ( '],
  [/\)/g, ' ) '],
  [/!/g, ' ! '],
  [/\?/g, ' ? '],
  [/;/g, ' '],
  [/:/g, ' '],
  [SPACE, ' '],
];

function bySubstitutions(text: string): string[] {
  let result = text.toLowerCase();
  for (const [pattern, replacement] of SUBSTITUTIONS) result = result.replace(pattern, replacement);
  return result.split(' ').filter((token) => token !== '');
}

describe('basicEnglish', () => {
  it.each(golden('basic_english.json'))('splits $text as torchtext does', ({ text, tokens }) => {
    expect(basicEnglish(text)).toEqual(tokens);
  });

  it('splits 400 texts of awkward characters as Python does', () => {
    // Made by the substitutions of torchtext's basic_english in Python 3.11, from random pieces.
    for (const { text, tokens } of golden('basic_english_fuzz.json')) expect(basicEnglish(text)).toEqual(tokens);
  });

  it('equals the substitutions on any text', () => {
    const piece = fc.constantFrom(
      ...`'".,()!?;: <>/\t\n\x1c\x1f\x85\xa0\ufeff\u2003\u200b\u3000abrBRİΣé🙂`,
      '<br />',
      '<BR />',
      '<b"r />',
      '<br>',
      '\ud800',
      '\udc00',
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(text, (value) => {
        expect(basicEnglish(value)).toEqual(bySubstitutions(value));
      }),
      { numRuns: 3000 },
    );
  });

  it('joins what stands around a dropped quote and finds a line break behind one', () => {
    expect(basicEnglish('say"ing <b"r /> x"')).toEqual(['saying', 'x']);
    expect(basicEnglish('"<br />"a"')).toEqual(['a']);
  });

  it('takes a long text in linear time', () => {
    const tokens = basicEnglish('a"'.repeat(200_000));
    expect(tokens).toHaveLength(1);
    expect(tokens[0]).toHaveLength(200_000);
  });

  it('refuses what is not a text', () => {
    expect(() => basicEnglish(null as unknown as string)).toThrow(/Expected a string for text but received null/);
    expect(() => basicEnglish(5 as unknown as string)).toThrow(/number 5/);
  });
});

describe('getTokenizer', () => {
  it('knows basic_english and takes functions', () => {
    const own = (text: string) => [...text];
    expect(getTokenizer()).toBe(basicEnglish);
    expect(getTokenizer('basic_english')).toBe(basicEnglish);
    expect(getTokenizer(own)).toBe(own);
  });

  it('refuses another name', () => {
    expect(() => getTokenizer('spacy' as 'basic_english')).toThrow(/basic_english.*received string "spacy"/);
  });
});
