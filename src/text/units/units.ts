import type { Turns } from '../../core/turns.js';
import type { HuggingFaceTokenizer } from '../huggingFace.js';
import type { Vocab } from '../vocab.js';
import type { SequenceUnitName, UnitName } from './names.js';

/** Turns units into text, one by one. */
export interface UnitDecoder {
  /** The text that this unit completes; `''` if the character is still incomplete. */
  push(unit: number): string;
}

/** Converts texts to numbers and back. */
export interface UnitCoder {
  /** All units: `<unk>` and `<eos>` among them. */
  readonly vocab: Vocab;
  /** Number of `<eos>`. */
  readonly end: number;
  /** The numbers of a text's units; unknown ones become `<unk>`. Yields to the event loop. */
  encode(text: string, turns: Turns): Promise<Int32Array>;
  /** A decoder. The decoded units of a text, joined, are the text, except for unknown units. */
  decoder(): UnitDecoder;
}

/** The units of a language model. */
export interface Units<N extends SequenceUnitName = UnitName> extends UnitCoder {
  /** Their name in the file; those of a tokenizer have none. */
  readonly name: N | undefined;
  /** The tokenizer, if they are its pieces. */
  readonly tokenizer: HuggingFaceTokenizer | undefined;
}
