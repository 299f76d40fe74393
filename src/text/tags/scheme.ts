import { checkChoice, checkIterable } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { custom } from '../../core/options/kinds.js';
import { type Prefix, splitTag, type Tag } from './tag.js';

/**
 * How tags say where entities begin and end.
 *
 * - `IOB1`: `I` inside; `B` only where an entity follows another one of the same label.
 * - `IOB2` (also BIO): `B` at the beginning of each entity, `I` for its other tokens.
 * - `IOBES` (also BIOES): `B`, `I`, and `E` at the end; `S` for an entity of one token.
 * - `BILOU`: the same with `L` for `E` and `U` for `S`.
 */
export type TagScheme = 'IOB1' | 'IOB2' | 'IOBES' | 'BILOU';

/** All schemes. */
export const TAG_SCHEMES: readonly TagScheme[] = ['IOB1', 'IOB2', 'IOBES', 'BILOU'];

/** The letters of a scheme. */
export const SCHEME_PREFIXES: Readonly<Record<TagScheme, string>> = {
  IOB1: 'OIB',
  IOB2: 'OBI',
  IOBES: 'OBIES',
  BILOU: 'OBILU',
};

/** Throws unless `scheme` is a tag scheme. */
export function checkScheme(scheme: unknown, name = 'scheme'): TagScheme {
  return checkChoice(name, scheme, TAG_SCHEMES);
}

/** `L` and `U` by their names in IOBES. */
export function inIobes(prefix: Prefix): Prefix {
  return prefix === 'L' ? 'E' : prefix === 'U' ? 'S' : prefix;
}

/** A scheme as an option; null for tags without one. */
export const schemeOrNull = custom<TagScheme | null>(`null, or one of ${TAG_SCHEMES.join(', ')}`, (name, value) =>
  value === null ? value : checkScheme(value, name),
);

/** Recognises the scheme of tags, sequence by sequence. */
export class SchemeDetector {
  readonly #prefixes = new Set<Prefix>();
  /** Whether a tag belongs to no scheme, such as a part of speech. */
  foreign = false;
  /** Entities that `I` begins. */
  #begunByI = 0;
  /** Uses of `B` without an entity of the same label directly before, which IOB1 does not have. */
  #freeB = 0;

  add(tags: readonly string[]): void {
    let before: Tag | undefined;
    for (const text of tags) {
      const tag = splitTag(text);
      if (tag === undefined) {
        this.foreign = true;
        return;
      }
      const follows = before !== undefined && before.prefix !== 'O' && before.label === tag.label;
      if (tag.prefix === 'I' && !follows) this.#begunByI++;
      if (tag.prefix === 'B' && !follows) this.#freeB++;
      this.#prefixes.add(tag.prefix);
      before = tag;
    }
  }

  /** The scheme; undefined if there are no entities yet, or the tags fit none. */
  get scheme(): TagScheme | undefined {
    const has = (...list: Prefix[]) => list.some((prefix) => this.#prefixes.has(prefix));
    if (this.foreign) return undefined;
    if (has('L', 'U')) return has('E', 'S') ? undefined : 'BILOU';
    // `I` and `E` without `B` and `S` would be IOE1 or IOE2.
    if (has('E', 'S')) return has('B', 'S') ? 'IOBES' : undefined;
    if (!has('B', 'I')) return undefined;
    return this.#begunByI > 0 && this.#freeB === 0 ? 'IOB1' : 'IOB2';
  }
}

/**
 * Recognises the scheme of tags from their letters, and IOB1 from IOB2 by where `B` stands.
 *
 * @param sequences - The tags of some sentences.
 * @returns The scheme; undefined if all tags are `O`, if a tag is not one of an entity (a part of speech), or if the
 * letters fit no scheme, such as `L` with `E`.
 * @throws {@link ArgumentError} `INVALID_ARGUMENT` if `sequences` is not made of arrays of strings.
 *
 * @example
 * ```ts
 * detectTagScheme([['I-PER', 'I-PER', 'B-PER', 'O']]); // 'IOB1'
 * detectTagScheme([['B-PER', 'E-PER', 'O', 'S-LOC']]); // 'IOBES'
 * ```
 */
export function detectTagScheme(sequences: Iterable<readonly string[]>): TagScheme | undefined {
  checkIterable('sequences', sequences, 'an iterable of arrays of tags');
  const detector = new SchemeDetector();
  let row = 0;
  for (const tags of sequences) {
    if (!Array.isArray(tags) || tags.some((tag) => typeof tag !== 'string')) {
      throw invalidArgument(`sequences[${row}]`, 'an array of tags', tags);
    }
    detector.add(tags as string[]);
    row++;
  }
  return detector.scheme;
}
