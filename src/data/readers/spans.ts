import { checkChoice } from '../../core/checks.js';
import { checkOptionNames } from '../../core/options/names.js';
import { settingsOf } from '../../core/options/table.js';
import { orderedSpans, type TextSpan } from '../../text/tags/textSpans.js';
import { type Column, checkColumn, textOf } from './fields.js';
import { fieldsOf, type JsonObject, type MakeRow, objects } from './jsonLines.js';
import { FILE_TEXT, type FileTextOptions } from './options.js';
import type { SpannedText } from './rows.js';
import { type FileRows, type Input, sourceOf } from './source.js';
import { type RawSpan, type SpanOffsets, spansOf } from './spanShapes.js';

/** Options of {@link readSpans}. */
export interface ReadSpansOptions extends FileTextOptions {
  /** Field of the text. Default `'text'`. */
  text?: Column | undefined;
  /**
   * Field of the spans. Default: the first existing one of `annotations`, `spans`, `ents`, `entities`, `labels`,
   * `label`.
   */
  spans?: Column | undefined;
  /**
   * Unit of positions: `'utf16'` as in JavaScript, or `'codePoints'` as in Python. They differ after characters such as
   * emoji. Default: that of the program that writes this shape of spans.
   */
  offsets?: SpanOffsets | undefined;
}

/**
 * Reads texts with labelled parts from JSON lines, one object per line. These shapes are recognised:
 *
 * | written by | shape | positions count |
 * |---|---|---|
 * | this library, Prodigy | `{"text", "spans": [{"start", "end", "label"}]}` | UTF-16 code units |
 * | spaCy's `to_json` | `{"text", "ents": [{"start", "end", "label"}]}` | code points |
 * | spaCy's training data | `{"text", "entities": [[start, end, label]]}` | code points |
 * | Doccano | `{"text", "label": [[start, end, label]]}`, or `"entities": [{"start_offset", "end_offset", "label"}]` | code points |
 * | Label Studio | `{"data": {"text"}, "annotations": [{"result": [{"value": {"start", "end", "labels"}}]}]}` | UTF-16 code units |
 * | Label Studio, small | `{"text", "label": [{"start", "end", "labels"}]}` | UTF-16 code units |
 *
 * gzip and zstd are decompressed, and blank lines skipped. If a span contains its own text, it is compared.
 *
 * @param input - Path of the file, `-` for standard input, or a stream of bytes.
 * @param options - See {@link ReadSpansOptions}.
 * @returns Rows for `for await`, with `text.slice(start, end)` for each span, in order; the file is opened when
 * iteration starts.
 * @throws {@link ArgumentError} at once for invalid options. While reading {@link DataError} with file and line:
 * `FILE_NOT_FOUND`, `IO`, `INVALID_ROW` (not an object, a text or spans that are missing, a span that is empty, beyond
 * the text, without a label, or overlaps another), `INVALID_FILE` (one JSON array, damaged compression).
 *
 * @example
 * ```ts
 * for await (const { text, spans } of readSpans('doccano.jsonl')) {
 *   for (const { start, end, label } of spans) console.log(label, text.slice(start, end));
 * }
 * ```
 */
export function readSpans(input: Input, options: ReadSpansOptions = {}): FileRows<SpannedText> {
  checkOptionNames('readSpans', options, ['text', 'spans', 'offsets', ...Object.keys(FILE_TEXT)]);
  return objects(sourceOf(input), settingsOf(FILE_TEXT, options), spannedRows(options));
}

/**
 * Makes the function that turns objects with spans into rows.
 *
 * @throws ArgumentError for invalid options.
 * @internal
 */
export function spannedRows(options: Pick<ReadSpansOptions, 'text' | 'spans' | 'offsets'>): MakeRow<SpannedText> {
  const { offsets } = options;
  const text = String(checkColumn('text', options.text ?? 'text'));
  const field = options.spans === undefined ? undefined : String(checkColumn('spans', options.spans));
  if (offsets !== undefined) checkChoice('offsets', offsets, ['utf16', 'codePoints']);
  return (record, line, refuse) => {
    const content = textOf(fieldsOf(withText(record, text), [text]), refuse);
    const found = spansOf(record, field, refuse);
    const inUtf16 = (offsets ?? found.offsets) === 'utf16';
    const spans = inUtf16 ? found.spans : fromCodePoints(content, found.spans, refuse);
    const ordered = orderedSpans(content, spans as readonly (RawSpan & TextSpan)[], refuse);
    checkTexts(content, ordered, refuse);
    return { text: content, spans: ordered.map(({ start, end, label }) => ({ start, end, label })), line };
  };
}

/** The object that has the text: in Label Studio's export it is within `data`. */
function withText(record: JsonObject, text: string): JsonObject {
  if (Object.hasOwn(record, text) || !Object.hasOwn(record, 'data')) return record;
  const { data } = record;
  return typeof data === 'object' && data !== null ? (data as JsonObject) : record;
}

/** Converts positions in code points to UTF-16 code units. */
function fromCodePoints(text: string, spans: readonly RawSpan[], refuse: (message: string) => Error): RawSpan[] {
  if (!/[\ud800-\udfff]/.test(text)) return [...spans];
  const places = new Map(spans.flatMap(({ start, end }) => [start, end]).map((position) => [position, -1]));
  let points = 0;
  let at = 0;
  for (const character of text) {
    if (places.has(points)) places.set(points, at);
    at += character.length;
    points++;
  }
  if (places.has(points)) places.set(points, at);
  const place = (value: unknown): unknown => {
    const found = places.get(value);
    if (found !== -1 || !Number.isSafeInteger(value)) return found === -1 ? value : found;
    throw refuse(`a span has the position ${value}, but the text has ${points} code points`);
  };
  return spans.map((span) => ({ ...span, start: place(span.start), end: place(span.end) }));
}

/** Compares spans with the texts that they claim to have. */
function checkTexts(text: string, spans: readonly (TextSpan & RawSpan)[], refuse: (message: string) => Error): void {
  for (const span of spans) {
    const found = text.slice(span.start, span.end);
    if (typeof span.text !== 'string' || span.text === found) continue;
    const short = (words: string) => JSON.stringify(words.length > 60 ? `${words.slice(0, 57)}...` : words);
    throw refuse(
      `the span ${short(span.text)} is not where it says: the text has ${short(found)} from ${span.start} to ${span.end} ` +
        '(see the option offsets for how positions are counted)',
    );
  }
}
