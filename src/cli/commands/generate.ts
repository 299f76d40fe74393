import { constraint } from '../../core/errors.js';
import { jsonLine } from '../../core/terminal.js';
import { readWholeText } from '../../data/readers/wholeText.js';
import { ModelKindError } from '../../models/description.js';
import { LanguageModel } from '../../models/language/language.js';
import { GENERATE, type GeneratedText, type GenerateOptions } from '../../models/language/sampling.js';
import { givenOptions } from '../flags.js';
import { EXIT } from '../output.js';
import { outputDrained, outputLost } from '../streams.js';
import { abortOnSignals } from './train.js';

/** Flags of `recurra generate`. */
export interface GenerateFlags {
  prompt?: string;
  promptFile?: string;
  json?: boolean;
}

async function loadLanguageModel(path: string): Promise<LanguageModel> {
  try {
    return await LanguageModel.load(path, { threads: 1 });
  } catch (error) {
    if (!(error instanceof ModelKindError)) throw error;
    const message = `recurra generate works with language models; ${path} is a model of kind "${error.kind}"`;
    throw constraint('model', message);
  }
}

/** The prompt, verbatim: from the flag, or the whole content of a file. */
async function promptOf({ prompt, promptFile }: GenerateFlags): Promise<string> {
  if (promptFile === undefined) return prompt ?? '';
  if (prompt !== undefined) throw constraint('promptFile', 'give --prompt or --prompt-file, not both');
  const parts: string[] = [];
  for await (const { text } of readWholeText(promptFile)) parts.push(text);
  return parts.join('');
}

/** `recurra generate`: continues a prompt and writes the text as it is generated. */
export async function generateCommand(modelFile: string, flags: GenerateFlags): Promise<number> {
  const { json } = flags;
  const prompt = await promptOf(flags);
  const model = await loadLanguageModel(modelFile);
  const { signal, release } = abortOnSignals('stopping');
  let text = '';
  let end: GeneratedText | { reason: 'aborted' } = { reason: 'aborted' };
  try {
    const writing = model.generate(prompt, { ...givenOptions<GenerateOptions>(GENERATE, flags), signal });
    if (!json) process.stdout.write(prompt);
    for (let next = await writing.next(); ; next = await writing.next()) {
      if (next.done) {
        end = next.value;
        break;
      }
      // The reader has gone, or the output cannot be written.
      if (outputLost()) return EXIT.ok;
      if (json) text += next.value;
      else process.stdout.write(next.value);
      await outputDrained(signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    release();
    await model.close();
  }
  // Keep what was generated before the signal.
  if (json) jsonLine({ event: 'text', prompt, text, ...end });
  else process.stdout.write('\n');
  return end.reason === 'aborted' ? EXIT.interrupted : EXIT.ok;
}
