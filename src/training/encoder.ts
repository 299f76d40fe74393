import { constraint } from '../core/errors.js';
import { Turns } from '../core/turns.js';
import type { Engine, StateEntry } from '../engine/engine.js';
import type { TextSettings } from '../text/options.js';
import type { TokenizerLike } from '../text/tokenizer.js';
import { Vocab } from '../text/vocab.js';
import { wordTest } from '../text/wordTest.js';
import { type FirstVectors, type FirstWords, roomFor } from './firstWords.js';
import type { PretrainedEncoder } from './options/encoder.js';

/** An encoder, and how many words it adds; undefined for none. */
export interface EncoderSettings {
  model: PretrainedEncoder;
  words: number | undefined;
}

/** The space before a word in units of words and pieces. */
const BLANK = /^[ \u0120\u2581](?=.)/su;

/** Words between two pauses. */
const TOGETHER = 4_096;

/**
 * The unit of each word of an encoder, in the order of the units. With the encoder's own tokenizer, words are its
 * units. Otherwise a unit's word is the unit without its leading space, lowercased unless that is another unit. The
 * first unit of a word, the most frequent one, is used.
 */
function* unitsOfWords(
  { vocab, tokenizer: own }: PretrainedEncoder,
  tokenizer: TokenizerLike,
): Generator<void, Map<string, number>, undefined> {
  const units = new Map<string, number>();
  const specials = new Set(vocab.specials);
  const add = (word: string, unit: number) => {
    if (!units.has(word)) units.set(word, unit);
  };
  const same = own !== undefined && own === tokenizer;
  for (const lower of same ? [false] : [false, true]) {
    for (const [unit, name] of vocab.itos.entries()) {
      if (unit % TOGETHER === 0) yield;
      if (specials.has(name)) continue;
      const word = same ? name : name.replace(BLANK, '');
      add(lower ? word.toLowerCase() : word, unit);
    }
  }
  return units;
}

/** The array of a state by its name. */
function array(state: readonly StateEntry[], name: string): StateEntry | undefined {
  return state.find((entry) => entry.name === name);
}

/** The words of a language model, and the vectors of its units. */
export function wordsOfEncoder({ model, words = 0 }: EncoderSettings, signal: AbortSignal | undefined): FirstWords {
  let units: ReadonlyMap<string, number> | undefined;
  return {
    // Unlike vectors of a file or of texts, its vectors do not justify a larger share of the network.
    given: undefined,
    learns: false,
    async extend(vocab: Vocab, { tokenizer, ...text }: TextSettings): Promise<Vocab> {
      const turns = new Turns(signal);
      const found = await turns.run(unitsOfWords(model, tokenizer));
      units = found;
      if (!vocab.itos.some((word) => found.has(word)))
        throw constraint(
          'encoder',
          `the encoder has a vector for none of the ${vocab.length} words of the training rows; are its units of another kind than the tokens?`,
        );
      const most = roomFor(words, vocab, { tokenizer, ...text });
      const accepts = await wordTest(tokenizer, turns);
      const more: string[] = [];
      for (const word of found.keys()) {
        if (more.length >= most) break;
        if (!vocab.has(word) && accepts(word)) more.push(word);
        if (turns.due) await turns.next();
      }
      return turns.run(Vocab.extended(vocab, more));
    },
    async vectors(vocab: Vocab): Promise<FirstVectors> {
      const turns = new Turns(signal);
      const state = await model.encoderState();
      turns.restart();
      const { data, shape } = array(state, 'embedding.weight')!;
      const dim = shape[1]!;
      const from = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
      const matrix = new Float32Array(vocab.length * dim);
      const known = new Uint8Array(vocab.length);
      const specials = new Set(vocab.specials);
      for (const [row, word] of vocab.itos.entries()) {
        const unit = specials.has(word) ? undefined : units?.get(word);
        if (unit === undefined) continue;
        matrix.set(from.subarray(unit * dim, (unit + 1) * dim), row * dim);
        known[row] = 1;
        if (turns.due) await turns.next();
      }
      return { matrix, known, dim };
    },
  };
}

/**
 * Initialises the forward layers of a network from those of an encoder. Weights for inputs that the encoder does not
 * have, such as character features or outputs of a backward layer, stay random.
 */
export async function setLayers(engine: Engine, { model }: EncoderSettings): Promise<void> {
  const [own, given] = [await engine.state(), await model.encoderState()];
  for (const entry of own) {
    const name = entry.name.replace(/^member\.\d+\./, '');
    const layer = name.startsWith('rnn.') ? array(given, name) : undefined;
    if (layer) copyColumns(layer, entry);
  }
  await engine.loadState(own);
}

/**
 * Copies a matrix into the first columns of another with the same number of rows; vectors are matrices of one column.
 */
function copyColumns(from: StateEntry, to: StateEntry): void {
  const rows = from.shape[0]!;
  const [width, room] = [from.data.length / rows, to.data.length / rows];
  for (let row = 0; row < rows; row++) to.data.set(from.data.subarray(row * width, (row + 1) * width), row * room);
}
