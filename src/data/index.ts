export { type Batches, type BucketOptions, bucketBatches } from './bucket.js';
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
export { Random, type RandomState } from './random.js';
export type { LabelledText, Rows, UnlabelledText } from './rows.js';
export { type Split, type SplitOptions, stratifiedSplit } from './split.js';
export type { TextEncoding } from './textStream.js';
