import { invalidArgument } from '../../core/errors.js';

/** The first letter of a tag: outside of all entities, or the part of an entity. */
export type Prefix = 'O' | 'B' | 'I' | 'E' | 'S' | 'L' | 'U';

/** A parsed tag. */
export interface Tag {
  prefix: Prefix;
  /** The label of the entity; {@link UNTYPED} for a tag that is only a prefix, and for `O`. */
  label: string;
}

/** The label of entities whose tags are only a prefix, such as `B I O`; the name is seqeval's. */
export const UNTYPED = '_';

const PREFIXES: ReadonlySet<string> = new Set<Prefix>(['O', 'B', 'I', 'E', 'S', 'L', 'U']);

const OUTSIDE: Tag = { prefix: 'O', label: UNTYPED };

/**
 * Parses a tag: only a prefix, or `B`, `I`, `E`, `S`, `L` or `U` with `-` and a label.
 *
 * @returns undefined for any other string, such as a part of speech.
 */
export function splitTag(tag: string): Tag | undefined {
  if (tag === 'O') return OUTSIDE;
  if (!PREFIXES.has(tag[0]!) || tag[0] === 'O') return undefined;
  if (tag.length > 1 && tag[1] !== '-') return undefined;
  return { prefix: tag[0] as Prefix, label: tag.slice(2) || UNTYPED };
}

/**
 * Like {@link splitTag}, for tags from users.
 *
 * @throws {@link ArgumentError} `INVALID_ARGUMENT` for a value that is not an entity tag.
 */
export function parseTag(tag: unknown, name: string): Tag {
  const found = typeof tag === 'string' ? splitTag(tag) : undefined;
  if (found === undefined) throw invalidArgument(name, 'O, or B, I, E, S, L or U with - and a label, as B-PER,', tag);
  return found;
}

/** Parses the tags of one sequence. */
export function parseTags(tags: unknown, name: string): Tag[] {
  if (!Array.isArray(tags)) throw invalidArgument(name, 'an array of tags', tags);
  return tags.map((tag, i) => parseTag(tag, `${name}[${i}]`));
}

/** Writes a tag; the opposite of {@link splitTag}. */
export function writeTag(prefix: Prefix, label: string): string {
  return prefix === 'O' || label === UNTYPED ? prefix : `${prefix}-${label}`;
}
