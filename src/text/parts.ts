import { splitsPair } from './surrogates.js';

/** Maximum code units without white space before a cut. */
const LONGEST = 4096;

/** How far before that a sentence-final mark is searched. */
const NEAR = 512;

/**
 * Whether a text may be cut before this code unit: normalization, lowercasing and words never extend across these
 * characters.
 */
function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0x3000;
}

/** The last blank from `from` down to `least`; -1 if there is none. */
function blankBefore(text: string, from: number, least: number): number {
  for (let i = from; i >= least; i--) if (isBlank(text.charCodeAt(i))) return i;
  return -1;
}

/** The first blank from `from` up to `most`; -1 if there is none. */
function blankAfter(text: string, from: number, most: number): number {
  for (let i = from; i <= most; i++) if (isBlank(text.charCodeAt(i))) return i;
  return -1;
}

/** Whether words end before this code unit in any script: an ideographic comma or full stop, `!` or `?`, or a wide one. */
function isMark(code: number): boolean {
  return code === 0x3001 || code === 0x3002 || code === 0x21 || code === 0x3f || code === 0xff01 || code === 0xff1f;
}

/**
 * Where to cut a stretch longer than `most`: before a mark, or, without one nearby, anywhere but within a surrogate
 * pair.
 */
function cutBefore(text: string, most: number): number {
  for (let i = most; i > most - NEAR; i--) if (isMark(text.charCodeAt(i))) return i;
  return splitsPair(text, most) ? most - 1 : most;
}

/**
 * Cuts a text into parts that can be normalized, lowercased and split independently: before white space, or, without
 * any for long, at positions that depend only on the last white space. So parts read from the end have the same words.
 */
export function partsOf(text: string): Iterable<string> {
  return text.length <= LONGEST ? [text] : partsFromStart(text);
}

function* partsFromStart(text: string): Generator<string, void, undefined> {
  // Up to where the stretch since the last blank must be cut.
  let most = LONGEST;
  for (let at = 0; at < text.length; ) {
    if (most >= text.length) {
      yield text.slice(at);
      return;
    }
    const blank = blankBefore(text, most, at + 1);
    const end = blank < 0 ? cutBefore(text, most) : blank;
    most = (blank < 0 ? most : blank) + LONGEST;
    yield text.slice(at, end);
    at = end;
  }
}

/** The parts of a text in reverse order; they may differ from those of {@link partsOf}, but have the same words. */
export function partsFromEnd(text: string): Iterable<string> {
  return text.length <= LONGEST ? [text] : partsToStart(text);
}

function* partsToStart(text: string): Generator<string, void, undefined> {
  let stretch = Number.POSITIVE_INFINITY;
  for (let end = text.length; end > 0; ) {
    let at = 0;
    if (end > LONGEST) {
      at = blankAfter(text, end - LONGEST, end - 1);
      if (at < 0) {
        if (stretch >= end - LONGEST) stretch = Math.max(0, blankBefore(text, end - LONGEST, 0));
        at = cutBefore(text, stretch + LONGEST * (Math.ceil((end - stretch) / LONGEST) - 1));
      }
    }
    yield text.slice(at, end);
    end = at;
  }
}
