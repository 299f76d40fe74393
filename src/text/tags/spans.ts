import { checkInteger } from '../../core/checks.js';
import { constraint, invalidArgument } from '../../core/errors.js';
import { looseEntities, type TokenSpan } from './entities.js';
import { checkScheme, type TagScheme } from './scheme.js';
import { type Prefix, parseTags, writeTag } from './tag.js';

/**
 * Writes entities as tags, one for each token.
 *
 * @param spans - The entities, in any order, non-empty and without overlaps.
 * @param length - Number of tokens.
 * @param scheme - Default `'IOB2'`.
 * @throws {@link ArgumentError} `INVALID_ARGUMENT` for a span that is empty or overlaps another, and for an empty label,
 * `OUT_OF_RANGE` for a span beyond the tokens.
 *
 * @example
 * ```ts
 * spansToTags([{ start: 0, end: 2, label: 'PER' }], 3); // ['B-PER', 'I-PER', 'O']
 * spansToTags([{ start: 0, end: 2, label: 'PER' }], 3, 'IOBES'); // ['B-PER', 'E-PER', 'O']
 * ```
 */
export function spansToTags(spans: readonly TokenSpan[], length: number, scheme: TagScheme = 'IOB2'): string[] {
  checkScheme(scheme);
  checkInteger('length', length, 0);
  if (!Array.isArray(spans)) throw invalidArgument('spans', 'an array of spans', spans);
  for (const [i, span] of (spans as readonly TokenSpan[]).entries()) {
    if (typeof span !== 'object' || span === null) throw invalidArgument(`spans[${i}]`, 'a span', span);
    checkInteger(`spans[${i}].start`, span.start, 0);
    checkInteger(`spans[${i}].end`, span.end, span.start + 1, length);
    if (typeof span.label !== 'string' || span.label === '')
      throw invalidArgument(`spans[${i}].label`, 'a non-empty string', span.label);
  }
  const ordered = [...(spans as readonly TokenSpan[])].sort((a, b) => a.start - b.start);
  for (const [i, span] of ordered.entries()) {
    const before = ordered[i - 1];
    if (before === undefined || before.end <= span.start) continue;
    const words = ({ start, end, label }: TokenSpan) => `${JSON.stringify(label)} from ${start} to ${end}`;
    throw constraint('spans', `Spans must not overlap: ${words(before)} and ${words(span)}`);
  }
  return writeSpans(ordered, length, scheme);
}

/**
 * The tags of checked spans in order.
 *
 * @internal
 */
export function writeSpans(spans: readonly TokenSpan[], length: number, scheme: TagScheme): string[] {
  const tags = new Array<string>(length).fill('O');
  for (const [i, { start, end, label }] of spans.entries()) {
    const before = spans[i - 1];
    const touches = before !== undefined && before.end === start && before.label === label;
    for (let at = start; at < end; at++) {
      tags[at] = writeTag(letter(scheme, at === start, at === end - 1, touches), label);
    }
  }
  return tags;
}

/** The letter of a token, by whether it is the first or the last of its entity. */
function letter(scheme: TagScheme, first: boolean, last: boolean, touches: boolean): Prefix {
  if (scheme === 'IOB1') return first && touches ? 'B' : 'I';
  if (scheme === 'IOB2') return first ? 'B' : 'I';
  if (first) return last ? (scheme === 'BILOU' ? 'U' : 'S') : 'B';
  return last ? (scheme === 'BILOU' ? 'L' : 'E') : 'I';
}

/**
 * Writes tags of any scheme in another one. Tags that violate their own scheme are read as the conlleval script does.
 *
 * @throws {@link ArgumentError} `INVALID_ARGUMENT` for a tag that no scheme has, such as a part of speech.
 *
 * @example
 * ```ts
 * convertTags(['I-PER', 'I-PER', 'B-PER', 'O'], 'IOBES'); // ['B-PER', 'E-PER', 'S-PER', 'O']
 * ```
 */
export function convertTags(tags: readonly string[], scheme: TagScheme): string[] {
  checkScheme(scheme);
  return writeSpans(looseEntities(parseTags(tags, 'tags')), tags.length, scheme);
}
