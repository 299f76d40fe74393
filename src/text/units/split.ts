import { END_UNIT, UNKNOWN_UNIT, type UnitName } from './names.js';

/** Letters with a preceding space, digits, other characters, and white space: GPT-2's split, without contractions. */
const WORDS = / ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+/gu;

/** Bytes processed between two pauses. */
const TOGETHER = 8_192;

/** The units of a text, without gaps. A literal special unit in the text is not that unit. */
export function splitUnits(name: Exclude<UnitName, 'bytes'>, text: string): Iterable<string> {
  return name === 'characters' ? text : words(text);
}

function* words(text: string): Generator<string, void, undefined> {
  // Neither special matches as one piece: both mix punctuation and letters.
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
