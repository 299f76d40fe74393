export {
  AG_NEWS_CLASSES,
  type AgNews,
  type AgNewsOptions,
  type AgNewsPart,
  agNews,
  encode,
  loadDataset,
  type TextEncodeOptions,
} from './agNews.js';
export { type Batches, type BucketOptions, bucketBatches } from './bucket.js';
export { offsetify, type PadOptions, padify, padLength, type TokenRow } from './collate.js';
export { type CsvTextOptions, type ReadCsvOptions, readCsv } from './csv.js';
export {
  type Collected,
  type CollectOptions,
  collect,
  type EncodeDatasetOptions,
  type EncodeOptions,
  type EncodeProgress,
  encodeDataset,
} from './encode.js';
export { EncodedDataset, type EncodedParts, type EncodedRow, type GatheredRows } from './encoded.js';
export { type ReadFastTextOptions, readFastText } from './fastText.js';
export type { Column } from './fields.js';
export { type ReadJsonLinesOptions, readJsonLines } from './jsonLines.js';
export { DataLoader, type DataLoaderOptions, type Dataset, type RowSource } from './loader.js';
export { type ReadParquetOptions, readParquet } from './parquet.js';
export { Random, type RandomState, type Shuffleable } from './random.js';
export {
  type ReadRowsOptions,
  type ReadTextsOptions,
  type RowFormat,
  readRows,
  readTexts,
  type TextFormat,
} from './readRows.js';
export type { LabelledText, Row, Rows, RowsOrigin, UnlabelledText } from './rows.js';
export type { FileRows, Input, OnBadRow } from './source.js';
export { type Split, type SplitOptions, stratifiedSplit } from './split.js';
export type { TextEncoding } from './textStream.js';
