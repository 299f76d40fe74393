import { describe, expect, it } from 'vitest';
import { proseOfRust, proseOfScript, proseOfTypeScript } from '../../scripts/lint/prose/sources.mjs';
import { findWords } from '../../scripts/lint/prose/words.mjs';

/** The finds in a source, as line:column and what was found. */
function finds(prose: string): string[] {
  return findWords(prose).map(({ index, found }: { index: number; found: string }) => {
    const before = prose.slice(0, index);
    return `${before.split('\n').length}:${index - before.lastIndexOf('\n')} ${found}`;
  });
}

describe('the word list', () => {
  it('finds a phrase across the end of a line', () => {
    expect(finds('It stops in one\ngo.')).toEqual(['1:10 in one go']);
  });

  it('knows where a word is right', () => {
    expect(finds('There is no number. It is no longer one. Or else, nothing else.')).toEqual([]);
    expect(finds('It is no number. Stop else.')).toEqual(['1:4 is no', '1:23 else']);
    expect(finds('Of a model, the size. One of a kind, the rest.')).toEqual(['1:1 Of a model,']);
    expect(finds('refused, for a wrong id would end it; for a file that is cut')).toEqual([
      '1:8 , for a wrong id would',
    ]);
  });
});

describe('the prose of a source', () => {
  it('is the comments and messages of TypeScript, at their places', () => {
    const source = [
      '/** Goes on with',
      ' * what is `anew` here, so',
      ' * it goes',
      ' * on. */',
      'const anew = /* meanwhile */ name(`the ${' + 'anew} is made anew`); // shall',
      "const path = 'anew';",
      'const pattern = /\\/\\/ anew/;',
    ].join('\n');
    const prose = proseOfTypeScript(source);
    expect(prose).toHaveLength(source.length);
    expect(finds(prose)).toEqual(['1:5 Goes on', '3:7 goes on', '5:17 meanwhile', '5:56 anew', '5:67 shall']);
  });

  it('is the comments and messages of Rust, at their places', () => {
    const source = [
      '//! Whoever reads',
      "fn twin<'a>(anew: &'a str) -> char { '\"' }",
      '/// It goes',
      '/// on.',
      'fail("it was made anew {anew}"); // "meanwhile',
      'let s = r#"said "anew" again here"#;',
    ].join('\n');
    const prose = proseOfRust(source);
    expect(prose).toHaveLength(source.length);
    expect(finds(prose)).toEqual([
      '1:5 Whoever',
      '3:8 goes on',
      '5:19 anew',
      '5:25 anew',
      '5:38 meanwhile',
      '6:18 anew',
    ]);
  });

  it('is the comments of a script', () => {
    expect(finds(proseOfScript('anew = 1  # made\n# anew\n'))).toEqual(['2:3 anew']);
  });
});
