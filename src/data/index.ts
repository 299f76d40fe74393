export type { RowColumns } from './readers/columns.js';
export { type ReadConllOptions, readConll } from './readers/conll.js';
export { type ReadConlluOptions, readConllu } from './readers/conllu.js';
export { type CsvTextOptions, type ReadCsvOptions, readCsv } from './readers/csv.js';
export { type ReadFastTextOptions, readFastText } from './readers/fastText.js';
export type { Column } from './readers/fields.js';
export { type ReadJsonLinesOptions, readJsonLines } from './readers/jsonLines.js';
export type {
  FileTextOptions,
  GroupOption,
  KeepOption,
  LabelPrefixOption,
  LabelSeparatorOption,
  OnBadRow,
  PairColumns,
  PairFormat,
  ReadingOptions,
  ReadProgress,
  RowFormat,
  TableTextOptions,
  TextEncoding,
  TextFormat,
} from './readers/options.js';
export { type ReadParquetOptions, readParquet } from './readers/parquet.js';
export { type ReadPairsOptions, readPairs } from './readers/readPairs.js';
export { type ReadRowsOptions, type ReadTextsOptions, readRows, readTexts } from './readers/readRows.js';
export { type ReadTagsOptions, readTags, type TagFileRows, type TagFormat } from './readers/readTags.js';
export type {
  GivenRow,
  LabelledText,
  LabelValue,
  Pair,
  Pairs,
  Row,
  Rows,
  RowsOrigin,
  SpannedText,
  TaggedTokens,
  UnlabelledText,
} from './readers/rows.js';
export type { Inputs } from './readers/several.js';
export type { FileRows, Input } from './readers/source.js';
export type { SpanOffsets } from './readers/spanShapes.js';
export { type ReadSpansOptions, readSpans } from './readers/spans.js';
export type { TaggedRows, TagHint } from './readers/tagCheck.js';
export { readWholeText, type TextPart } from './readers/wholeText.js';
export { type Batches, type BucketOptions, bucketBatches } from './sets/bucket.js';
export {
  type Collected,
  type CollectOptions,
  collect,
  type EncodeDatasetOptions,
  type EncodeOptions,
  type EncodeProgress,
  encodeDataset,
} from './sets/encode.js';
export { EncodedDataset, type EncodedParts, type EncodedRow, type GatheredRows } from './sets/encoded.js';
export { type Split, type SplitOptions, stratifiedSplit } from './sets/split.js';
