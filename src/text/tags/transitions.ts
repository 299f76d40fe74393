import { inIobes, SCHEME_PREFIXES, type TagScheme } from './scheme.js';
import { parseTag, splitTag, type Tag } from './tag.js';

/**
 * Whether a scheme allows a tag after another; undefined stands for the border of the sequence.
 *
 * @internal
 */
export function canFollow(before: Tag | undefined, tag: Tag | undefined, scheme: TagScheme): boolean {
  const left = inIobes(before?.prefix ?? 'O');
  const right = inIobes(tag?.prefix ?? 'O');
  const same = before?.label === tag?.label;
  if (scheme === 'IOB1') return right !== 'B' || (left !== 'O' && same);
  if (scheme === 'IOB2') return right !== 'I' || (left !== 'O' && same);
  const open = left === 'B' || left === 'I';
  const continues = right === 'I' || right === 'E';
  return open ? continues && same : !continues;
}

/**
 * Which tags may follow which, for a model that must not predict a sequence that its scheme forbids. 1 is allowed, 0 forbidden.
 *
 * @internal
 */
export interface TagTransitions {
  /** Tags that may be the first. */
  start: Uint8Array;
  /** Tags that may be the last. */
  end: Uint8Array;
  /** `between[from * n + to]`: the tag `to` may follow the tag `from`; `n` is the number of tags. */
  between: Uint8Array;
}

/**
 * The transitions that a scheme allows between tags.
 *
 * @param scheme - Undefined for tags without a scheme, such as parts of speech: everything is allowed.
 * @throws {@link ArgumentError} `INVALID_ARGUMENT` for a tag that no scheme has.
 *
 * @internal
 */
export function tagTransitions(tags: readonly string[], scheme: TagScheme | undefined): TagTransitions {
  const n = tags.length;
  const [start, end, between] = [new Uint8Array(n), new Uint8Array(n), new Uint8Array(n * n)];
  if (scheme === undefined) return { start: start.fill(1), end: end.fill(1), between: between.fill(1) };
  const parsed = tags.map((tag, i) => parseTag(tag, `tags[${i}]`));
  for (const [from, before] of parsed.entries()) {
    start[from] = Number(canFollow(undefined, before, scheme));
    end[from] = Number(canFollow(before, undefined, scheme));
    for (const [to, tag] of parsed.entries()) between[from * n + to] = Number(canFollow(before, tag, scheme));
  }
  return { start, end, between };
}

/**
 * A tag that the scheme does not allow at its position.
 *
 * @internal
 */
export interface TagFault {
  /** Index of the tag; the number of tags if the sequence must not end there. */
  index: number;
  /** The tag before it; undefined at the beginning. */
  before: string | undefined;
  /** The tag; undefined at the end. */
  tag: string | undefined;
}

/**
 * The positions where tags violate their scheme.
 *
 * @internal
 */
export function tagFaults(tags: readonly string[], scheme: TagScheme): TagFault[] {
  const faults: TagFault[] = [];
  const letters = SCHEME_PREFIXES[scheme];
  let before: Tag | undefined;
  for (let index = 0; index <= tags.length; index++) {
    const text = tags[index];
    const tag = text === undefined ? undefined : splitTag(text);
    const known = text === undefined || (tag !== undefined && letters.includes(tag.prefix));
    if (!known || !canFollow(before, tag, scheme)) faults.push({ index, before: tags[index - 1], tag: text });
    before = tag;
  }
  return faults;
}
