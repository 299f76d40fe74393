/** First bytes of the file; a file without them is not ours. */
export const JAVASCRIPT_MARK = '// Written by recurra';

const HEADER = `${JAVASCRIPT_MARK} for an ONNX model: makes the model's inputs from texts, in Node and in browsers.
//
//   import * as ort from 'onnxruntime-node'; // or onnxruntime-web
//   import { createFeaturizer } from './featurize.mjs';
//
//   const bytes = await readFile('model.onnx'); // or await (await fetch('model.onnx')).arrayBuffer()
//   const session = await ort.InferenceSession.create(bytes);
//   const featurize = createFeaturizer(bytes, ort);
//   const { probabilities } = await session.run(featurize(['My invoice is wrong']));
`;

const FEATURIZER = String.raw`
const MARKS = /^[\ufeff\u200b-\u200f\u2060]+/;
const UNKNOWN = '<unk>';
const PADDING = '<pad>';
/** Python's white space, which differs from JavaScript's. */
const PYTHON_BLANKS = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The value of a key in the metadata of a model's bytes. */
function metadataOf(bytes, key) {
  const text = new TextDecoder();
  const number = (at) => {
    let [value, scale, byte] = [0, 1, 0];
    do {
      byte = bytes[at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return [value, at];
  };
  // Fields of a protobuf message; only those with bytes matter.
  const fields = (at, end) => {
    const found = [];
    while (at < end) {
      let tag, length;
      [tag, at] = number(at);
      if (tag % 8 === 0) [, at] = number(at);
      else if (tag % 8 === 1) at += 8;
      else if (tag % 8 === 5) at += 4;
      else {
        [length, at] = number(at);
        found.push([Math.floor(tag / 8), at, at + length]);
        at += length;
      }
      if (!(at <= end)) throw new TypeError('the bytes are not those of an ONNX model');
    }
    return found;
  };
  for (const [tag, from, to] of fields(0, bytes.length)) {
    if (tag !== 14) continue;
    const entry = new Map(fields(from, to).map(([part, begin, end]) => [part, text.decode(bytes.subarray(begin, end))]));
    if (entry.get(1) === key) return entry.get(2);
  }
  throw new TypeError('this model was not exported by recurra: its metadata has no key ' + key);
}

/** torchtext's basic_english. */
function basicEnglish(text) {
  const spaced = text.toLowerCase().replace(/['.,()!?]/g, ' $& ').replaceAll('"', '').replaceAll('<br />', ' ').replace(/[;:]/g, ' ');
  return spaced.split(PYTHON_BLANKS).filter((token) => token !== '');
}

const segmenter = () => new Intl.Segmenter('und', { granularity: 'word' });

/** Splits text without white space into words by UAX 29; long text is processed piece by piece. */
function splitWords(chunk, words = segmenter()) {
  const found = [];
  for (let at = 0; at < chunk.length; ) {
    let end = Math.min(at + 512, chunk.length);
    if (end < chunk.length && /[\udc00-\udfff]/.test(chunk[end])) end--;
    const pieces = Array.from(words.segment(chunk.slice(at, end)), ({ segment }) => segment);
    // The last word may continue after the piece.
    if (end < chunk.length && pieces.length > 1) pieces.pop();
    for (const piece of pieces) at += piece.length;
    found.push(...pieces);
  }
  return found;
}

function unicodeWords(text, split) {
  return text.normalize('NFKC').toLowerCase().split(/\s+/u).filter((chunk) => chunk !== '').flatMap((chunk) => split(chunk));
}

/** The tokens read of a text: truncated, followed by pairs and triples. */
function shaped(tokens, { ngrams, maxLength, truncate }) {
  const own = tokens.map((token) => (token === PADDING ? UNKNOWN : token));
  let parts = [own];
  if (own.length > maxLength) {
    const head = { head: maxLength, tail: 0, both: Math.ceil(maxLength / 2) }[truncate];
    parts = [own.slice(0, head), own.slice(own.length - (maxLength - head))];
  }
  const read = parts.flat();
  for (let n = 2; n <= ngrams; n++)
    for (const part of parts) for (let at = 0; at + n <= part.length; at++) read.push(part.slice(at, at + n).join(' '));
  return read;
}

const ODD = [0x9e3779b97f4a7c15n, 0xd6e8feb86659fd93n, 0xa0761d6478bd642fn, 0xe7037ed1a0b428dbn];
const B64 = (1n << 64n) - 1n;

function fold(a, b) {
  const product = a * b;
  return (product & B64) ^ (product >> 64n);
}

function hash(word) {
  const bytes = new TextEncoder().encode(word);
  const eight = (from, to) => {
    let value = 0n;
    for (let at = to - 1; at >= from; at--) value = (value << 8n) | BigInt(bytes[at]);
    return value;
  };
  let state = (BigInt(bytes.length + 1) * ODD[0]) & B64;
  const whole = bytes.length - (bytes.length % 8);
  for (let at = 0; at < whole; at += 8) state = fold(state ^ eight(at, at + 8), ODD[1]);
  return fold(fold(state ^ eight(whole, bytes.length), ODD[1]) ^ ODD[2], ODD[0]);
}

function wordPrint(hashes) {
  let state = BigInt(hashes.length);
  for (const word of hashes) state = fold(state ^ (((word << 17n) | (word >> 47n)) & B64), ODD[2] ^ state);
  return Number(fold(state ^ ODD[3], ODD[1]) >> 32n);
}

/** 1 + ln(count); counts above 160 share values that are 4 % apart. */
function weightOf(count) {
  const known = Math.min(count, 65535);
  if (known <= 160) return 1 + Math.log(known);
  const step = Math.min(94, Math.floor(Math.fround(Math.fround(Math.log(Math.fround(known / 160))) * 25)));
  return 1 + Math.log(160) + (step + 0.5) / 25;
}

const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** The number of each n-gram by its fingerprint, and its document frequency; fingerprints are LEB128 differences. */
function numbersOf(runs, prints) {
  const { buffer } = bytesOf(runs);
  const counts = new Uint32Array(buffer);
  const bytes = bytesOf(prints);
  const [numbers, rows] = [new Map(), []];
  let at = 0;
  for (let run = 0; run < counts.length; run += 2) {
    let print = 0;
    for (let i = 0; i < counts[run + 1]; i++) {
      let [step, scale, byte] = [0, 1, 0];
      do {
        byte = bytes[at++];
        step += (byte & 127) * scale;
        scale *= 128;
      } while (byte > 127);
      print += step;
      numbers.set(print, numbers.size);
      rows.push(counts[run]);
    }
  }
  return { numbers, rows };
}

/**
 * The features of a linear model: TF-IDF values of n-grams of words and characters, without the idf, which is part of
 * the weights.
 */
function ngramReader({ words, minWord, chars: [shortest, longest], rows, ...listed }) {
  const ofWords = numbersOf(listed.wordRows, listed.wordPrints);
  const ofChars = numbersOf(listed.charRows, listed.charPrints);
  const idf = Float32Array.from([...ofWords.rows, ...ofChars.rows], (row) => Math.log((1 + rows) / (1 + row)) + 1);
  return (given) => {
    const text = given.replace(LONE, '\ufffd').toLowerCase().replace(MARKS, '');
    const [hashes, prints, wordPrints] = [[], [], []];
    for (const stretch of text.split(PYTHON_BLANKS)) {
      if (stretch === '') continue;
      if (words > 0)
        for (const [word] of stretch.matchAll(/[\p{Alphabetic}\p{N}_]+/gu)) if ([...word].length >= minWord) hashes.push(hash(word));
      if (longest === 0) continue;
      const points = [32, ...Array.from(stretch, (character) => character.codePointAt(0)), 32].map(BigInt);
      const least = Math.min(shortest, points.length);
      for (let first = 0; first + least <= points.length; first++) {
        let state = ODD[3];
        for (let length = 1; length <= longest && first + length <= points.length; length++) {
          state = ((state ^ points[first + length - 1]) * ODD[0]) & B64;
          state ^= state >> 29n;
          if (length >= least) prints.push(Number((((state ^ (state >> 32n)) * ODD[1]) & B64) >> 32n));
        }
      }
    }
    for (let first = 0; first < hashes.length; first++)
      for (let length = 1; length <= words && first + length <= hashes.length; length++)
        wordPrints.push(wordPrint(hashes.slice(first, first + length)));
    const [indices, values] = [[], []];
    for (const [kind, { numbers }, before] of [[wordPrints, ofWords, 0], [prints, ofChars, ofWords.numbers.size]]) {
      const counts = new Map();
      for (const print of kind) {
        const number = numbers.get(print);
        if (number !== undefined) counts.set(number + before, (counts.get(number + before) ?? 0) + 1);
      }
      let square = 0;
      const weights = Array.from(counts, ([number, count]) => {
        const weight = Math.fround(weightOf(count));
        square += (weight * idf[number]) ** 2;
        return weight;
      });
      indices.push(...counts.keys());
      values.push(...weights.map((weight) => weight / Math.sqrt(square)));
    }
    return { indices, values };
  };
}

/** fastText's hash of bytes; bytes from 128 on count as negative numbers. */
function fnv(bytes, state = 2166136261) {
  for (const byte of bytes) state = Math.imul(state ^ ((byte << 24) >> 24), 16777619);
  return state >>> 0;
}

/** UTF-8, with a lone surrogate as three bytes. */
function utf8(text) {
  if (!text.match(LONE)) return new TextEncoder().encode(text);
  return Array.from(text).flatMap((character) => {
    const point = character.codePointAt(0);
    const lone = point >= 0xd800 && point < 0xe000;
    return lone ? [0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63)] : [...new TextEncoder().encode(character)];
  });
}

/**
 * The hash of a word's shape: X for an upper-case letter, x for any other letter, d for a digit, and any other
 * character itself.
 */
function shapeOf(word) {
  let [state, before, count] = [fnv([0xff]), '', 0];
  for (const character of word) {
    let kind = character;
    if (/\p{Uppercase}/u.test(character)) kind = 'X';
    else if (/\p{Alphabetic}/u.test(character)) kind = 'x';
    else if (/\p{N}/u.test(character)) kind = 'd';
    count = kind === before ? count + 1 : 1;
    before = kind;
    if (count <= 4) state = fnv(utf8(kind), state);
  }
  return state;
}

/** The numbers of the features of a word's characters. */
function characterFeatures(word, { buckets, minn, maxn, lowercase, shape, shapeShare }) {
  let characters = Array.from(word);
  if (characters.length > 64) characters = [...characters.slice(0, 32), ...characters.slice(-32)];
  const lower = lowercase ? characters.flatMap((character) => Array.from(character.toLowerCase())) : characters;
  const runs = ['<', ...lower, '>'];
  const found = [];
  for (let first = 0; first < runs.length; first++)
    for (let length = 1; length <= maxn && first + length <= runs.length; length++) {
      const border = length === 1 && (first === 0 || first + 1 === runs.length);
      if (length >= minn && !border) found.push(fnv(utf8(runs.slice(first, first + length).join(''))) % buckets);
    }
  if (shape) {
    const count = Math.max(1, Math.round((found.length * shapeShare) / (1 - shapeShare)));
    found.push(...new Array(count).fill(shapeOf(characters) % buckets));
  }
  return found;
}

function padded(rows, type, fill = 0) {
  const longest = Math.max(1, ...rows.map(({ length }) => length));
  const big = type === 'int64';
  const data = big ? new BigInt64Array(rows.length * longest) : new Float32Array(rows.length * longest);
  if (fill !== 0) data.fill(big ? BigInt(fill) : fill);
  for (const [row, values] of rows.entries())
    for (const [at, value] of values.entries()) data[row * longest + at] = big ? BigInt(value) : value;
  return { type, data, dims: [rows.length, longest] };
}

const rowsOf = (rows) => ({
  ids: padded(rows, 'int64'),
  lengths: { type: 'int64', data: BigInt64Array.from(rows, ({ length }) => BigInt(length)), dims: [rows.length] },
});

/**
 * Makes the inputs of a model that recurra exported, from texts.
 *
 * @param model - The bytes of the .onnx file, as Uint8Array or ArrayBuffer.
 * @param options - Tensor: the class of onnxruntime, so that the inputs are tensors; without it they are { type, data,
 * dims }. tokenize: for models with a HuggingFace tokenizer, a function from a text to its tokens, without specials and
 * with '<unk>' for unknown ones; for language models of pieces, to the numbers of the tokens.
 * @returns a function from a list of texts to the inputs for session.run, with the properties settings, labels and
 * vocabulary. For a language model it also has encode(text), decode(numbers) and states(batch).
 */
export function createFeaturizer(model, { Tensor, tokenize } = {}) {
  const bytes = model instanceof ArrayBuffer ? new Uint8Array(model) : model;
  if (!(bytes instanceof Uint8Array)) throw new TypeError('expected the bytes of an ONNX model');
  const settings = JSON.parse(metadataOf(bytes, 'recurra'));
  const { kind, vocabulary, unknown } = settings;
  const numbers = new Map(vocabulary.map((token, number) => [token, number]));
  const idOf = (token) => numbers.get(token) ?? unknown;
  const tokenizer = () => {
    if (tokenize) return tokenize;
    throw new TypeError('this model reads the tokens of a HuggingFace tokenizer: give tokenize, a function that splits texts the same way');
  };
  let words;
  const split = (chunk) => splitWords(chunk, (words ??= segmenter()));
  const own = () => {
    if (tokenize) return tokenize;
    const { tokenizer: name } = settings;
    if (name === 'basic_english') return basicEnglish;
    if (name === 'characters') return (text) => Array.from(text);
    return name === 'unicode_words' ? (text) => unicodeWords(text, split) : tokenizer();
  };

  function classifier() {
    const tokens = settings.network ? own() : undefined;
    const features = settings.linear ? ngramReader(settings.linear) : undefined;
    return (texts) => {
      const inputs = {};
      if (tokens) {
        const rows = texts.map((text) => shaped(tokens(text.replace(MARKS, '')), settings).map(idOf));
        Object.assign(inputs, rowsOf(rows.map((row) => (row.length > 0 ? row : [unknown]))));
      }
      if (features) {
        const found = texts.map(features);
        inputs.feature_indices = padded(found.map(({ indices }) => indices), 'int64');
        inputs.feature_values = padded(found.map(({ values }) => values), 'float32');
      }
      return inputs;
    };
  }

  const wordOf = (token) => {
    if (token.length > 512 || /\p{Surrogate}/u.test(token)) return unknown;
    const word = settings.lowercase ? token.toLowerCase() : token;
    return word === PADDING ? unknown : idOf(word);
  };
  /** The tokens of a text or a list of tokens, for a tagger. */
  const sentence = (text) => {
    if (typeof text !== 'string') return text;
    if (settings.tokenizer === 'characters') return Array.from(text).filter((token) => !/^\s$/u.test(token));
    return text.split(/\s+/u).filter((chunk) => chunk !== '').flatMap(split);
  };

  const tagger = () => (texts) => {
    const sentences = texts.map(sentence);
    const { maxLength, characters } = settings;
    const long = sentences.find(({ length }) => length > maxLength);
    if (long) throw new RangeError('a sentence has ' + long.length + ' tokens, but the model reads ' + maxLength + ' at once: cut it');
    const inputs = rowsOf(sentences.map((tokens) => (tokens.length > 0 ? tokens.map(wordOf) : [unknown])));
    if (characters) {
      const found = sentences.map((tokens) => (tokens.length > 0 ? tokens : ['']).map((token) => characterFeatures(token, characters)));
      const time = inputs.ids.dims[1];
      const flat = found.flatMap((row) => Array.from({ length: time }, (_, at) => row[at] ?? []));
      const { data, dims } = padded(flat, 'int64', -1);
      inputs.features = { type: 'int64', data, dims: [found.length, time, dims[1]] };
    }
    return inputs;
  };

  /** The numbers of a text's units. */
  const encode = (text) => {
    if (settings.units === 'bytes') return Array.from(new TextEncoder().encode(text), (byte) => byte + 2);
    if (settings.units === 'pieces') return Array.from(tokenizer()(text), (unit) => (unit < vocabulary.length ? unit : unknown));
    const units = settings.units === 'characters' ? text : text.match(/ ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+/gu) ?? [];
    return Array.from(units, idOf);
  };
  /** The text of some numbers; pieces need their own tokenizer for that. */
  const decode = (units) => {
    const kept = Array.from(units, Number).filter((unit) => unit !== unknown && unit !== settings.end);
    if (settings.units === 'bytes') return new TextDecoder().decode(Uint8Array.from(kept, (unit) => unit - 2));
    return kept.map((unit) => vocabulary[unit]).join('');
  };
  /** The initial states of a language model. */
  const states = (batch) => {
    const { layers, hidden } = settings;
    const zeros = () => ({ type: 'float32', data: new Float32Array(layers * batch * hidden), dims: [layers, batch, hidden] });
    return Object.fromEntries(settings.states.map((name) => [name, zeros()]));
  };
  const language = () => (texts) => ({ ...rowsOf(texts.map((text) => [settings.end, ...encode(text)])), ...states(texts.length) });

  const inputsOf = { classifier, tagger, language }[kind]();
  const tensors = (inputs) =>
    Tensor
      ? Object.fromEntries(Object.entries(inputs).map(([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)]))
      : inputs;
  const featurize = (texts) => {
    if (!Array.isArray(texts) || texts.length === 0) throw new TypeError('expected an array of at least one text');
    return tensors(inputsOf(texts));
  };
  const more = kind === 'language' ? { encode, decode, states: (batch) => tensors(states(batch)) } : {};
  return Object.assign(featurize, { settings, labels: settings.labels, vocabulary, sentence, ...more });
}
`;

/** The file `featurize.mjs`. */
export const FEATURIZE_JAVASCRIPT = `${HEADER}${FEATURIZER}`;
