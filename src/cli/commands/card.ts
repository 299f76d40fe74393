import { basename } from 'node:path';
import { checkOutputs } from '../../core/outputs.js';
import { jsonLine } from '../../core/terminal.js';
import { writeText } from '../../core/writeText.js';
import { modelCard } from '../../report/index.js';
import { EXIT } from '../output.js';
import { loadModel } from '../tasks.js';

/** Flags of `recurra card`. */
export interface CardFlags {
  out?: string;
  name?: string;
  json?: boolean;
}

/** `recurra card`: writes what a model file says about its model. */
export async function cardCommand(modelFile: string, { out, name, json }: CardFlags): Promise<number> {
  if (out !== undefined)
    await checkOutputs([{ option: 'out', what: 'the card', path: out }], [{ what: 'the model', path: modelFile }]);
  const model = await loadModel('card', modelFile);
  const file = basename(modelFile);
  const text = modelCard(model, { name: name ?? file.replace(/\.safetensors$/, ''), file });
  if (out !== undefined) await writeText(out, text);
  if (json) jsonLine({ event: 'end', model: modelFile, out: out ?? null, card: model.card ?? null });
  else if (out === undefined) process.stdout.write(text);
  else process.stdout.write(`${out}\n`);
  await model.close();
  return EXIT.ok;
}
