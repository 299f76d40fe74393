import { choice, custom, flag } from '../../core/options/kinds.js';
import { checkNames, option, settingsOf, type TableOf } from '../../core/options/table.js';
import { schemeOrNull } from '../../text/tags/scheme.js';
import { givenColumns } from './columns.js';
import { type ReadConllOptions, readConll } from './conll.js';
import { readConllu } from './conllu.js';
import { type Column, checkColumn } from './fields.js';
import { objects } from './jsonLines.js';
import { hasTokens, TOKENS, taggedOf } from './jsonTokens.js';
import { FILE_TEXT, typedColumn } from './options.js';
import type { SpannedText, TaggedTokens } from './rows.js';
import { type Inputs, severalRows } from './several.js';
import { type FileRows, type Input, sourceOf } from './source.js';
import type { SpanOffsets } from './spanShapes.js';
import { type ReadSpansOptions, spannedRows } from './spans.js';
import type { TaggedRows } from './tagCheck.js';

/** How a file of sentences with tags or spans is written. */
export type TagFormat = 'conll' | 'conllu' | 'spans';

export const TAG_FORMATS = ['conll', 'conllu', 'spans'] as const satisfies readonly TagFormat[];

/** Options of {@link readTags}; those that do not apply to the file's format are ignored. */
export interface ReadTagsOptions
  extends Omit<ReadConllOptions, 'columns'>,
    Pick<ReadSpansOptions, 'text' | 'spans' | 'offsets'> {
  /**
   * How the file is written: one token per line (`conll`), Universal Dependencies (`conllu`), or JSON lines (`spans`),
   * each a text with spans as in {@link readSpans}, or `{"tokens": [...], "tags": [...]}`. Default: by its extension,
   * `.conllu` or `.jsonl`, otherwise `conll`.
   */
  format?: TagFormat | undefined;
}

const COLUMN = 'the name of a column or its number, from 1';
const column = custom<Column>(COLUMN, (name, value) => checkColumn(name, value as Column));

/** The table of {@link ReadTagsOptions}. */
export const TAGS = {
  format: option(choice(TAG_FORMATS), {
    help: 'how the file is written',
    defaultText: 'by its name',
    flag: '<format>',
  }),
  token: option(column, {
    defaultText: 'the first; FORM; tokens',
    flag: '<column>',
    help: 'column of the token, by number or name; field of the tokens',
    parse: typedColumn,
  }),
  tag: option(column, {
    defaultText: 'the last; UPOS; tags',
    flag: '<column>',
    help: 'column of the tag, by number or name; field of the tags',
    parse: typedColumn,
  }),
  separator: option(choice(['tab', 'blank'] as const), {
    defaultText: 'by the first line',
    flag: '<what>',
    help: 'column separator: one tab, or any number of blanks',
  }),
  header: option(flag, { defaultText: 'false', help: 'whether the first line names the columns' }),
  comments: option(flag, {
    defaultText: 'by what they look like',
    help: 'whether lines that begin with `#` are comments',
  }),
  scheme: option(schemeOrNull, {
    defaultText: 'recognised',
    help: 'the scheme of the tags; null for tags without one',
  }),
  text: option(column, { defaultText: 'text', help: 'field of the text' }),
  spans: option(column, {
    defaultText: 'by its name',
    flag: '<field>',
    help: 'field of the spans',
    parse: typedColumn,
  }),
  offsets: option(choice(['utf16', 'codePoints'] as const satisfies readonly SpanOffsets[]), {
    defaultText: 'by the shape of the spans',
    flag: '<how>',
    help: 'unit of positions in texts: `utf16` as in JavaScript, `codePoints` as in Python',
  }),
  ...FILE_TEXT,
} as const satisfies TableOf<ReadTagsOptions>;

/** Sentences of a file of any format. */
export type TagFileRows = FileRows<TaggedTokens | SpannedText> &
  Partial<Pick<TaggedRows, 'scheme' | 'repaired' | 'hints'>>;

/**
 * Reads sentences with tags or spans from a file of any format that {@link readConll}, {@link readConllu} and
 * {@link readSpans} read, and from JSON lines of `{"tokens": [...], "tags": [...]}`; also followed by `.gz` or `.zst`.
 *
 * @param input - Path of the file, `-` for standard input, a stream of bytes, or an array of them.
 * @param options - See {@link ReadTagsOptions}.
 * @returns Rows for `for await` or `TextTagger.train`; the file is opened when iteration starts.
 * @throws the errors of {@link readConll}, {@link readConllu} and {@link readSpans}.
 *
 * @example
 * ```ts
 * const model = await TextTagger.train(readTags('train.conll'), { validation: readTags('dev.jsonl.gz') });
 * ```
 */
export function readTags(input: Inputs, options: ReadTagsOptions = {}): TagFileRows {
  checkNames('readTags', options, TAGS);
  const parts: TagFileRows[] = [];
  const rows = severalRows<TaggedTokens | SpannedText, TagFileRows>(input, (each) => {
    const part = oneFile(each, options);
    parts.push(part);
    return part;
  });
  const { header, token, tag, text, spans } = options;
  Object.defineProperty(rows, 'columns', { value: givenColumns({ header, token, tag, text, spans }) });
  if (parts.length < 2) return rows;
  return Object.defineProperties(rows, {
    repaired: { get: () => parts.reduce((sum, { repaired = 0 }) => sum + repaired, 0) },
    hints: { get: () => parts.flatMap(({ hints = [] }) => hints) },
  });
}

function oneFile(input: Input, options: ReadTagsOptions): TagFileRows {
  const { format, token, tag, separator, header, comments, scheme, text, spans, offsets, ...file } = options;
  const { format: asked } = settingsOf({ format: TAGS.format }, { format });
  const known = asked ?? formatByName(input);
  if (known === 'spans') return readRecords(input, { ...file, token, tag, text, spans, offsets });
  const columns = { ...file, ...(token !== undefined && { token }), tag, scheme };
  return known === 'conllu'
    ? readConllu(input, columns)
    : readConll(input, { ...columns, separator, header, comments });
}

/** Reads texts with spans, and tokens with tags, from JSON lines. */
function readRecords(
  input: Input,
  { token = TOKENS, tag = 'tags', text = 'text', spans, offsets, ...file }: Omit<ReadTagsOptions, 'format'>,
): FileRows<TaggedTokens | SpannedText> {
  const [tokens, tags] = [String(checkColumn('token', token)), String(checkColumn('tag', tag))];
  const spanned = spannedRows({ text, spans, offsets });
  return objects<TaggedTokens | SpannedText>(sourceOf(input), settingsOf(FILE_TEXT, file), (record, line, refuse) =>
    hasTokens(record, tokens, [String(text)])
      ? { ...taggedOf(record, tokens, tags, refuse), line }
      : spanned(record, line, refuse),
  );
}

/** The format that a file's name implies. */
function formatByName(input: Input): TagFormat {
  const name = typeof input === 'string' || input instanceof URL ? String(input) : '';
  const ending = /\.([a-z]+)(?:\.(?:gz|gzip|zst|zstd))?$/i.exec(name)?.[1]?.toLowerCase();
  if (ending === 'conllu' || ending === 'conllup') return 'conllu';
  return ['jsonl', 'ndjson', 'jsonlines', 'json'].includes(ending ?? '') ? 'spans' : 'conll';
}
