import { DataError, describe, type RecurraError } from '../../core/errors.js';
import { listed } from '../../core/listed.js';
import { positionOf, type RowsOrigin, type SpannedText, type TaggedTokens } from '../../data/readers/rows.js';
import type { TagHint } from '../../data/readers/tagCheck.js';
import { alignTokens } from '../../text/tags/align.js';
import { writeSpans } from '../../text/tags/spans.js';
import { orderedSpans, type TextSpan } from '../../text/tags/textSpans.js';
import { atOnce, placed, placedTokens, type TaggerTokenizer } from './tokenizer.js';

/** A training row of a tagger: tokens with a tag for each, or a text with labelled spans. */
export type TagRow = TaggedTokens | SpannedText;

/**
 * Sentences with their tags or spans: an array, a generator, or a reader such as {@link readConll}, {@link readConllu}
 * or {@link readSpans} that yields them as it reads.
 */
export type TagRows = (Iterable<TagRow> | AsyncIterable<TagRow>) & RowsOrigin & TagsNoted;

/** What a reader of tags reported. */
export interface TagsNoted {
  /** Number of sentences whose tags violated their scheme and were read as the conlleval script does. */
  readonly repaired?: number | undefined;
  /** The first violations. */
  readonly hints?: readonly TagHint[] | undefined;
}

/** Description of a row, for messages. */
export const TAG_ROWS = '{ tokens, tags } or { text, spans }';

/** How rows are read. */
export interface RowSettings {
  /** How texts are split. */
  splits: TaggerTokenizer;
  /** Whether tokens are split where spans begin or end within them. */
  splitTokens: boolean;
}

/** A row as tokens with their tags. */
export interface ReadRow {
  /** The text, if the row has one. */
  text: string | undefined;
  tokens: readonly string[];
  /** Where each token begins in the text. */
  starts: readonly number[] | undefined;
  /** The tags, one per token; IOB2 for spans. */
  tags: readonly string[];
  /** Whether the row has spans, and so its tags the scheme IOB2. */
  spanned: boolean;
  /** A span that does not match token borders. */
  misaligned: { span: TextSpan; count: number } | undefined;
  line: number | undefined;
}

/**
 * Reads a row.
 *
 * @param row - Of unknown content.
 * @param number - Number of the row, from 1, for messages about rows without a line.
 * @throws {@link DataError} `INVALID_ROW` saying where and why a row is invalid.
 */
export function readRow(row: unknown, number: number, settings: RowSettings, origin: RowsOrigin): ReadRow {
  const { line } = (Object(row) ?? {}) as { line?: unknown };
  const at = typeof line === 'number' ? line : undefined;
  const refuse = (message: string) =>
    new DataError('INVALID_ROW', (at === undefined ? `row ${number}: ` : '') + message, positionOf(origin, number, at));
  if (typeof row !== 'object' || row === null) throw refuse(`expected ${TAG_ROWS} but found ${describe(row)}`);
  const { tokens, tags, text, spans } = row as Partial<TaggedTokens & SpannedText>;
  const both = [Object.entries({ tokens, tags }), Object.entries({ text, spans })].map((entries) =>
    entries.filter(([, value]) => value !== undefined).map(([name]) => name),
  );
  // Otherwise one would be read and the other silently ignored.
  if (both.every((names) => names.length > 0))
    throw refuse(`expected ${TAG_ROWS}, not both, but found ${listed(both.flat())}`);
  if (tokens !== undefined || tags !== undefined) return { ...ofTokens(tokens, tags, refuse), line: at };
  if (typeof text === 'string' && Array.isArray(spans)) return { ...ofText(text, spans, settings, refuse), line: at };
  const found = text === undefined && spans === undefined ? JSON.stringify(Object.keys(row)) : undefined;
  throw refuse(`expected ${TAG_ROWS} but found ${found ?? `text: ${describe(text)}, spans: ${describe(spans)}`}`);
}

type Refuse = (message: string) => DataError;

function ofTokens(tokens: unknown, tags: unknown, refuse: Refuse): Omit<ReadRow, 'line'> {
  for (const [name, list] of [
    ['tokens', tokens],
    ['tags', tags],
  ] as const) {
    if (!Array.isArray(list)) throw refuse(`expected an array of strings for ${name} but found ${describe(list)}`);
    const wrong = list.findIndex((item) => typeof item !== 'string' || (name === 'tags' && item === ''));
    if (wrong < 0) continue;
    throw refuse(
      `expected a ${name === 'tags' ? 'non-empty ' : ''}string for ${name}[${wrong}] but found ${describe(list[wrong])}`,
    );
  }
  const [words, given] = [tokens as string[], tags as string[]];
  if (words.length !== given.length)
    throw refuse(`there are ${words.length} tokens and ${given.length} tags; expected a tag for each token`);
  return { text: undefined, tokens: words, starts: undefined, tags: given, spanned: false, misaligned: undefined };
}

function ofText(
  text: string,
  spans: readonly unknown[],
  { splits, splitTokens }: RowSettings,
  refuse: Refuse,
): Omit<ReadRow, 'line'> {
  const wrong = spans.findIndex((span) => typeof span !== 'object' || span === null);
  if (wrong >= 0)
    throw refuse(`expected { start, end, label } for spans[${wrong}] but found ${describe(spans[wrong])}`);
  const ordered = orderedSpans(text, spans as readonly TextSpan[], refuse);
  const aligned = alignTokens(atOnce(placedTokens(text, splits)), ordered, splitTokens);
  const [first] = aligned.misaligned;
  return {
    text,
    ...placed(aligned.tokens),
    tags: writeSpans(aligned.spans, aligned.tokens.length, 'IOB2'),
    spanned: true,
    misaligned: first && { span: first, count: aligned.misaligned.length },
  };
}

/** Throws unless rows can be iterated over. */
export function isRows(rows: unknown): rows is TagRows {
  const source = rows as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
  return typeof rows === 'object' && (source?.[Symbol.iterator] ?? source?.[Symbol.asyncIterator]) !== undefined;
}

/** A warning about rows that were read differently from how they are written. */
export function rowWarning(message: string, file: string | undefined): RecurraError {
  return new DataError('INVALID_ROW', message, { file });
}
