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
 * The forms in which a model is written for other programs, by the name that `to` gives them.
 *
 * @internal
 */
export const EXPORTS: Readonly<Record<ExportName, ExportForm>> = {
  onnx: ONNX,
  pytorch: PYTORCH,
  vec: VEC,
};

/**
 * The names of all forms.
 *
 * @internal
 */
export const EXPORT_NAMES = Object.keys(EXPORTS) as ExportName[];

/** Options of {@link exportModel}. */
export interface ExportOptions {
  /** The form: `'onnx'`, a graph for onnxruntime; `'pytorch'`, a state dict with the module that reads it; `'vec'`, the word vectors as text. */
  to: ExportName;
  /** Path of the file to write, or of the folder where the form is several files. What is there is overwritten. */
  out: string;
  /** Stops the work, which rejects with `ABORTED`; then no file is there that was not complete. */
  signal?: AbortSignal | undefined;
}

/**
 * Writes a model in a form that other programs read.
 *
 * @param model - A classifier, tagger, language model or model of pairs.
 * @param options - See {@link ExportOptions}.
 * @returns the files that were written, and what is to be known of them.
 * @throws {@link ArgumentError} for an option that does not fit, and for a model that the form cannot hold.
 * @throws {@link DataError} `IO` for a path that cannot be written.
 * @throws {@link RecurraError} `ABORTED` if the signal is aborted, `DISPOSED` once the model was closed.
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
