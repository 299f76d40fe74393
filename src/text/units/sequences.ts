import type { Turns } from '../../core/turns.js';
import { HuggingFaceTokenizer } from '../huggingFace.js';
import { Vocab } from '../vocab.js';
import { VocabBuilder } from '../vocabBuilder.js';
import { pieces, SPECIALS } from './learn.js';
import { NamedUnits } from './named.js';
import { END_UNIT, type SequenceUnitName, UNKNOWN_UNIT } from './names.js';
import { BYTE_TOKENS, splitUnits } from './split.js';
import { splitTokens, TokenUnits } from './tokens.js';
import type { Units } from './units.js';

/** Options of choosing the units of one side of pairs. */
export interface SequenceChoice {
  units: SequenceUnitName | 'pieces' | HuggingFaceTokenizer;
  /** Maximum pieces, or maximum distinct characters, words or tokens, including both special units. */
  maxUnits: number;
  /** Rarer characters, words and tokens are unknown. */
  minFreq: number;
}

/** Units of that name with a vocabulary. */
export function namedUnits(name: SequenceUnitName, vocab: Vocab): Units<SequenceUnitName> {
  return name === 'tokens' ? new TokenUnits(vocab) : new NamedUnits(name, vocab);
}

/** The units of texts, each a separate sequence. */
export async function sequenceUnits(
  texts: readonly string[],
  { units, maxUnits, minFreq }: SequenceChoice,
  turns: Turns,
): Promise<Units<SequenceUnitName>> {
  if (units instanceof HuggingFaceTokenizer) return pieces(units, turns);
  if (units === 'pieces') return pieces(await HuggingFaceTokenizer.learn([...texts], maxUnits), turns);
  if (units === 'bytes') return namedUnits(units, Vocab.fromTokens(BYTE_TOKENS, SPECIALS));
  const builder = new VocabBuilder();
  for (const text of texts) {
    // A literal special unit in the text is an unknown unit.
    for (const unit of units === 'tokens' ? splitTokens(text) : splitUnits(units, text))
      if (unit !== UNKNOWN_UNIT && unit !== END_UNIT) builder.intern(unit);
    if (turns.due) await turns.next();
  }
  const { vocab } = await turns.run(builder.buildInSteps({ ...SPECIALS, minFreq, maxTokens: maxUnits }));
  return namedUnits(units, vocab);
}
