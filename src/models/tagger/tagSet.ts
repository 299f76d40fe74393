import type { ForbiddenTransitions } from '../../engine/network.js';
import { compareCodePoints } from '../../text/codePointOrder.js';
import { looseEntities, type TokenSpan } from '../../text/tags/entities.js';
import type { TagScheme } from '../../text/tags/scheme.js';
import { writeSpans } from '../../text/tags/spans.js';
import { parseTag, type Tag, UNTYPED } from '../../text/tags/tag.js';
import { tagTransitions } from '../../text/tags/transitions.js';

/**
 * The network's internal scheme for entities: with one tag for each position, a span has a well-defined probability.
 */
const INSIDE: TagScheme = 'IOBES';

/** A tagger file's description of its outputs. */
export interface TagFields {
  /** The tags, in the order of the outputs: those of {@link INSIDE} if there is a scheme. */
  tags: readonly string[];
  /** The scheme of predicted tags; undefined for tags without a scheme. */
  scheme: TagScheme | undefined;
}

/** The tags of a model: maps tags of rows to outputs of the network, and outputs to spans and tags. */
export class TagSet implements TagFields {
  readonly tags: readonly string[];
  readonly scheme: TagScheme | undefined;
  /** The labels of spans, in code point order; for tags without a scheme the tags. */
  readonly labels: readonly string[];
  readonly #names: string[];
  readonly #parsed: Tag[];
  readonly #ids = new Map<string, number>();

  constructor({ tags, scheme }: TagFields) {
    this.tags = tags;
    this.scheme = scheme;
    this.#names = [...tags];
    this.#parsed = scheme === undefined ? [] : tags.map((tag) => parseTag(tag, 'tag'));
    for (const [id, tag] of tags.entries()) this.#ids.set(tag, id);
    const labels = new Set(this.#parsed.filter(({ prefix }) => prefix !== 'O').map(({ label }) => label));
    this.labels = scheme === undefined ? tags : [...labels].sort(compareCodePoints);
  }

  /** Whether tags are those of entities. */
  get entities(): boolean {
    return this.scheme !== undefined;
  }

  /** Outputs of a row's sequence of tags. Tags that the model does not have are numbered beyond the outputs. */
  encode(tags: readonly Tag[] | readonly string[]): Int32Array {
    const inside = this.scheme === undefined ? (tags as readonly string[]) : writtenInside(tags as readonly Tag[]);
    return Int32Array.from(inside, (tag) => this.#idOf(tag));
  }

  #idOf(tag: string): number {
    let id = this.#ids.get(tag);
    if (id === undefined) {
      id = this.#names.length;
      this.#ids.set(tag, id);
      this.#names.push(tag);
      if (this.scheme !== undefined) this.#parsed.push(parseTag(tag, 'tag'));
    }
    return id;
  }

  /** The tag of an output, or of a number beyond them. */
  name(id: number): string {
    return this.#names[id]!;
  }

  /** The entities of a sequence of outputs, read as the conlleval script does if it violates the scheme. */
  spans(ids: ArrayLike<number>): TokenSpan[] {
    const tags = new Array<Tag>(ids.length);
    for (let i = 0; i < ids.length; i++) tags[i] = this.#parsed[ids[i]!]!;
    return looseEntities(tags);
  }

  /** The tags of a sequence of outputs, in the scheme of the rows. */
  written(ids: ArrayLike<number>, spans: readonly TokenSpan[]): string[] {
    if (this.scheme === undefined) return Array.from(ids, (id) => this.#names[id]!);
    return writeSpans(spans, ids.length, this.scheme);
  }

  /** The sequences that must never be predicted; undefined for tags without a scheme. */
  forbidden(): ForbiddenTransitions | undefined {
    if (this.scheme === undefined) return undefined;
    const { start, end, between } = tagTransitions(this.tags, INSIDE);
    const not = (allowed: Uint8Array) => allowed.map((flag) => 1 - flag);
    return { start: not(start), end: not(end), between: not(between) };
  }
}

/** Entities of any tags, written with one tag for each position. */
function writtenInside(tags: readonly Tag[]): string[] {
  return writeSpans(looseEntities(tags), tags.length, INSIDE);
}

/** Collects the tags that a model needs. */
export class TagCollector {
  readonly #scheme: TagScheme | undefined;
  readonly #tags = new Set<string>();
  /** Labels of entities of one token, and of more. */
  readonly #single = new Set<string>();
  readonly #longer = new Set<string>();

  constructor(scheme: TagScheme | undefined) {
    this.#scheme = scheme;
  }

  /** Adds the tags of a sentence. */
  add(tags: readonly Tag[] | readonly string[]): void {
    if (this.#scheme === undefined) {
      for (const tag of tags as readonly string[]) this.#tags.add(tag);
      return;
    }
    for (const { start, end, label } of looseEntities(tags as readonly Tag[]))
      (end - start === 1 ? this.#single : this.#longer).add(label);
  }

  /** The tags: for entities, those of each position seen for a label, and `O`. */
  finish(): TagSet {
    const scheme = this.#scheme;
    if (scheme === undefined) return new TagSet({ tags: [...this.#tags].sort(compareCodePoints), scheme });
    const tags = ['O'];
    const labels = new Set([...this.#single, ...this.#longer]);
    for (const label of [...labels].sort(compareCodePoints)) {
      const name = label === UNTYPED ? '' : `-${label}`;
      if (this.#longer.has(label)) tags.push(`B${name}`, `I${name}`, `E${name}`);
      if (this.#single.has(label)) tags.push(`S${name}`);
    }
    return new TagSet({ tags, scheme });
  }
}
