import { DataError } from '../../core/errors.js';
import { SCHEME_PREFIXES, SchemeDetector, type TagScheme } from '../../text/tags/scheme.js';
import { convertTags } from '../../text/tags/spans.js';
import { splitTag } from '../../text/tags/tag.js';
import { type TagFault, tagFaults } from '../../text/tags/transitions.js';
import type { ReadingSettings } from './options.js';
import type { Reading } from './reading.js';
import type { TaggedTokens } from './rows.js';
import { type FileRows, fileRows, type Source } from './source.js';

/** A tag that its scheme does not allow at its position. */
export interface TagHint {
  /** Line of the tag, from 1. */
  line: number;
  /** What is wrong, with the file and the line. */
  message: string;
}

/** Sentences with a tag for each token, as read from files. */
export interface TaggedRows extends FileRows<TaggedTokens> {
  /**
   * The scheme of the tags, as given or as recognised in the last iteration; undefined until known, and for tags
   * without a scheme, such as parts of speech.
   */
  readonly scheme: TagScheme | undefined;
  /**
   * Number of sentences in the last iteration so far whose tags violated the scheme and were read as conlleval does.
   */
  readonly repaired: number;
  /** The first 100 violations. */
  readonly hints: readonly TagHint[];
}

/** A sentence with the number of the line of each token. */
export interface ReadSentence extends TaggedTokens {
  numbers: readonly number[];
}

/** Violations kept. */
const HINTS = 100;
/** Number of sentences, and of tokens, to recognise the scheme in: whichever is reached first. */
const SENTENCES = 1000;
const TOKENS = 50_000;

/**
 * Rows of a reader of tags: recognises the scheme, reports the tags that do not follow it, and reads these as conlleval does.
 *
 * @param scheme - The scheme; null for tags without one; undefined to recognise it in the first sentences.
 *
 * @internal
 */
export function taggedRows(
  source: Source,
  settings: ReadingSettings,
  scheme: TagScheme | null | undefined,
  read: (source: Source, reading: Reading) => AsyncIterable<ReadSentence>,
): TaggedRows {
  let check = new TagCheck(source.file, scheme);
  const rows = fileRows(source, settings, (opened, reading) => {
    check = new TagCheck(source.file, scheme);
    return check.rows(read(opened, reading), reading);
  });
  const of = (name: 'scheme' | 'repaired' | 'hints') => ({ get: () => check[name] ?? undefined, enumerable: true });
  return Object.defineProperties(rows, {
    scheme: of('scheme'),
    repaired: of('repaired'),
    hints: of('hints'),
  }) as TaggedRows;
}

class TagCheck {
  scheme: TagScheme | null | undefined;
  repaired = 0;
  readonly hints: TagHint[] = [];
  readonly #file: string | undefined;

  constructor(file: string | undefined, scheme: TagScheme | null | undefined) {
    this.#file = file;
    this.scheme = scheme;
  }

  async *rows(sentences: AsyncIterable<ReadSentence>, reading: Reading): AsyncGenerator<TaggedTokens, void, undefined> {
    const detector = new SchemeDetector();
    let held: ReadSentence[] = [];
    let tokens = 0;
    for await (const sentence of sentences) {
      if (this.scheme === undefined) {
        detector.add(sentence.tags);
        held.push(sentence);
        tokens += sentence.tokens.length;
        if (detector.foreign) this.scheme = null;
        else if (held.length < SENTENCES && tokens < TOKENS) continue;
        else this.scheme = detector.scheme;
        // Sentences without entities need no scheme; keep looking in those that follow.
        yield* this.#checked(held, reading);
        held = [];
        tokens = 0;
      } else {
        yield* this.#checked([sentence], reading);
      }
    }
    this.scheme ??= detector.scheme;
    yield* this.#checked(held, reading);
  }

  *#checked(sentences: readonly ReadSentence[], reading: Reading): Generator<TaggedTokens, void, undefined> {
    for (const { tokens, tags, line, numbers } of sentences) {
      const row = reading.check(() => ({ tokens, tags: this.#read(tags, numbers), line }));
      if (row !== undefined) yield row;
    }
  }

  /** The tags, unchanged or as conlleval reads them. */
  #read(tags: readonly string[], numbers: readonly number[]): readonly string[] {
    const { scheme } = this;
    if (scheme == null) return tags;
    const faults = tagFaults(tags, scheme);
    if (faults.length === 0) return tags;
    for (const { index, tag } of faults) {
      if (tag === undefined || splitTag(tag) !== undefined) continue;
      const message =
        `the tag ${JSON.stringify(tag)} is none of ${scheme}: expected O, or ` +
        `${[...SCHEME_PREFIXES[scheme]].slice(1).join(', ')} with - and a label (scheme: null reads any tags)`;
      throw new DataError('INVALID_ROW', message, { file: this.#file, line: numbers[index] });
    }
    const read = convertTags(tags, scheme);
    this.repaired++;
    for (const fault of faults) {
      if (this.hints.length === HINTS) break;
      this.hints.push(this.#hint(fault, numbers, read, scheme));
    }
    return read;
  }

  #hint(
    { index, before, tag }: TagFault,
    numbers: readonly number[],
    read: readonly string[],
    scheme: TagScheme,
  ): TagHint {
    const at = Math.min(index, numbers.length - 1);
    const line = numbers[at]!;
    const where = this.#file === undefined ? `${line}` : `${this.#file}:${line}`;
    const fault =
      tag === undefined
        ? `${before} cannot be the last tag of a sentence in ${scheme}`
        : before === undefined
          ? `${tag} cannot be the first tag of a sentence in ${scheme}`
          : `${tag} cannot follow ${before} in ${scheme}`;
    const now = read[at] === (tag ?? before) ? '' : `; it is read as ${read[at]}`;
    return { line, message: `${where}: ${fault}${now}` };
  }
}
