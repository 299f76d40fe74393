import { counted } from '../../core/counted.js';
import { constraint } from '../../core/errors.js';
import { checkOutputs } from '../../core/outputs.js';
import { jsonLine, note } from '../../core/terminal.js';
import { importModel } from '../../import/index.js';
import { IMPORT, type ImportOptions } from '../../import/options.js';
import { givenOptions } from '../flags.js';
import { EXIT } from '../output.js';
import { abortOnSignals, namedTokenizer } from './train.js';

/** Flags of `recurra import`. */
export interface ImportFlags {
  out: string;
  vocab?: string;
  labels?: string;
  tokenizer?: string;
  json?: boolean;
}

/** `recurra import`: turns a network trained by PyTorch into a model. */
export async function importCommand(stateDict: string, flags: ImportFlags): Promise<number> {
  const { out, vocab, labels, tokenizer, json } = flags;
  if (vocab === undefined) throw constraint('vocab', '--vocab is required: a file with one word per line, or JSON');
  const inputs = [
    { what: 'the state dict', path: stateDict },
    { what: 'the file of the words', path: vocab },
    ...(labels === undefined ? [] : [{ what: 'the file of the labels', path: labels }]),
  ];
  await checkOutputs([{ option: 'out', what: 'the model', path: out }], inputs);
  const options = givenOptions<ImportOptions>(IMPORT, flags) as ImportOptions;
  if (tokenizer !== undefined) options.tokenizer = await namedTokenizer(tokenizer);
  const { signal, release } = abortOnSignals('stopping; nothing is written');
  try {
    const { model, notes } = await importModel(stateDict, { ...options, signal });
    await model.save(out);
    for (const each of notes) note(each);
    const { cell, hiddenSize, numLayers, bidirectional, embeddingDim } = model.settings;
    const words = model.vocab.size;
    const { labels: names } = model;
    if (json) jsonLine({ event: 'end', out, labels: names, words, settings: model.settings, notes });
    else {
      const directions = bidirectional ? 'in both directions' : 'forwards';
      const network = `${numLayers} x ${cell} of ${hiddenSize} ${directions} on vectors of ${embeddingDim}`;
      process.stdout.write(`${out}: ${network}, ${counted(words, 'word')}, ${counted(names.length, 'label')}\n`);
    }
    return EXIT.ok;
  } finally {
    release();
  }
}
