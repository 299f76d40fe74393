import { constraint } from '../../core/errors.js';
import { jsonLine } from '../../core/terminal.js';
import { ModelKindError } from '../../models/description.js';
import { LanguageModel } from '../../models/language/language.js';
import { GENERATE, type GenerateOptions } from '../../models/language/sampling.js';
import { givenOptions } from '../flags.js';
import { EXIT } from '../output.js';
import { outputDrained, outputLost } from '../streams.js';
import { abortOnSignals } from './train.js';

/** Flags of `recurra generate`. */
export interface GenerateFlags {
  prompt?: string;
  json?: boolean;
}

async function loadLanguageModel(path: string): Promise<LanguageModel> {
  try {
    return await LanguageModel.load(path, { threads: 1 });
  } catch (error) {
    if (!(error instanceof ModelKindError)) throw error;
    const message = `recurra generate works with models of the kind "language"; ${path} is of the kind "${error.kind}"`;
    throw constraint('model', message);
  }
}

/** `recurra generate`: writes what may follow a prompt, as it comes. */
export async function generateCommand(modelFile: string, flags: GenerateFlags): Promise<number> {
  const { prompt = '', json } = flags;
  const model = await loadLanguageModel(modelFile);
  const { signal, release } = abortOnSignals('stopping');
  let text = '';
  try {
    const options = { ...givenOptions<GenerateOptions>(GENERATE, flags), signal };
    if (!json) process.stdout.write(prompt);
    for await (const piece of model.generate(prompt, options)) {
      // Nobody reads the rest, or it cannot be written.
      if (outputLost()) return EXIT.ok;
      if (json) text += piece;
      else process.stdout.write(piece);
      if (process.stdout.writableNeedDrain) await outputDrained();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    if (!json) process.stdout.write('\n');
    return EXIT.interrupted;
  } finally {
    release();
    await model.close();
  }
  if (json) jsonLine({ event: 'text', prompt, text });
  else process.stdout.write('\n');
  return EXIT.ok;
}
