import { DataError } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { settingsOf } from '../../core/options/table.js';
import { checkScheme, type TagScheme } from '../../text/tags/scheme.js';
import { type Column, checkColumn } from './fields.js';
import { FILE_TEXT, type FileTextOptions, type FileTextSettings } from './options.js';
import type { Reading } from './reading.js';
import { sentenceLines } from './sentences.js';
import { type Input, type Source, sourceOf } from './source.js';
import { type ReadSentence, type TaggedRows, taggedRows } from './tagCheck.js';
import { filled, TokenColumns } from './tokenColumns.js';

/** Options of {@link readConllu}. */
export interface ReadConlluOptions extends FileTextOptions {
  /** Column of the token, by name or number. Default `'FORM'`. */
  token?: Column | undefined;
  /** Column of the tag, by name or number: `'UPOS'` (the default), `'XPOS'`, `'DEPREL'` or any other. */
  tag?: Column | undefined;
  /** The scheme of the tags; null for tags without a scheme. Default: recognised as in {@link readConll}. */
  scheme?: TagScheme | null | undefined;
}

const COLUMNS = ['ID', 'FORM', 'LEMMA', 'UPOS', 'XPOS', 'FEATS', 'HEAD', 'DEPREL', 'DEPS', 'MISC'];

/**
 * Reads sentences in CoNLL-U, the format of Universal Dependencies, and in CoNLL-U Plus, whose first line names the
 * columns (`# global.columns = ID FORM UPOS`). Only words are read, not multiword tokens (`3-4`) and empty nodes
 * (`5.1`). gzip and zstd are decompressed.
 *
 * @param input - Path of the file, `-` for standard input, or a stream of bytes.
 * @param options - See {@link ReadConlluOptions}.
 * @returns Sentences for `for await`; the file is opened when iteration starts. `hints` as in {@link readConll}.
 * @throws {@link ArgumentError} at once for invalid options. While reading {@link DataError} with file and line:
 * `FILE_NOT_FOUND`, `IO`, `MISSING_COLUMN`, `INVALID_ROW` (another number of columns, an ID that is not the next one,
 * an empty field, bytes that are not UTF-8, a line or sentence too long), `INVALID_FILE` (damaged compression).
 *
 * @example
 * ```ts
 * for await (const { tokens, tags } of readConllu('en_ewt-ud-train.conllu.gz')) console.log(tokens[0], tags[0]);
 * ```
 */
export function readConllu(input: Input, options: ReadConlluOptions = {}): TaggedRows {
  checkOptionNames('readConllu', options, ['token', 'tag', 'scheme', ...Object.keys(FILE_TEXT)]);
  const { token = 'FORM', tag = 'UPOS', scheme } = options;
  checkColumn('token', token);
  checkColumn('tag', tag);
  if (scheme != null) checkScheme(scheme);
  const settings = settingsOf(FILE_TEXT, options);
  return taggedRows(sourceOf(input), settings, scheme, (source, reading) =>
    read(source, reading, settings, token, tag),
  );
}

async function* read(
  source: Source,
  reading: Reading,
  settings: FileTextSettings,
  token: Column,
  tag: Column,
): AsyncGenerator<ReadSentence, void, undefined> {
  const { file } = source;
  const columns = new TokenColumns(file, COLUMNS, true);
  const sentences = sentenceLines(source, settings, reading, (line) => {
    if (!line.startsWith('#')) return 'token';
    columns.readComment(line);
    return 'comment';
  });
  for await (const { lines, numbers } of sentences) {
    const first = numbers[0]!;
    const [idAt, tokenAt, tagAt] = [columns.index('ID', first), columns.index(token, first), columns.index(tag, first)];
    const row = reading.make((): ReadSentence => {
      const sentence = { tokens: [] as string[], tags: [] as string[], numbers: [] as number[] };
      for (const [i, line] of lines.entries()) {
        const number = numbers[i]!;
        const fields = columns.fields(line, number);
        if (!isWord(fields[idAt]!, sentence.tokens.length + 1, { file, line: number })) continue;
        sentence.tokens.push(filled(fields, tokenAt, 'token', file, number));
        sentence.tags.push(filled(fields, tagAt, 'tag', file, number));
        sentence.numbers.push(number);
      }
      if (sentence.tokens.length > 0) return { ...sentence, line: sentence.numbers[0] };
      throw new DataError('INVALID_ROW', 'the sentence has no words', { file, line: first });
    });
    if (row !== undefined) yield row;
  }
}

/** Whether an ID is that of a word, which must be the next one. */
function isWord(id: string, next: number, at: { file: string | undefined; line: number }): boolean {
  if (id === String(next)) return true;
  if (/^\d+[-.]\d+$/.test(id)) return false;
  const message = `the ID is ${JSON.stringify(id.slice(0, 60))}; expected ${next}, a range such as ${next}-${next + 1}, or an empty node such as ${next - 1}.1`;
  throw new DataError('INVALID_ROW', message, at);
}
