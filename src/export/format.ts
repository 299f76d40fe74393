import type { Turns } from '../core/turns.js';
import type { TextClassifier } from '../models/classifier/classifier.js';
import type { LanguageModel } from '../models/language/language.js';
import type { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import type { TextTagger } from '../models/tagger/tagger.js';

/** A model of any kind. */
export type ExportableModel = TextClassifier | TextTagger | LanguageModel | Seq2Seq;

/** Name of a form in which a model can be written. */
export type ExportName = 'onnx' | 'pytorch' | 'vec';

/** What was written. */
export interface ExportedFiles {
  /** Paths of the files, the main one first. */
  files: readonly string[];
  /** What is to be known of them, each as a sentence; none if all of the model is in the files. */
  notes: readonly string[];
}

/**
 * A form in which a model is written for other programs.
 *
 * @internal
 */
export interface ExportForm {
  /** What it is, for the help of the command line. */
  readonly help: string;
  /** Whether it is a folder of files; else it is one file. */
  readonly folder: boolean;
  /**
   * Writes a model; each file appears whole or not at all.
   *
   * @param out - A path that was checked.
   * @throws ArgumentError for a model that the form cannot hold; DataError `IO`; RecurraError `ABORTED` by the signal of `turns`.
   */
  write(model: ExportableModel, out: string, turns: Turns): Promise<ExportedFiles>;
}
