export { compareModels, type DifferingRow, type ModelComparison } from './compare.js';
export { type DoubtfulRow, findDoubtfulRows } from './doubtfulLabels.js';
export type { Repeated } from './duplicates.js';
export type { Found, RowShown } from './found.js';
export { inspectRows } from './inspect.js';
export type {
  Advice,
  AgainstFindings,
  BadRows,
  EmptyCells,
  Inspection,
  LabelFindings,
  NearDuplicates,
} from './inspection.js';
export type { LabelCount } from './labels.js';
export type { Share } from './languages.js';
export type { Lengths } from './lengths.js';
export type { Resembling } from './nearDuplicates.js';
export type { CompareOptions, DoubtOptions, InspectedRows, InspectOptions } from './options.js';
