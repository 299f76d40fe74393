import { constraint, RecurraError } from '../core/errors.js';
import type { StateEntry } from '../engine/engine.js';
import type { ClassifierFields } from '../models/classifier/description.js';
import { HUGGING_FACE, type Metadata, TOKENIZER_KEY } from '../models/description.js';
import type { Vocab } from '../text/vocab.js';

/**
 * How a model reads texts, as plain data: the input of the functions in `python` and of the featurizers of ONNX models.
 */
export type Reading = Readonly<Record<string, unknown>>;

/** The part that every model has: its vocabulary, and the number of unknown tokens. */
export function vocabularyReading(vocab: Vocab): Reading {
  return { vocabulary: vocab.itos, unknown: vocab.defaultIndex, padding: vocab.padIndex ?? null };
}

/**
 * How a text becomes tokens.
 *
 * @param metadata - The metadata of the model's file.
 * @throws ArgumentError for a tokenizer that a file cannot store.
 */
export function textReading(
  { tokenizer, ngrams = 1, maxLength, truncate = 'head' }: Metadata,
  metadata: Readonly<Record<string, string>>,
): Reading {
  if (tokenizer === null)
    throw constraint(
      'model',
      'the model uses a custom tokenizer function, which other programs cannot call; to export a model, train it with a built-in or Hugging Face tokenizer',
    );
  const own = tokenizer === HUGGING_FACE ? { tokenizerJson: metadata[TOKENIZER_KEY] } : {};
  return { tokenizer, ngrams, maxLength, truncate, ...own };
}

const base64 = ({ data }: StateEntry) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');

/** Which n-grams a linear model counts, from its arrays, as listed in `crates/linear/src/arrays.rs`. */
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

/** Which parts of a classifier are used: a share of 0 in the mix excludes the network or the linear model. */
export function partsOf({ recurrent, linear: mix }: Pick<ClassifierFields, 'recurrent' | 'linear'>) {
  return {
    network: recurrent && (mix === undefined || mix.network > 0),
    linear: mix !== undefined && mix.network < 1,
  };
}
