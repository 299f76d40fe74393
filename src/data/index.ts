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
export { type Column, type CsvRows, type ReadCsvOptions, type ReadTextsOptions, readCsv, readTexts } from './csv.js';
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
export { DataLoader, type DataLoaderOptions, type Dataset, type RowSource } from './loader.js';
export { Random, type RandomState, type Shuffleable } from './random.js';
export type { LabelledText, Row, Rows, RowsOrigin, UnlabelledText } from './rows.js';
export { type Split, type SplitOptions, stratifiedSplit } from './split.js';
export type { TextEncoding } from './textStream.js';
