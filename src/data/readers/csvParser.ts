import type { CsvError, InfoRecord, Parser } from 'csv-parse';
import { csvParse } from './libraries.js';

/** How a file is split into records. */
export interface CsvSyntax {
  delimiter: string;
  quote: string | null;
  maxRowBytes: number;
}

/** What csv-parse has inside, of its version that is pinned. */
interface Inside {
  api: {
    state: { quoting: boolean; field: { readonly length: number } };
    __isQuote(bytes: Uint8Array, at: number): boolean;
  };
}

/**
 * Makes a parser of a CSV file. Taking its records by `onRecord`, which passes none on, spares each of them the way through the stream's queue.
 *
 * A quote within a field that does not begin with one is text, as Python's csv, pandas and Excel read it.
 *
 * @internal
 */
export function csvParser(syntax: CsvSyntax, onRecord: (fields: string[], info: InfoRecord) => void): Parser {
  const { delimiter, quote, maxRowBytes } = syntax;
  const parser = new (csvParse().Parser)({
    bom: true,
    delimiter,
    quote,
    // A quote within quotes is doubled, whatever character it is.
    escape: quote,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
    // Checked by the reader, where a row that does not fit can be left out.
    relax_column_count: true,
    on_record: (fields: string[], info: InfoRecord) => {
      onRecord(fields, info);
      return null;
    },
  });
  // The option relax_quotes would also take a closing quote that text follows, and lose the other one.
  const { api } = parser as unknown as Inside;
  const isQuote = api.__isQuote;
  api.__isQuote = function (this: Inside['api'], bytes, at) {
    return (this.state.quoting || this.state.field.length === 0) && isQuote.call(this, bytes, at);
  };
  return parser;
}

/**
 * Hands the parser bytes, or the end of the file, and returns the error if it finds one.
 *
 * @internal
 */
export function feed(parser: Parser, bytes: Uint8Array | undefined): Promise<Error | undefined> {
  return new Promise((resolve) => {
    parser.once('error', resolve);
    const done = (error?: Error | null) => {
      parser.off('error', resolve);
      // A stream emits the error as well, afterwards.
      if (error) parser.on('error', () => {});
      resolve(error ?? undefined);
    };
    if (bytes) parser.write(bytes, done);
    else parser.end(done);
  });
}

/**
 * What an error of the parser says.
 *
 * @internal
 */
export function explain(error: CsvError): string {
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return `the row has a quote that is not closed before the end of the file; ${NO_QUOTES}`;
    case 'CSV_INVALID_CLOSING_QUOTE':
      return `a closing quote is followed by neither a delimiter nor the end of the line (a quote within a field is doubled); ${NO_QUOTES}`;
    case 'CSV_MAX_RECORD_SIZE':
      return `the row is longer than maxRowBytes (on the command line --max-row-bytes); a quote may lack its end; ${NO_QUOTES}`;
    default:
      return error.message;
  }
}

/**
 * What to do about quotes that are text.
 *
 * @internal
 */
export const NO_QUOTES = 'if quotes are text in this file, give quote: null (on the command line --quote none)';
