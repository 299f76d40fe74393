/**
 * What a terminal would execute or hide: control characters, bidirectional marks, invisible format characters, and lone
 * surrogates. The joiners of emoji and of Indic and Arabic scripts stay.
 */
const UNPRINTABLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  return SHORT[character] ?? (code > 0xffff ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`);
}

/**
 * Untrusted text made safe for a terminal: control and invisible characters are escaped, such as `\u001b`.
 *
 * @internal
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/**
 * Like {@link printable}, but keeps line ends.
 *
 * @internal
 */
export function printableLines(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === '\n' ? character : escaped(character)));
}

/** A label in quotes, with everything but ASCII escaped. */
function exact(label: string): string {
  return JSON.stringify(label).replace(/[^ -~]/gu, escaped);
}

/** Cyrillic and Greek letters that look like Latin ones, and these; a part of the confusables of Unicode's TR 39. */
const LOOK_ALIKE: ReadonlyMap<string, string> = new Map(
  [...'аАВеЕНіІјЈКМоОрРсСТуУхХѕЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧο'].map((letter, index) => [
    letter,
    'aABeEHiIjJKMoOpPcCTyYxXsSABEZHIKMNOPTYXo'[index]!,
  ]),
);

/** A key that is the same for all labels that look the same. */
function look(label: string): string {
  const text = label
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .replace(/\s+/gu, ' ')
    .trim();
  return text.replace(/[\u0370-\u04ff]/gu, (letter) => LOOK_ALIKE.get(letter) ?? letter);
}

/**
 * Labels made safe for a terminal. Labels that would look alike (because of a space, an invisible character, another
 * normal form or another script) are quoted and escaped so that they differ.
 *
 * @returns the shown form of each label, in the order given.
 *
 * @internal
 */
export function shownLabels(labels: readonly string[]): string[] {
  const looks = labels.map(look);
  const times = new Map<string, number>();
  for (const each of looks) times.set(each, (times.get(each) ?? 0) + 1);
  return labels.map((label, index) => (times.get(looks[index]!) === 1 ? printable(label) : exact(label)));
}
