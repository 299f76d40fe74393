import type { Turns } from '../core/turns.js';
import type { TextClassifier } from '../models/classifier/classifier.js';
import type { LanguageModel } from '../models/language/language.js';
import type { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import type { TextTagger } from '../models/tagger/tagger.js';

/** A model of any kind. */
export type ExportableModel = TextClassifier | TextTagger | LanguageModel | Seq2Seq;

/** Name of an export format. */
export type ExportName = 'onnx' | 'pytorch' | 'vec';

/** The written files. */
export interface ExportedFiles {
  /** Paths of the files, the main one first. */
  files: readonly string[];
  /** Notes about them, each a sentence; empty if the files contain the whole model. */
  notes: readonly string[];
}

/**
 * A format in which a model is written for other programs.
 *
 * @internal
 */
export interface ExportForm {
  /** What it is, for the help of the command line. */
  readonly help: string;
  /** Whether it is a folder of files; otherwise it is one file. */
  readonly folder: boolean;
  /**
   * Writes a model; each file is written atomically.
   *
   * @param out - A checked path.
   * @throws ArgumentError for a model that the format cannot represent; DataError `IO`; RecurraError `ABORTED` by the
   * signal of `turns`.
   */
  write(model: ExportableModel, out: string, turns: Turns): Promise<ExportedFiles>;
}
