import { constraint, RecurraError } from '../core/errors.js';
import type { StateEntry } from '../engine/engine.js';
import type { ClassifierFields } from '../models/classifier/description.js';
import { HUGGING_FACE, type Metadata, TOKENIZER_KEY } from '../models/description.js';
import type { Vocab } from '../text/vocab.js';

/** How a model reads, as plain data: what the functions in `python` and the featurizers beside an ONNX model take. */
export type Reading = Readonly<Record<string, unknown>>;

/** What every model's reading says: its vocabulary, and which number unknown tokens have. */
export function vocabularyReading(vocab: Vocab): Reading {
  return { vocabulary: vocab.itos, unknown: vocab.defaultIndex, padding: vocab.padIndex ?? null };
}

/**
 * How a text becomes tokens.
 *
 * @param metadata - What the model's file would say.
 * @throws ArgumentError for a tokenizer that no file can hold.
 */
export function textReading(
  { tokenizer, ngrams = 1, maxLength, truncate = 'head' }: Metadata,
  metadata: Readonly<Record<string, string>>,
): Reading {
  if (tokenizer === null)
    throw constraint(
      'model',
      'the model splits texts by a function of yours, which no other program can call; to export a model, train it with a built-in tokenizer or a HuggingFace tokenizer',
    );
  const own = tokenizer === HUGGING_FACE ? { tokenizerJson: metadata[TOKENIZER_KEY] } : {};
  return { tokenizer, ngrams, maxLength, truncate, ...own };
}

const base64 = ({ data }: StateEntry) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');

/** Which n-grams a linear model counts, by its arrays, as `crates/linear/src/arrays.rs` lists them. */
export function linearReading(state: readonly StateEntry[]): Reading {
  const array = (name: string) => {
    const found = state.find((entry) => entry.name === `linear.${name}`);
    if (!found) throw new RecurraError('STATE_MISMATCH', `the model's state has no array linear.${name}`);
    return found;
  };
  const { data } = array('meta');
  const meta = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const number = (at: number) => meta.getUint32(4 * at, true);
  return {
    words: number(1),
    minWord: number(2),
    chars: [number(3), number(4)],
    rows: number(7) + number(8) * 2 ** 32,
    wordRows: base64(array('words.rows')),
    wordPrints: base64(array('words.prints')),
    charRows: base64(array('chars.rows')),
    charPrints: base64(array('chars.prints')),
  };
}

/** Which parts of a classifier count: a share of 0 of the mix leaves the network or the linear model out. */
export function partsOf({ recurrent, linear: mix }: Pick<ClassifierFields, 'recurrent' | 'linear'>) {
  return {
    network: recurrent && (mix === undefined || mix.network > 0),
    linear: mix !== undefined && mix.network < 1,
  };
}
