import { Int32List } from '../../core/growable.js';
import type { Turns } from '../../core/turns.js';
import type { Vocab } from '../vocab.js';
import { END_UNIT } from './names.js';
import type { UnitDecoder, Units } from './units.js';

/** Units between two pauses. */
const TOGETHER = 4_096;

/** Runs between blanks, such as phonemes. Any white space separates units; one space is written between two units. */
export class TokenUnits implements Units<'tokens'> {
  readonly name = 'tokens';
  readonly vocab: Vocab;
  readonly end: number;
  readonly tokenizer = undefined;

  constructor(vocab: Vocab) {
    this.vocab = vocab;
    this.end = vocab.get(END_UNIT);
  }

  async encode(text: string, turns: Turns): Promise<Int32Array> {
    const { stoi, defaultIndex, specials } = this.vocab;
    // A literal special unit in the text is not that unit.
    const numberOf = (token: string) => (specials.includes(token) ? defaultIndex! : (stoi.get(token) ?? defaultIndex!));
    if (text.length <= TOGETHER) return Int32Array.from(splitTokens(text), numberOf);
    const list = new Int32List();
    let count = 0;
    for (const token of splitTokens(text)) {
      list.push(numberOf(token));
      if (++count % TOGETHER === 0 && turns.due) await turns.next();
    }
    return turns.run(list.finish());
  }

  decoder(): UnitDecoder {
    const { vocab } = this;
    const specials = new Set(vocab.specials.map((special) => vocab.get(special)));
    let first = true;
    return {
      push: (unit) => {
        if (specials.has(unit)) return '';
        const token = vocab.lookupToken(unit);
        const text = first ? token : ` ${token}`;
        first = false;
        return text;
      },
    };
  }
}

/** The runs between blanks in a text. */
export function* splitTokens(text: string): Generator<string, void, undefined> {
  for (const [token] of text.matchAll(/\S+/gu)) yield token;
}
