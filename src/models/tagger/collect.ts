import { DataError, type FilePosition, invalidArgument } from '../../core/errors.js';
import { Int32List } from '../../core/growable.js';
import type { Turns } from '../../core/turns.js';
import { placeInWords, positionOf, type RowsOrigin } from '../../data/readers/rows.js';
import type { SchemeDetector, TagScheme } from '../../text/tags/scheme.js';
import { splitTag, type Tag } from '../../text/tags/tag.js';
import { tagFaults } from '../../text/tags/transitions.js';
import { VocabBuilder } from '../../text/vocabBuilder.js';
import type { Watcher } from '../../training/task.js';
import { isRows, type ReadRow, type RowSettings, readRow, rowWarning, TAG_ROWS, type TagRows } from './rows.js';

/** Distinct tokens and tags of rows, each with a number. */
export class Names {
  readonly #tokens = new VocabBuilder();
  readonly #tags = new VocabBuilder();

  token(token: string): number {
    return this.#tokens.intern(token);
  }

  tag(tag: string): number {
    return this.#tags.intern(tag);
  }

  /** All tokens, by their numbers. */
  get tokens(): string[] {
    return Array.from(this.#tokens.counts(), ([token]) => token);
  }

  /** All tags, by their numbers. */
  get tags(): string[] {
    return Array.from(this.#tags.counts(), ([tag]) => tag);
  }
}

/** Sentences whose tokens and tags are numbers of {@link Names}. */
export interface NumberedSentences {
  tokens: Int32Array;
  tags: Int32Array;
  offsets: Uint32Array;
  /** For each sentence, its row, from 1, and its line; 0 if unknown. */
  rows: Int32Array;
  lines: Int32Array;
  /** The first row with spans; undefined if there is none. */
  firstSpanned: number | undefined;
  /** The texts, if requested. */
  texts: string[];
  /** Where the rows come from. */
  origin: RowsOrigin;
}

/** Settings of reading rows. */
export interface Collecting extends RowSettings {
  names: Names;
  turns: Turns;
  watcher: Watcher;
  /** Maximum tokens of a sentence; a longer one is split. */
  maxLength: number;
  /** Whether to keep texts; tokens are joined by spaces. */
  keepTexts: boolean;
}

/** Most tokens of all rows together: offsets are numbers of 31 bits. */
const MOST_TOKENS = 2 ** 31 - 1;

/**
 * Reads all rows. Empty sentences are skipped.
 *
 * @param scheme - Receives the tags of each row that has them.
 * @throws {@link DataError} for invalid rows.
 */
export async function collectSentences(
  rows: TagRows,
  { names, turns, watcher, maxLength, keepTexts, ...settings }: Collecting,
  scheme?: SchemeDetector,
): Promise<NumberedSentences> {
  if (!isRows(rows)) throw invalidArgument('rows', `an iterable or async iterable of ${TAG_ROWS}`, rows);
  const { file } = rows;
  const [tokens, tags, ends, ofRow, lines] = [0, 1, 2, 3, 4].map(() => new Int32List()) as [
    Int32List,
    Int32List,
    Int32List,
    Int32List,
    Int32List,
  ];
  const texts: string[] = [];
  const misaligned = { count: 0, first: undefined as { row: ReadRow; number: number } | undefined };
  let number = 0;
  let firstSpanned: number | undefined;
  const add = (given: unknown) => {
    number++;
    const row = readRow(given, number, settings, rows);
    if (row.spanned) firstSpanned ??= number;
    else scheme?.add(row.tags);
    if (row.misaligned) {
      misaligned.count += row.misaligned.count;
      misaligned.first ??= { row, number };
    }
    if (keepTexts)
      for (let from = 0; from < row.tokens.length; from += maxLength) texts.push(textOf(row, from, maxLength));
    for (let i = 0; i < row.tokens.length; i++) {
      tokens.push(names.token(row.tokens[i]!));
      tags.push(names.tag(row.tags[i]!));
      if ((i + 1) % maxLength !== 0 && i + 1 < row.tokens.length) continue;
      if (tokens.length > MOST_TOKENS)
        throw new DataError('OUT_OF_RANGE', `the rows have more than ${MOST_TOKENS} tokens in all`, { file });
      ends.push(tokens.length);
      ofRow.push(number);
      lines.push(row.line ?? 0);
    }
  };
  for await (const given of rows) {
    add(given);
    if (turns.due) await turns.next();
  }
  warnOfReading(rows, watcher);
  if (misaligned.first)
    watcher.warn('rows', rowWarning(misalignedWords(misaligned.count, misaligned.first, rows), file));
  const offsets = new Uint32Array(ends.length + 1);
  offsets.set(new Uint32Array((await turns.run(ends.finish())).buffer), 1);
  return {
    tokens: await turns.run(tokens.finish()),
    tags: await turns.run(tags.finish()),
    offsets,
    rows: await turns.run(ofRow.finish()),
    lines: await turns.run(lines.finish()),
    firstSpanned,
    texts,
    origin: rows,
  };
}

function textOf({ text, tokens }: ReadRow, from: number, maxLength: number): string {
  if (text !== undefined && tokens.length <= maxLength) return text;
  return tokens.slice(from, from + maxLength).join(' ');
}

/** Reports the warnings of the rows' reader. */
function warnOfReading({ warnings = [], repaired = 0, hints = [], file }: TagRows, watcher: Watcher): void {
  for (const warning of warnings) watcher.warn('rows', warning);
  const [first] = hints;
  if (first === undefined) return;
  const message = `${sentenceWords(repaired)} tags that violate their scheme and were read as the conlleval script does; the first: ${first.message}`;
  watcher.warn('rows', rowWarning(message, file));
}

function sentenceWords(count: number): string {
  return count === 1 ? '1 sentence has' : `${count} sentences have`;
}

function misalignedWords(count: number, { row, number }: { row: ReadRow; number: number }, origin: RowsOrigin): string {
  const { span } = row.misaligned!;
  const where = placeInWords(origin, number, row.line);
  const text = JSON.stringify(row.text!.slice(span.start, Math.min(span.end, span.start + 60)));
  return (
    `${count === 1 ? '1 span does not begin and end where tokens do, and was' : `${count} spans do not begin and end where tokens do, and were`} ` +
    'widened to whole tokens, or dropped if there is no free token; ' +
    `the first is ${JSON.stringify(span.label)}, ${text} from ${span.start} to ${span.end}, in ${where}; ` +
    'splitTokens: true (--split-tokens) splits the tokens instead'
  );
}

/** Parsed tags by number; undefined for tags that belong to no scheme. */
export function parsedTags(tags: readonly string[]): (Tag | undefined)[] {
  return tags.map(splitTag);
}

/**
 * The scheme of all rows: the requested one, the one recognised from the tags, or none.
 *
 * @param asked - The option.
 * @throws {@link DataError} `INVALID_ROW` for spans mixed with tags without a scheme.
 */
export function schemeOf(
  sentences: NumberedSentences,
  tags: readonly string[],
  detector: SchemeDetector,
  asked: TagScheme | null | undefined,
  watcher: Watcher,
): TagScheme | undefined {
  const { firstSpanned, origin } = sentences;
  const found =
    asked === undefined && !detector.foreign ? (detector.scheme ?? entityScheme(tags)) : (asked ?? undefined);
  const scheme = found ?? (firstSpanned !== undefined && !detector.foreign && asked !== null ? 'IOB2' : undefined);
  if (firstSpanned !== undefined && scheme === undefined) {
    const message = `row ${firstSpanned} has spans, but other rows have tags without a scheme, such as parts of speech; a model learns one or the other`;
    throw new DataError('INVALID_ROW', message, positionOf(origin, firstSpanned, undefined));
  }
  if (scheme === undefined && asked === undefined) warnOfMixture(sentences, tags, watcher);
  return scheme;
}

/** The scheme of predictions if the letters of the tags match no scheme, such as IOE. */
function entityScheme(tags: readonly string[]): TagScheme | undefined {
  return tags.some((tag) => tag !== 'O') && tags.every((tag) => splitTag(tag) !== undefined) ? 'IOB2' : undefined;
}

/** Warns of a tag without a scheme among entity tags: a single typo would turn all of them into tags without spans. */
function warnOfMixture(sentences: NumberedSentences, tags: readonly string[], watcher: Watcher): void {
  const ofEntities = tags.filter((tag) => /^[BIESLU]-./.test(tag));
  if (2 * ofEntities.length < tags.length) return;
  const stranger = tags.findIndex((tag) => splitTag(tag) === undefined);
  if (stranger < 0) return;
  const message =
    `the tag ${JSON.stringify(tags[stranger])} in ${placeOf(sentences, sentenceOf(sentences, sentences.tags.indexOf(stranger)))} has no scheme, but others, such as ` +
    `${JSON.stringify(ofEntities[0])}, look like entity tags; so tags are learned unchanged, without spans. ` +
    'set scheme to say which one they have, or to null if this is intended';
  watcher.warn('rows', rowWarning(message, sentences.origin.file));
}

/** The position of a sentence, for a message without one. */
export function placeOf({ rows, lines, origin }: NumberedSentences, sentence: number): string {
  return placeInWords(origin, rows[sentence]!, lines[sentence] || undefined);
}

/** The position of a sentence, for an error about it. */
export function sentencePosition({ rows, lines, origin }: NumberedSentences, sentence: number): FilePosition {
  return positionOf(origin, rows[sentence]!, lines[sentence] || undefined);
}

/** The sentence of a token. */
function sentenceOf({ offsets }: NumberedSentences, token: number): number {
  let sentence = 0;
  while (offsets[sentence + 1]! <= token) sentence++;
  return sentence;
}

/**
 * Refuses a tag that the scheme does not have, and warns of tags that cannot follow one another.
 *
 * @throws {@link DataError} `INVALID_ROW`.
 */
export async function checkTags(
  sentences: NumberedSentences,
  tags: readonly string[],
  scheme: TagScheme | undefined,
  watcher: Watcher,
  turns: Turns,
): Promise<void> {
  if (scheme === undefined) return;
  const { offsets, rows, lines } = sentences;
  const stranger = tags.findIndex((tag) => splitTag(tag) === undefined);
  const place = stranger < 0 ? -1 : sentences.tags.indexOf(stranger);
  if (place >= 0) {
    const sentence = sentenceOf(sentences, place);
    const where = lines[sentence] ? '' : `row ${rows[sentence]}: `;
    const message = `${where}the tag ${JSON.stringify(tags[stranger])} is none of ${scheme}; scheme: null (--scheme none) learns any tags`;
    throw new DataError('INVALID_ROW', message, sentencePosition(sentences, sentence));
  }
  let faulty = 0;
  let first = '';
  for (let i = 0; i + 1 < offsets.length; i++) {
    const given = Array.from(sentences.tags.subarray(offsets[i], offsets[i + 1]), (tag) => tags[tag]!);
    // Rows with spans have another scheme, which they follow.
    const [fault] = tagFaults(given, scheme);
    if (fault && tagFaults(given, 'IOB2').length > 0) {
      faulty++;
      if (first === '') {
        const where = placeOf(sentences, i);
        const tag = fault.tag ?? 'the end of a sentence';
        first = `in ${where}, ${tag} cannot ${fault.before === undefined ? 'be the first tag' : `follow ${fault.before}`} in ${scheme}`;
      }
    }
    if (turns.due) await turns.next();
  }
  if (faulty === 0) return;
  const message = `${sentenceWords(faulty)} tags that violate ${scheme} and are read as the conlleval script does; the first: ${first}`;
  watcher.warn('rows', rowWarning(message, sentences.origin.file));
}
