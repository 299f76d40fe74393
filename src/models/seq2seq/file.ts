import { ModelFileError } from '../../core/errors.js';
import { settingsOf } from '../../core/options/table.js';
import { Turns } from '../../core/turns.js';
import { EXTENT } from '../../text/extent.js';
import { HuggingFaceTokenizer } from '../../text/huggingFace.js';
import { namedUnits, pieces, type SequenceUnitName, type Units } from '../../text/units/index.js';
import type { Vocab } from '../../text/vocab.js';
import { type CommonDescription, modelMetadata } from '../file.js';
import type { Longest, PairUnits } from './data.js';
import type { Seq2SeqFields } from './description.js';
import type { Seq2SeqModelSettings } from './network.js';

/** A model's description for its file. */
export function seq2seqMetadata(
  settings: Seq2SeqModelSettings,
  { source, target }: PairUnits,
  longest: Longest,
): Record<string, string> {
  // Named units need no tokenizer, but the field is required.
  const text: CommonDescription['text'] = {
    ...settingsOf(EXTENT, {}),
    tokenizer: source.tokenizer ?? 'characters',
  };
  const own = {
    units: { source: source.name ?? 'pieces', target: target.name ?? 'pieces' },
    longest,
    ...(target.tokenizer && { targetTokenizer: target.tokenizer.serialize() }),
    targetVocab: target.vocab.toJSON(),
  };
  return modelMetadata('seq2seq', { settings, text, vocab: source.vocab }, own, 1);
}

/** What a file says of the units of one side. */
interface SideInFile {
  name: SequenceUnitName | 'pieces';
  vocab: Vocab;
  tokenizer: unknown;
}

async function sideUnits(path: string, { name, vocab, tokenizer }: SideInFile): Promise<Units<SequenceUnitName>> {
  if (name !== 'pieces') return namedUnits(name, vocab);
  if (!(tokenizer instanceof HuggingFaceTokenizer))
    throw new ModelFileError('INVALID_FILE', `${path}: a tokenizer, whose pieces are its units, is missing`);
  const units = await pieces(tokenizer, new Turns());
  if (units.vocab.length !== vocab.length)
    throw new ModelFileError('INVALID_FILE', `${path}: one of its tokenizers and its vocabulary differ in size`);
  return units;
}

/**
 * The units of both sides, from a file's description.
 *
 * @throws {@link ModelFileError} `INVALID_FILE`.
 */
export async function unitsInFile(
  path: string,
  { units, targetVocab, targetTokenizer }: Seq2SeqFields,
  vocab: Vocab,
  tokenizer: unknown,
): Promise<PairUnits> {
  let own: HuggingFaceTokenizer | undefined;
  try {
    own = targetTokenizer === undefined ? undefined : await HuggingFaceTokenizer.fromString(targetTokenizer);
  } catch (cause) {
    throw new ModelFileError('INVALID_FILE', `${path}: ${(cause as Error).message}`, { cause });
  }
  return {
    source: await sideUnits(path, { name: units.source, vocab, tokenizer }),
    target: await sideUnits(path, { name: units.target, vocab: targetVocab, tokenizer: own }),
  };
}
