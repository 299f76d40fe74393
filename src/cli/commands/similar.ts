import { printable } from '../../core/printable.js';
import { jsonLine } from '../../core/terminal.js';
import { EXIT } from '../output.js';
import { loadModel } from '../tasks.js';

/** Flags of `recurra similar`. */
export interface SimilarFlags {
  top?: number;
  json?: boolean;
}

/** `recurra similar`: shows the words whose vectors are most similar to a word's. */
export async function similarCommand(modelFile: string, word: string, { top, json }: SimilarFlags): Promise<number> {
  const model = await loadModel('similar', modelFile);
  const similar = await model.similar(word, top);
  if (json) jsonLine({ event: 'similar', word, similar });
  else for (const near of similar) process.stdout.write(`${near.similarity.toFixed(4)}  ${printable(near.word)}\n`);
  return EXIT.ok;
}
