import type { Turns } from '../../core/turns.js';
import type { HuggingFaceTokenizer } from '../huggingFace.js';
import type { Vocab } from '../vocab.js';
import type { SequenceUnitName, UnitName } from './names.js';

/** Makes text of units, one after the other. */
export interface UnitDecoder {
  /** The text that this unit completes; `''` for one that is not the end of a character. */
  push(unit: number): string;
}

/** How a text becomes numbers, and numbers text. */
export interface UnitCoder {
  /** All units: `<unk>` and `<eos>` among them. */
  readonly vocab: Vocab;
  /** Number of `<eos>`. */
  readonly end: number;
  /** The numbers of a text's units; unknown ones are that of `<unk>`. Yields to the event loop meanwhile. */
  encode(text: string, turns: Turns): Promise<Int32Array>;
  /** Makes text of numbers. Joined, the texts of all units of a text are the text, but for unknown units. */
  decoder(): UnitDecoder;
}

/** The units of a language model. */
export interface Units<N extends SequenceUnitName = UnitName> extends UnitCoder {
  /** What the file calls them; those of a tokenizer have no name. */
  readonly name: N | undefined;
  /** The tokenizer, if they are pieces of one. */
  readonly tokenizer: HuggingFaceTokenizer | undefined;
}
