import { constraint } from '../core/errors.js';
import { TextClassifier } from '../models/classifier/classifier.js';
import { type ModelKind, ModelKindError } from '../models/file.js';
import type { LoadOptions } from '../models/load.js';

/** The kinds of models that each command works with. */
const KINDS = {
  evaluate: ['classifier'],
  predict: ['classifier'],
  serve: ['classifier'],
  explain: ['classifier'],
} as const satisfies Record<string, readonly ModelKind[]>;

/**
 * Loads the model of a command, of the kind that its file says.
 *
 * @throws ArgumentError for a kind that the command does not work with.
 */
export async function loadModel(
  command: keyof typeof KINDS,
  path: string,
  options: LoadOptions = {},
): Promise<TextClassifier> {
  try {
    return await TextClassifier.load(path, options);
  } catch (error) {
    if (!(error instanceof ModelKindError)) throw error;
    const kinds = KINDS[command].map((kind) => `"${kind}"`).join(', ');
    throw constraint(
      'model',
      `recurra ${command} works with models of the kind ${kinds}; ${path} is of the kind "${error.kind}"`,
    );
  }
}
