import { END_UNIT, UNKNOWN_UNIT, type UnitName } from './names.js';

/** Letters with a blank before them, digits, other signs, and blanks: the pieces that GPT-2 splits texts into, contractions aside. */
const WORDS = / ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+/gu;

/** Bytes worked on between two pauses. */
const TOGETHER = 8_192;

/** The units of a text, of which the text consists without a gap. A text that spells a special unit does not give it. */
export function splitUnits(name: Exclude<UnitName, 'bytes'>, text: string): Iterable<string> {
  return name === 'characters' ? text : words(text);
}

function* words(text: string): Generator<string, void, undefined> {
  // Neither special is one piece of this: both have signs and letters.
  for (const [word] of text.matchAll(WORDS)) yield word;
}

/** The vocabulary of bytes: both specials, and then the 256 bytes. */
export const BYTE_TOKENS: readonly string[] = [
  UNKNOWN_UNIT,
  END_UNIT,
  ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
];

/** Number of the first byte in {@link BYTE_TOKENS}. */
export const FIRST_BYTE = 2;

/** Copies bytes as numbers of {@link BYTE_TOKENS}; pauses often. */
export function* byteUnits(bytes: Uint8Array): Generator<void, Int32Array, undefined> {
  const units = new Int32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    units[i] = bytes[i]! + FIRST_BYTE;
    if (i % TOGETHER === TOGETHER - 1) yield;
  }
  return units;
}
