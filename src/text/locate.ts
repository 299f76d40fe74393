/** Position of a token in its text; undefined if it was not found. */
export type Span = readonly [start: number, end: number] | undefined;

/**
 * How far after the last token the next one is searched: a token that is not in the text must not displace the others.
 */
const WINDOW = 256;
const LINE_BREAK = '<br />';
const QUOTE = '"';
/** How subword tokenizers mark a word's beginning or its continuation. */
const MARKS = /^(?:##|[\u0120\u2581])|<\/w>$/g;

/** The text after {@link fold}, with the position of each code unit. */
class Folded {
  text = '';
  /** For each code unit, where its character begins in the text, and where the last one ends. */
  readonly places: number[] = [];

  *fill(text: string): Generator<void, void, undefined> {
    const parts: string[] = [];
    let at = 0;
    for (const character of text) {
      const lower = fold(character);
      parts.push(lower);
      for (let i = 0; i < lower.length; i++) this.places.push(at);
      at += character.length;
      if (parts.length % 1_024 === 0) yield;
    }
    this.places.push(at);
    this.text = parts.join('');
  }
}

/**
 * A normal form in which a text and its tokens agree whatever the tokenizer did to case, composition and compatibility
 * characters. Works character by character, because the lower case of sigma depends on its position in the word, and
 * marks combine with the character before them.
 */
function fold(text: string): string {
  let folded = '';
  for (const character of text) folded += character.normalize('NFKD').toLowerCase();
  return folded.replaceAll('\u03c2', '\u03c3');
}

/** The end of a token that begins at `at`, skipping quotes, which `basic_english` drops; -1 if it is not there. */
function endAt(text: string, at: number, token: string, dropQuotes: boolean): number {
  let i = at;
  for (let j = 0; j < token.length; i++) {
    if (i >= text.length) return -1;
    if (text[i] === token[j]) j++;
    else if (!dropQuotes || text[i] !== QUOTE || j === 0) return -1;
  }
  return i;
}

/**
 * Finds tokens in the text that they were made from, in order: each at its first occurrence after the previous one,
 * ignoring case and Unicode form. Tokens changed further (accents removed, stemmed, a replaced number) are not found.
 *
 * @param basicEnglish - The tokens are those of that tokenizer, which drops quotes and line breaks of HTML.
 * @returns a generator that pauses often; its result has one span for each token.
 */
export function* locateTokens(
  text: string,
  tokens: readonly string[],
  basicEnglish: boolean,
): Generator<void, Span[], undefined> {
  const folded = new Folded();
  yield* folded.fill(text);
  const spans: Span[] = [];
  let cursor = 0;
  const find = (token: string): Span => {
    if (token === '') return undefined;
    while (/\s/.test(folded.text[cursor] ?? 'x') && !/^\s/.test(token)) cursor++;
    const last = Math.min(folded.text.length - 1, cursor + WINDOW);
    for (let at = cursor; at <= last; at++) {
      if (basicEnglish && folded.text.startsWith(LINE_BREAK, at)) {
        at += LINE_BREAK.length - 1;
        continue;
      }
      const end = endAt(folded.text, at, token, basicEnglish);
      if (end < 0) continue;
      cursor = end;
      // A character that became several, such as the dotted Turkish I, belongs to the token as a whole.
      return [folded.places[at]!, folded.places[end] === folded.places[end - 1] ? nextPlace(end) : folded.places[end]!];
    }
    return undefined;
  };
  const nextPlace = (from: number): number => {
    let i = from;
    while (i + 1 < folded.places.length && folded.places[i] === folded.places[from]) i++;
    return folded.places[i]!;
  };
  for (const token of tokens) {
    const lower = fold(token);
    spans.push(find(lower) ?? find(lower.replaceAll(MARKS, '')));
    if (spans.length % 64 === 0) yield;
  }
  return spans;
}
