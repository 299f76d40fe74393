import type { TokenizerName } from '../text/names.js';
import type { VectorCoverage } from '../text/vectors.js';
import type { Repeated } from './duplicates.js';
import type { Found, RowShown } from './found.js';
import type { LabelCount } from './labels.js';
import type { Share } from './languages.js';
import type { Lengths } from './lengths.js';
import type { Resembling } from './nearDuplicates.js';

/** One thing to do before training. */
export interface Advice {
  /** What it is about; a program can rely on these names. */
  about:
    | 'rows'
    | 'badRows'
    | 'doubtfulLabels'
    | 'labels'
    | 'balance'
    | 'emptyTexts'
    | 'longTexts'
    | 'duplicates'
    | 'conflicts'
    | 'similarLabels'
    | 'against'
    | 'languages'
    | 'coverage';
  /** The finding and what to do, in one or two sentences. */
  message: string;
}

/** Findings about the labels. */
export interface LabelFindings {
  /** All labels, the most frequent first. */
  counts: LabelCount[];
  /** How evenly rows are spread over labels: normalised entropy, from 0 (all rows have one) to 1. */
  evenness: number;
  /** Rows of the most frequent label divided by those of the rarest. */
  imbalance: number;
  /** Rows without a label. */
  rowsWithoutLabel: number;
  /** Rows with several labels. */
  rowsWithSeveral: number;
  /** Labels that differ only in case, blanks, punctuation or accents. */
  similar: string[][];
}

/** Rows that a reader with `onBadRow: 'skip'` skipped. */
export interface BadRows {
  /** Number of rows. */
  rows: number;
  /** Why the first ten of them are bad, with file and line. */
  reasons: string[];
}

/** Rows in which one of several columns of text is empty. */
export interface EmptyCells {
  /** Name or number of the column. */
  column: string;
  /** Number of rows. */
  rows: number;
}

/** Texts shared by the rows and those that a model will be measured on. */
export interface AgainstFindings {
  /** Their file, if known. */
  file?: string;
  /** Rows to be measured on. */
  rows: number;
  /** Rows of it that were skipped. */
  badRows: BadRows;
  /** Those whose text also appears in the inspected rows. */
  repeated: Found<Repeated>;
  /** Other rows that resemble an inspected text. */
  resembling: Found<Resembling>;
  /** Labels that the inspected rows do not have, which a model cannot learn from them. */
  unknownLabels: string[];
}

/** Rows whose text resembles an earlier one. */
export interface NearDuplicates extends Found<Resembling> {
  /** Different texts that others were compared with. */
  comparedWith: number;
}

/** Result of {@link inspectRows}. */
export interface Inspection {
  /** Rows read. */
  rows: number;
  /** Distinct texts, ignoring case and blanks. */
  distinctTexts: number;
  /** The labels; undefined for rows without any. */
  labels?: LabelFindings;
  /** Rows that were skipped; none if the reader stops at a bad row. */
  badRows: BadRows;
  /** With several columns of text: those that are empty in some rows, as far as the reader counts them. */
  emptyCells: EmptyCells[];
  /** Rows whose text is empty or blank. */
  emptyTexts: Found;
  /** Rows whose text has more tokens than the option `maxLength`. */
  longTexts: Found;
  /** Lengths in code points. */
  characters: Lengths;
  /** Lengths in tokens. */
  tokens: Lengths;
  /** How tokens were made. */
  tokenizer: TokenizerName;
  /** Share of letters by script, in a sample of the texts. */
  scripts: Share[];
  /** Share of texts by detected language: texts of at least 40 letters in a sample, languages with at least 5 %. */
  languages: Share[];
  /** Rows that repeat the text of an earlier row, ignoring case and blanks. */
  duplicates: Found<Repeated>;
  /** Repeated rows whose labels differ from the first row with the text. */
  conflicts: Found<Repeated>;
  /** Rows whose text resembles an earlier one. */
  nearDuplicates: NearDuplicates;
  /** Overlap with the rows to be measured on; undefined without the option `against`. */
  against?: AgainstFindings;
  /** How many of the words have a vector; undefined without the option `embeddings`. */
  coverage?: VectorCoverage;
  /** What to do, the most important first. */
  advice: Advice[];
}

export type { Found, RowShown };
