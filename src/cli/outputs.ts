import type { Input } from '../core/outputs.js';
import { isTokenizerName } from '../text/names.js';

/** Flags of a training that name files to read. */
interface ReadFlags {
  tokenizer?: string;
  sourceTokenizer?: string;
  targetTokenizer?: string;
  validation?: string;
  embeddings?: string;
  encoder?: string;
  unlabelled?: string;
}

/** The files of the rows. */
export function rowInputs(files: readonly string[]): Input[] {
  return files.map((path) => ({ what: 'the file of the rows', path }));
}

/** The files that `recurra train` reads. */
export function trainingInputs(
  files: readonly string[],
  { tokenizer, sourceTokenizer, targetTokenizer, validation, embeddings, encoder, unlabelled }: ReadFlags,
): Input[] {
  const inputs = rowInputs(files);
  if (validation !== undefined && !Number.isFinite(Number(validation)))
    inputs.push({ what: 'the file of the validation rows', path: validation });
  if (embeddings !== undefined) inputs.push({ what: 'the file of word vectors', path: embeddings });
  if (encoder !== undefined) inputs.push({ what: 'the file of the encoder', path: encoder });
  if (unlabelled !== undefined) inputs.push({ what: 'the file of unlabelled texts', path: unlabelled });
  if (tokenizer !== undefined && !isTokenizerName(tokenizer))
    inputs.push({ what: 'the file of the tokenizer', path: tokenizer });
  for (const path of [sourceTokenizer, targetTokenizer])
    if (path !== undefined) inputs.push({ what: 'the file of the tokenizer', path });
  return inputs;
}
