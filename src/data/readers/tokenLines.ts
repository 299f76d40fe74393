import { DataError } from '../../core/errors.js';
import { settingsOf } from '../../core/options/table.js';
import { type Column, checkColumn } from './fields.js';
import { lineBlocks } from './lines.js';
import { FILE_TEXT, type FileTextOptions } from './options.js';
import { Reading } from './reading.js';
import { isBlankLine } from './sentences.js';
import { type Input, sourceOf } from './source.js';
import { TokenColumns } from './tokenColumns.js';

/** Options of {@link readTokenLines}. */
export interface TokenLineOptions extends FileTextOptions {
  /** Column of the token, by its number. Default: the first, in CoNLL-U the second. */
  token?: Column | undefined;
}

/** A sentence of a file with one token per line, with everything around it. */
export interface TokenLines {
  /** The original lines, including comments and the blank line after the sentence. */
  lines: string[];
  /** The token of each line; undefined for a line without one. */
  tokens: (string | undefined)[];
  /** Column separator. */
  separator: '\t' | ' ';
}

/** Maximum lines without a token kept before a sentence: a file of only comments must not fill the memory. */
const MOST_LINES = 100_000;

/**
 * Reads a file with one token per line so that it can be written back with an added column. It may have columns of tags
 * or not.
 *
 * @throws {@link DataError} with file and line, as `readConll`.
 *
 * @internal
 */
export async function* readTokenLines(
  input: Input,
  options: TokenLineOptions = {},
): AsyncGenerator<TokenLines, void, undefined> {
  const source = sourceOf(input);
  const settings = settingsOf(FILE_TEXT, options);
  const conllu = /\.conllup?(\.(gz|gzip|zst|zstd))?$/i.test(source.path ?? '');
  const { token = conllu ? 2 : 1 } = options;
  checkColumn('token', token);
  const columns = new TokenColumns(source.file, undefined, conllu ? true : undefined);
  const reading = new Reading(source.file, settings);
  let tabs = false;
  let block: TokenLines = { lines: [], tokens: [], separator: ' ' };
  const tokenOf = (line: string, number: number): string | undefined => {
    if (isBlankLine(line) || line.startsWith('-DOCSTART-')) return undefined;
    if (conllu ? line.startsWith('#') : isComment(line, columns)) return undefined;
    if (columns.count === undefined) tabs = line.includes('\t');
    columns.learn(line);
    const fields = columns.fields(line, number);
    if (conllu && !/^\d+$/.test(fields[0]!)) return undefined;
    const found = fields[columns.index(token, number)]!;
    if (found !== '') return found;
    throw new DataError('INVALID_ROW', 'the token is empty', { file: source.file, line: number });
  };
  for await (const { lines, first } of lineBlocks(source, settings, reading)) {
    for (const [i, line] of lines.entries()) {
      block.lines.push(line);
      block.tokens.push(tokenOf(line, first + i));
      if (!isBlankLine(line) && block.lines.length < MOST_LINES) continue;
      yield { ...block, separator: tabs ? '\t' : ' ' };
      block = { lines: [], tokens: [], separator: ' ' };
    }
  }
  if (block.lines.length > 0) yield { ...block, separator: tabs ? '\t' : ' ' };
}

/** Whether a line that begins with `#` is a comment: its number of columns differs from the lines of tokens. */
function isComment(line: string, columns: TokenColumns): boolean {
  if (!/^#\s/.test(line)) return false;
  return columns.count === undefined ? !line.includes('\t') : columns.split(line).length !== columns.count;
}
