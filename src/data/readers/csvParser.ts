import type { CsvError, InfoRecord, Parser } from 'csv-parse';
import { csvParse } from './libraries.js';

/** How a file is split into records. */
export interface CsvSyntax {
  delimiter: string;
  quote: string | null;
  maxRowBytes: number;
}

/** Internals of csv-parse, as in the pinned version. */
interface Inside {
  api: {
    state: { quoting: boolean; field: { readonly length: number } };
    __isQuote(bytes: Uint8Array, at: number): boolean;
  };
}

/**
 * Makes a parser of a CSV file. Records are taken in `onRecord`, which emits none, so that they skip the stream's
 * queue.
 *
 * A quote in a field that does not start with one is text, as in Python's csv, pandas and Excel.
 *
 * @internal
 */
export function csvParser(syntax: CsvSyntax, onRecord: (fields: string[], info: InfoRecord) => void): Parser {
  const { delimiter, quote, maxRowBytes } = syntax;
  const parser = new (csvParse().Parser)({
    bom: true,
    delimiter,
    quote,
    // A quote inside quotes is doubled, whatever the quote character is.
    escape: quote,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
    // Checked by the reader, which can skip an invalid row.
    relax_column_count: true,
    on_record: (fields: string[], info: InfoRecord) => {
      onRecord(fields, info);
      return null;
    },
  });
  // The option relax_quotes would also accept text after a closing quote, and lose the opening one.
  const { api } = parser as unknown as Inside;
  const isQuote = api.__isQuote;
  api.__isQuote = function (this: Inside['api'], bytes, at) {
    return (this.state.quoting || this.state.field.length === 0) && isQuote.call(this, bytes, at);
  };
  return parser;
}

/**
 * Feeds the parser bytes, or the end of the file, and returns its error, if any.
 *
 * @internal
 */
export function feed(parser: Parser, bytes: Uint8Array | undefined): Promise<Error | undefined> {
  return new Promise((resolve) => {
    parser.once('error', resolve);
    const done = (error?: Error | null) => {
      parser.off('error', resolve);
      // The stream also emits the error later.
      if (error) parser.on('error', () => {});
      resolve(error ?? undefined);
    };
    if (bytes) parser.write(bytes, done);
    else parser.end(done);
  });
}

/**
 * The message for an error of the parser.
 *
 * @internal
 */
export function explain(error: CsvError): string {
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return `the row has a quote that is never closed; ${NO_QUOTES}`;
    case 'CSV_INVALID_CLOSING_QUOTE':
      return `a closing quote is followed by neither a delimiter nor the end of the line (a quote within a field is doubled); ${NO_QUOTES}`;
    case 'CSV_MAX_RECORD_SIZE':
      return `the row is longer than maxRowBytes (on the command line --max-row-bytes); a closing quote may be missing; ${NO_QUOTES}`;
    default:
      return error.message;
  }
}

/**
 * Advice for quotes that are text.
 *
 * @internal
 */
export const NO_QUOTES = 'if quotes are text in this file, give quote: null (on the command line --quote none)';
