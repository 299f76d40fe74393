import { DataError } from '../../core/errors.js';
import { checkNames, settingsOf } from '../../core/options/table.js';
import { csvPairs } from './csv.js';
import { jsonPairs } from './jsonLines.js';
import { PAIRS, type PairColumns, type PairFormat, type RowFormat, type TableTextOptions } from './options.js';
import { parquetPairs } from './parquet.js';
import { byFormat, csvOptions, formatByName } from './readRows.js';
import type { Pair } from './rows.js';
import { type Inputs, severalRows } from './several.js';
import { type FileRows, type Input, sourceOf } from './source.js';

/** Options of {@link readPairs}; those that do not apply to the file's format are ignored. */
export interface ReadPairsOptions extends TableTextOptions, PairColumns {
  /** How the file is written. Default: by its extension, otherwise by its first bytes. */
  format?: PairFormat | undefined;
}

/**
 * Reads pairs of a source and a target from a file: `.csv`, `.tsv`, `.jsonl` (also `.ndjson`, `.json` with one object a
 * line), `.parquet`, each but the last also followed by `.gz` or `.zst`. For other names, standard input and streams,
 * the content decides: JSON objects, otherwise CSV.
 *
 * @param input - Path of the file, `-` for standard input, a stream of bytes, or an array of them.
 * @param options - Which columns, and how the file is written; see {@link ReadPairsOptions}.
 * @returns pairs for `for await` and `Seq2Seq.train`; the file is opened when iteration starts.
 * @throws the errors of {@link readCsv}, {@link readJsonLines} and {@link readParquet}.
 *
 * @example
 * ```ts
 * const pairs = readPairs('fra.tsv', { source: 1, target: 2 });
 * const model = await Seq2Seq.train(pairs, { sourceUnits: 'words', targetUnits: 'words' });
 * ```
 */
export function readPairs(input: Inputs, options: ReadPairsOptions = {}): FileRows<Pair> {
  checkNames('readPairs', options, PAIRS);
  return severalRows(input, (each) => oneFile(each, options));
}

function oneFile(input: Input, options: ReadPairsOptions): FileRows<Pair> {
  const { format, ...rest } = options;
  const source = sourceOf(input);
  const known = settingsOf({ format: PAIRS.format }, { format }).format ?? formatByName(source.path);
  settingsOf(PAIRS, options);
  return byFormat<Pair, RowFormat>(source, known, 'csv', rest, (opened, found) => {
    if (found === 'jsonl') return jsonPairs(opened, rest);
    if (found === 'parquet') return parquetPairs(opened, rest);
    if (found === 'fasttext') {
      const message =
        "the file starts like fastText's format, with a label; expected pairs as CSV, TSV, JSON lines or Parquet";
      throw new DataError('INVALID_FILE', message, { file: opened.file });
    }
    return csvPairs(opened, csvOptions(found, rest));
  });
}
