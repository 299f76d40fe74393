import { checkChoice } from '../core/checks.js';
import { invalidArgument } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import { checkOutputs } from '../core/outputs.js';
import { checkSignal } from '../core/signals.js';
import { Turns } from '../core/turns.js';
import { Model } from '../models/model.js';
import type { ExportableModel, ExportedFiles, ExportForm, ExportName } from './format.js';
import { ONNX } from './onnx/index.js';
import { PYTORCH } from './pytorch/index.js';
import { VEC } from './vectors/index.js';

export type { ExportableModel, ExportedFiles, ExportName } from './format.js';

/**
 * The export formats, by their name in `to`.
 *
 * @internal
 */
export const EXPORTS: Readonly<Record<ExportName, ExportForm>> = {
  onnx: ONNX,
  pytorch: PYTORCH,
  vec: VEC,
};

/**
 * The names of all formats.
 *
 * @internal
 */
export const EXPORT_NAMES = Object.keys(EXPORTS) as ExportName[];

/** Options of {@link exportModel}. */
export interface ExportOptions {
  /**
   * The format: `'onnx'`, a graph for onnxruntime; `'pytorch'`, a state dict with the module that reads it; `'vec'`,
   * the word vectors as text.
   */
  to: ExportName;
  /** Path of the file to write, or of the folder for a format of several files. Existing files are overwritten. */
  out: string;
  /** Stops the work, which rejects with `ABORTED`; no incomplete file is left. */
  signal?: AbortSignal | undefined;
}

/**
 * Writes a model in a format that other programs read.
 *
 * @param model - A classifier, tagger, language model or sequence-to-sequence model.
 * @param options - See {@link ExportOptions}.
 * @returns the written files, and notes about them.
 * @throws {@link ArgumentError} for an invalid option, and for a model that the format cannot represent.
 * @throws {@link DataError} `IO` for a path that cannot be written.
 * @throws {@link RecurraError} `ABORTED` if the signal is aborted, `DISPOSED` after the model was closed.
 *
 * @example
 * ```ts
 * const { files } = await exportModel(model, { to: 'vec', out: 'tickets.vec' });
 * ```
 */
export async function exportModel(model: ExportableModel, options: ExportOptions): Promise<ExportedFiles> {
  if (!(model instanceof Model)) throw invalidArgument('model', 'a model', model);
  if (typeof options !== 'object' || options === null)
    throw invalidArgument('options', 'an object with to and out', options);
  checkOptionNames('exportModel', options, ['to', 'out', 'signal']);
  const form = EXPORTS[checkChoice('to', options.to, EXPORT_NAMES)];
  const turns = new Turns(checkSignal('signal', options.signal), undefined, 'the export');
  const { folder } = form;
  await checkOutputs([{ option: 'out', what: 'the exported model', path: options.out, folder }], []);
  return form.write(model, options.out, turns);
}
