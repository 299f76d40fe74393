import { Int32List } from '../../core/growable.js';
import type { Turns } from '../../core/turns.js';
import type { Vocab } from '../vocab.js';
import { END_UNIT, type UnitName } from './names.js';
import { byteUnits, FIRST_BYTE, splitUnits } from './split.js';
import type { UnitDecoder, Units } from './units.js';

/** Units between two pauses. */
const TOGETHER = 4_096;

/** Characters, bytes or words. */
export class NamedUnits implements Units {
  readonly name: UnitName;
  readonly vocab: Vocab;
  readonly end: number;
  readonly tokenizer = undefined;

  constructor(name: UnitName, vocab: Vocab) {
    this.name = name;
    this.vocab = vocab;
    this.end = vocab.get(END_UNIT);
  }

  async encode(text: string, turns: Turns): Promise<Int32Array> {
    if (this.name === 'bytes') return turns.run(byteUnits(new TextEncoder().encode(text)));
    const { stoi, defaultIndex } = this.vocab;
    if (text.length <= TOGETHER)
      return Int32Array.from(splitUnits(this.name, text), (unit) => stoi.get(unit) ?? defaultIndex!);
    const list = new Int32List();
    let count = 0;
    for (const unit of splitUnits(this.name, text)) {
      list.push(stoi.get(unit) ?? defaultIndex!);
      if (++count % TOGETHER === 0 && turns.due) await turns.next();
    }
    return turns.run(list.finish());
  }

  decoder(): UnitDecoder {
    const { vocab, name } = this;
    if (name !== 'bytes') {
      const specials = new Set(vocab.specials.map((special) => vocab.get(special)));
      return { push: (unit) => (specials.has(unit) ? '' : vocab.lookupToken(unit)) };
    }
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    return {
      push: (unit) => (unit < FIRST_BYTE ? '' : decoder.decode(Uint8Array.of(unit - FIRST_BYTE), { stream: true })),
    };
  }
}
