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
  /** What was found and what to do, in one or two sentences. */
  message: string;
}

/** What the labels of the rows are. */
export interface LabelFindings {
  /** All labels, the most frequent first. */
  counts: LabelCount[];
  /** How evenly the rows are spread over them: normalised entropy, from 0 (all rows have one) to 1. */
  evenness: number;
  /** Rows of the most frequent label by those of the rarest. */
  imbalance: number;
  /** Rows without a label. */
  rowsWithoutLabel: number;
  /** Rows with several. */
  rowsWithSeveral: number;
  /** Labels that differ by case, blanks, punctuation or accents alone. */
  similar: string[][];
}

/** Texts that stand in the rows and in those that a model will be measured on. */
export interface AgainstFindings {
  /** Rows to be measured on. */
  rows: number;
  /** Those of them whose text stands in the inspected rows too. */
  repeated: Found<Repeated>;
  /** Those of the others that resemble an inspected text. */
  resembling: Found<Resembling>;
  /** Labels that the inspected rows do not have, which a model cannot learn from them. */
  unknownLabels: string[];
}

/** Rows whose text resembles an earlier one. */
export interface NearDuplicates extends Found<Resembling> {
  /** Different texts that others were compared with. */
  comparedWith: number;
}

/** What {@link inspectRows} found. */
export interface Inspection {
  /** Rows that were read. */
  rows: number;
  /** Different texts; case and blanks make no difference. */
  distinctTexts: number;
  /** The labels; undefined for rows without any. */
  labels?: LabelFindings;
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
  /** Share of texts by language, as far as it can be guessed: texts of 40 letters and more in a sample, languages of 5 % and more. */
  languages: Share[];
  /** Rows whose text an earlier row has; case and blanks make no difference. */
  duplicates: Found<Repeated>;
  /** Those of them whose labels are others than those of the first row with the text. */
  conflicts: Found<Repeated>;
  /** Rows whose text resembles an earlier one. */
  nearDuplicates: NearDuplicates;
  /** What stands in the rows to be measured on as well; undefined without the option `against`. */
  against?: AgainstFindings;
  /** How many of the words have a vector; undefined without the option `embeddings`. */
  coverage?: VectorCoverage;
  /** What to do about it, the most important first. */
  advice: Advice[];
}

export type { Found, RowShown };
