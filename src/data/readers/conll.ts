import { checkChoice, checkFlag } from '../../core/checks.js';
import { constraint, DataError, invalidArgument } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { settingsOf } from '../../core/options/table.js';
import { checkScheme, type TagScheme } from '../../text/tags/scheme.js';
import { type Column, checkColumn } from './fields.js';
import { FILE_TEXT, type FileTextOptions, type FileTextSettings } from './options.js';
import type { Reading } from './reading.js';
import { type LineKind, sentenceLines } from './sentences.js';
import { type Input, type Source, sourceOf } from './source.js';
import { type ReadSentence, type TaggedRows, taggedRows } from './tagCheck.js';
import { filled, TokenColumns } from './tokenColumns.js';

/** Options of {@link readConll}. */
export interface ReadConllOptions extends FileTextOptions {
  /** Column of the token, by number or name. Default 1, the first. */
  token?: Column | undefined;
  /** Column of the tag, by number or name. Default: the last. */
  tag?: Column | undefined;
  /** Names of all columns, where the file has neither a header nor a line `# global.columns = ...`. */
  columns?: readonly string[] | undefined;
  /** Whether the first line names the columns. Default false. */
  header?: boolean | undefined;
  /** Column separator: one tab, or any number of blanks. Default: tabs if the first token's line has one. */
  separator?: 'tab' | 'blank' | undefined;
  /**
   * Whether lines that begin with `#` are comments. Default: those that cannot be tokens, because their number of
   * columns differs, or because they come before the first token and have a blank after the `#`.
   */
  comments?: boolean | undefined;
  /**
   * The scheme of the tags; null for tags without a scheme, which are kept unchanged. Default: recognised in the first
   * 1,000 sentences (or 50,000 tokens) with {@link detectTagScheme}.
   */
  scheme?: TagScheme | null | undefined;
}

/**
 * Reads sentences with one token per line, its tag in one of the columns, and blank lines between sentences: the format
 * of the CoNLL shared tasks. `-DOCSTART-` lines and comments are skipped. gzip and zstd are decompressed.
 *
 * A tag that cannot follow the one before it is reported in `hints`, with its line, and the sentence's tags are read as
 * the conlleval script reads them: an `I-PER` after `O` begins an entity.
 *
 * @param input - Path of the file, `-` for standard input, or a stream of bytes.
 * @param options - See {@link ReadConllOptions}.
 * @returns Sentences for `for await`; the file is opened when iteration starts.
 * @throws {@link ArgumentError} at once for invalid options. While reading {@link DataError} with file and line:
 * `FILE_NOT_FOUND`, `IO`, `MISSING_COLUMN`, `INVALID_ROW` (another number of columns, an empty token or tag, a tag that
 * is none of the scheme, bytes that are not UTF-8, a line or sentence too long), `INVALID_FILE` (damaged compression).
 *
 * @example
 * ```ts
 * const rows = readConll('eng.train', { tag: 4 });
 * for await (const { tokens, tags } of rows) console.log(tokens, tags);
 * for (const { message } of rows.hints) console.warn(message); // eng.train:17: I-PER cannot follow O in IOB2; ...
 * ```
 */
export function readConll(input: Input, options: ReadConllOptions = {}): TaggedRows {
  checkOptionNames('readConll', options, NAMES);
  const { token = 1, tag, columns, header = false, separator, comments, scheme } = options;
  checkColumn('token', token);
  if (tag !== undefined) checkColumn('tag', tag);
  checkFlag('header', header);
  if (separator !== undefined) checkChoice('separator', separator, ['tab', 'blank']);
  if (comments !== undefined) checkFlag('comments', comments);
  if (scheme != null) checkScheme(scheme);
  if (columns !== undefined) checkNames(columns, header);
  const settings = settingsOf(FILE_TEXT, options);
  const format = { token, tag, columns, header, separator, comments };
  return taggedRows(sourceOf(input), settings, scheme, (source, reading) => read(source, reading, settings, format));
}

const NAMES = ['token', 'tag', 'columns', 'header', 'separator', 'comments', 'scheme', ...Object.keys(FILE_TEXT)];

function checkNames(columns: readonly string[], header: boolean): void {
  const fits = Array.isArray(columns) && columns.length > 0 && columns.every((name) => typeof name === 'string');
  if (!fits) throw invalidArgument('columns', 'a non-empty array of names', columns);
  if (header)
    throw constraint('columns', 'columns cannot be combined with header: true, which takes the names from the file');
}

type Format = Pick<ReadConllOptions, 'tag' | 'columns' | 'header' | 'separator' | 'comments'> & { token: Column };

async function* read(
  source: Source,
  reading: Reading,
  settings: FileTextSettings,
  format: Format,
): AsyncGenerator<ReadSentence, void, undefined> {
  const { file } = source;
  const tabs = format.separator === undefined ? undefined : format.separator === 'tab';
  const columns = new TokenColumns(file, format.columns, tabs);
  let headed = format.header !== true;
  let places: [token: number, tag: number] | undefined;
  const kindOf = (line: string, _: number, first: boolean): LineKind => {
    if (line.startsWith('-DOCSTART-')) return 'border';
    if (line.startsWith('#') && isComment(line, first, columns, format.comments)) {
      columns.readComment(line);
      return 'comment';
    }
    columns.learn(line);
    if (headed) return 'token';
    columns.names = columns.split(line);
    headed = true;
    return 'comment';
  };
  for await (const { lines, numbers } of sentenceLines(source, settings, reading, kindOf)) {
    places ??= [
      columns.index(format.token, numbers[0]!),
      columns.index(format.tag ?? columns.names?.length ?? columns.count!, numbers[0]!),
    ];
    const [tokenAt, tagAt] = places;
    if (tokenAt === tagAt)
      throw new DataError('MISSING_COLUMN', oneColumn(tokenAt, columns), { file, line: numbers[0]! });
    const row = reading.make((): ReadSentence => {
      const fields = lines.map((line, i) => columns.fields(line, numbers[i]!));
      return {
        tokens: fields.map((each, i) => filled(each, tokenAt, 'token', file, numbers[i]!)),
        tags: fields.map((each, i) => filled(each, tagAt, 'tag', file, numbers[i]!)),
        line: numbers[0],
        numbers,
      };
    });
    if (row !== undefined) yield row;
  }
}

/** The error if token and tag are the same column: a file of tokens only, or other column separators. */
function oneColumn(at: number, columns: TokenColumns): string {
  if ((columns.names?.length ?? columns.count!) > 1)
    return `token and tag are both column ${at + 1}; give each its own`;
  return 'the line has one column; expected a token and its tag, separated by a tab or blanks';
}

/** Whether a line that begins with `#` is a comment; a token may begin with it too. */
function isComment(line: string, first: boolean, columns: TokenColumns, comments: boolean | undefined): boolean {
  if (comments !== undefined) return comments;
  const count = columns.split(line).length;
  if (columns.count !== undefined) return count !== columns.count && (first || /^#\s/.test(line));
  return count === 1 || (/^#\s/.test(line) && !line.includes('\t'));
}
