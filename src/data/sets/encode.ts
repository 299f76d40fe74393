import { checkFlag, checkFunction } from '../../core/checks.js';
import { constraint, DataError, invalidArgument } from '../../core/errors.js';
import { Int32List } from '../../core/growable.js';
import { listed } from '../../core/listed.js';
import { checkOptionNames } from '../../core/options/names.js';
import { Turns } from '../../core/turns.js';
import { compareCodePoints } from '../../text/codePointOrder.js';
import { TextCounter } from '../../text/counting.js';
import { nativeEncoder } from '../../text/encoder.js';
import { isAddonTokenizer, TextReader } from '../../text/reader.js';
import {
  type BatchTokenizer,
  getTokenizer,
  isBatchTokenizer,
  type Tokenizer,
  type TokenizerLike,
  tokenizeTogether,
} from '../../text/tokenizer.js';
import type { Vocab } from '../../text/vocab.js';
import {
  type BuiltVocab,
  checkVocabOptions,
  VOCAB_OPTION_NAMES,
  VocabBuilder,
  type VocabOptions,
} from '../../text/vocabBuilder.js';
import { type GivenRow, positionOf, type Row, type Rows } from '../readers/rows.js';
import { EncodedDataset } from './encoded.js';
import { foundIn, labelled } from './labels.js';
import { readAhead } from './readAhead.js';

/** Progress of encoding. */
export interface EncodeProgress {
  /** Texts read so far. */
  rows: number;
  /** Tokens read so far. */
  tokens: number;
}

/** Options of both {@link encodeDataset} and {@link collect}. */
export interface EncodeOptions {
  /**
   * Splits the texts: a name, a function, or a {@link BatchTokenizer}. `'basic_english'`, `'characters'` and a batch
   * tokenizer run off the event loop. Default `'basic_english'`.
   */
  tokenizer?: TokenizerLike | undefined;
  /**
   * Names of the classes; a row with another label is an error. Default: the labels of the rows, in code point order.
   */
  classes?: readonly string[] | undefined;
  /**
   * Whether a row may have any number of labels, including none; the data set then has `labelOffsets`. Default false: a
   * row with several labels is an error.
   */
  multiLabel?: boolean | undefined;
  /** Stops the work with an error of code `ABORTED`. */
  signal?: AbortSignal | undefined;
  /** Called every few milliseconds and at the end. */
  onProgress?: ((progress: EncodeProgress) => void) | undefined;
}

/** Options of {@link encodeDataset}. */
export interface EncodeDatasetOptions extends EncodeOptions {
  /** The vocabulary that maps tokens to indices. */
  vocab: Vocab;
  /** Number of rows of the same source that were encoded before, so that messages count from its start. Default 0. */
  rowsBefore?: number | undefined;
}

/** Options of {@link collect}, including those of the vocabulary that it builds. */
export interface CollectOptions extends EncodeOptions, VocabOptions {}

/** What {@link collect} returns. */
export interface Collected {
  /** The texts, encoded by `vocab`. */
  dataset: EncodedDataset;
  /** The vocabulary built from them. */
  vocab: Vocab;
  /** Number of texts without a token, which were encoded as one `<unk>`. */
  emptyTexts: number;
}

/**
 * Encodes texts with an existing vocabulary. Yields to the event loop every few milliseconds, so that timers and
 * requests of the same process are not delayed. A text without tokens becomes one unknown token.
 *
 * `'basic_english'`, `'characters'` and {@link BatchTokenizer}s split texts off the event loop; other tokenizers split
 * one text at a time on it.
 *
 * @param rows - Texts with labels.
 * @param options - See {@link EncodeDatasetOptions}.
 * @throws {@link ArgumentError} for invalid options; {@link DataError} with code `UNKNOWN_LABEL` for a label that is
 * not in `classes`, `INVALID_ROW` for a row without text or label, or with several labels without `multiLabel`, and any
 * error that `rows` throws.
 */
export async function encodeDataset(rows: Rows, options: EncodeDatasetOptions): Promise<EncodedDataset> {
  checkOptionNames('encodeDataset', options, ['vocab', 'rowsBefore', ...ENCODE_OPTION_NAMES]);
  const { vocab } = options;
  if (typeof vocab?.encode !== 'function') throw invalidArgument('vocab', 'a Vocab', vocab);
  const encoder = new Encoder(rows, options, options.rowsBefore);
  const unknown = vocab.defaultIndex;
  if (encoder.reader && unknown !== undefined) {
    const { native } = await nativeEncoder(encoder.reader, vocab);
    await encoder.readMany(unknown, async (texts) => {
      const { ids, counts } = await native.encode(texts);
      return { numbers: ids, tokens: counts.filter((_, i) => i % 2 === 0) };
    });
  } else {
    const indices = vocab.stoi;
    await encoder.read(unknown, (token) => indices.get(token) ?? unknown ?? vocab.get(token));
  }
  return encoder.finish();
}

/**
 * Reads texts once and returns them encoded, with the vocabulary built from them. Each text is split only once; between
 * counting and encoding it is kept as numbers. Yields to the event loop as {@link encodeDataset} does.
 *
 * @param rows - Texts with labels.
 * @param options - See {@link CollectOptions}.
 * @throws the same errors as {@link encodeDataset}.
 *
 * @example
 * ```ts
 * const { dataset, vocab } = await collect(readCsv('tickets.csv', { text: 'body', label: 'queue' }), { minFreq: 2 });
 * ```
 */
export async function collect(rows: Rows, options: CollectOptions = {}): Promise<Collected> {
  checkOptionNames('collect', options, [...ENCODE_OPTION_NAMES, ...VOCAB_OPTION_NAMES]);
  const { unkToken } = checkVocabOptions(options);
  const encoder = new Encoder(rows, options);
  // Until the indices are known, number 0 stands for the unknown token and token n has number n + 1.
  const empty = unkToken === null ? undefined : 0;
  const { vocab, indices } = await (encoder.reader
    ? countNative(encoder, encoder.reader, empty, options)
    : count(encoder, empty, options));
  const map = new Int32Array(indices.length + 1);
  const unknown = vocab.defaultIndex;
  if (unknown === undefined && indices.includes(-1)) {
    throw constraint(
      'specials',
      'minFreq or maxTokens exclude tokens of the texts, but the vocabulary has no token for unknown ones: add one to specials',
    );
  }
  map[0] = unknown ?? 0;
  for (let i = 0; i < indices.length; i++) map[i + 1] = indices[i]! < 0 ? unknown! : indices[i]!;
  return { dataset: await encoder.finish(map), vocab, emptyTexts: encoder.emptyTexts };
}

/** Reads all rows; the addon counts their tokens. */
async function countNative(
  encoder: Encoder,
  reader: TextReader,
  empty: number | undefined,
  options: VocabOptions,
): Promise<BuiltVocab> {
  const counter = new TextCounter(reader);
  try {
    await encoder.readMany(empty, (texts) => counter.read(texts));
    return await counter.build(options);
  } finally {
    counter.close();
  }
}

/** Reads all rows; their tokens are counted in JavaScript. */
async function count(encoder: Encoder, empty: number | undefined, options: VocabOptions): Promise<BuiltVocab> {
  const builder = new VocabBuilder();
  await encoder.read(empty, (token) => builder.intern(token) + 1);
  return encoder.turns.run(builder.buildInSteps(options));
}

const EMPTY_LABEL =
  'the label is empty: give the row a label or remove it; with multiLabel: true, a row without labels has label: []';

const ENCODE_OPTION_NAMES = ['tokenizer', 'classes', 'multiLabel', 'signal', 'onProgress'] as const;

/** The token numbers of texts, concatenated, at least one per text, and the number of tokens of each text. */
interface NumberedTexts {
  numbers: Int32Array;
  tokens: Uint32Array;
}

/** Limits of one call to the addon: a few milliseconds of work. One call waits while another runs. */
const FOR_ADDON = { texts: 1_024, characters: 262_144, calls: 2 };
/** The same for a batch tokenizer, whose calls may run in parallel. */
const FOR_TOKENIZER = { texts: 256, characters: 65_536, calls: 4 };

/** Maximum tokens of all texts together: offsets have 32 bits. */
const MOST_TOKENS = 2 ** 32 - 1;

/** Reads rows into flat lists. */
class Encoder {
  readonly turns: Turns;
  /** The addon's reader, if it reads the texts. */
  readonly reader: TextReader | undefined;
  emptyTexts = 0;
  readonly #rows: Rows;
  readonly #before: number;
  readonly #tokenizer: Tokenizer;
  /** The tokenizer, if it can split many texts off the event loop. */
  readonly #batches: BatchTokenizer | undefined;
  readonly #given: readonly string[] | undefined;
  readonly #classes = new Map<string, number>();
  readonly #tokens = new Int32List();
  readonly #ends = new Int32List();
  readonly #labels = new Int32List();
  /** Where the labels of each row end; only for a multi-label set. */
  readonly #labelEnds: Int32List | undefined;
  readonly #report: () => void;
  readonly #read: EncodeProgress = { rows: 0, tokens: 0 };

  constructor(
    rows: Rows,
    { tokenizer = 'basic_english', classes, multiLabel = false, signal, onProgress }: EncodeOptions,
    before = 0,
  ) {
    const source = rows as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
    if (typeof rows === 'string' || !(source?.[Symbol.iterator] || source?.[Symbol.asyncIterator])) {
      throw invalidArgument('rows', 'an iterable or async iterable of { text, label }', rows);
    }
    if (onProgress !== undefined) checkFunction('onProgress', onProgress);
    checkFlag('multiLabel', multiLabel);
    if (classes !== undefined) {
      if (!Array.isArray(classes) || classes.length === 0 || classes.some((name) => typeof name !== 'string')) {
        throw invalidArgument('classes', 'a non-empty array of names', classes);
      }
      for (const name of classes) this.#classes.set(name, this.#classes.size);
      if (this.#classes.size < classes.length) throw invalidArgument('classes', 'different names', classes.join(', '));
    }
    this.#rows = rows;
    this.#before = before;
    this.#given = classes;
    this.#labelEnds = multiLabel ? new Int32List() : undefined;
    this.#tokenizer = getTokenizer(tokenizer);
    if (tokenizer instanceof TextReader) this.reader = tokenizer;
    else if (isAddonTokenizer(tokenizer)) this.reader = TextReader.plain(tokenizer);
    const batches = this.reader ?? tokenizer;
    this.#batches = isBatchTokenizer(batches) ? batches : undefined;
    this.#report = () => onProgress?.({ ...this.#read });
    this.turns = new Turns(signal, this.#report);
  }

  /**
   * Reads all rows and numbers their texts in batches.
   *
   * @param empty - The number for a text without tokens; undefined if such a text is an error.
   */
  async readMany(empty: number | undefined, number: (texts: string[]) => Promise<NumberedTexts>): Promise<void> {
    const receive = async (rows: GivenRow[], { numbers, tokens }: NumberedTexts) => {
      let end = this.#tokens.length;
      this.#tokens.pushAll(numbers);
      for (let i = 0; i < rows.length; i++) {
        const row = this.#check(rows[i]!);
        end += tokens[i]! || 1;
        this.#add(row, tokens[i]!, empty, end);
        if (this.turns.due) await this.turns.next();
      }
    };
    await readAhead(this.#rows, { ...FOR_ADDON, send: number, receive, refuse: (row) => this.#check(row) }, this.turns);
  }

  /** Reads all rows and numbers their tokens one by one; `empty` as in {@link readMany}. */
  async read(empty: number | undefined, number: (token: string) => number): Promise<void> {
    const add = (row: Row, tokens: string[]) => {
      if (!Array.isArray(tokens)) throw invalidArgument("the tokenizer's result", 'an array of strings', tokens);
      for (let i = 0; i < tokens.length; i++) this.#tokens.push(number(tokens[i]!));
      if (tokens.length === 0) this.#tokens.push(empty ?? 0);
      this.#add(row, tokens.length, empty, this.#tokens.length);
    };
    const batches = this.#batches;
    if (batches) {
      const receive = async (rows: GivenRow[], lists: string[][]) => {
        for (let i = 0; i < rows.length; i++) {
          add(this.#check(rows[i]!), lists[i]!);
          if (this.turns.due) await this.turns.next();
        }
      };
      const send = (texts: string[]) => tokenizeTogether(batches, texts);
      await readAhead(this.#rows, { ...FOR_TOKENIZER, send, receive, refuse: (row) => this.#check(row) }, this.turns);
    } else if (Symbol.asyncIterator in this.#rows) {
      for await (const given of this.#rows) {
        const row = this.#check(given);
        add(row, this.#tokenizer(row.text));
        if (this.turns.due) await this.turns.next();
      }
    } else {
      for (const given of this.#rows) {
        const row = this.#check(given);
        add(row, this.#tokenizer(row.text));
        if (this.turns.due) await this.turns.next();
      }
    }
  }

  /** Adds a row whose numbers end at `end` and which has `tokens` tokens. */
  #add(row: Row, tokens: number, empty: number | undefined, end: number): void {
    if (tokens === 0) {
      if (empty === undefined) {
        throw this.#error(
          row,
          'INVALID_ROW',
          'the text has no tokens, and the vocabulary has no token for unknown ones',
        );
      }
      this.emptyTexts++;
    }
    if (end > MOST_TOKENS) {
      throw this.#error(row, 'OUT_OF_RANGE', 'the texts have more than 4,294,967,295 tokens in all');
    }
    this.#ends.push(end | 0);
    this.#addLabels(row);
    this.#read.rows++;
    this.#read.tokens = end;
  }

  /** The data set of all rows read; `map` is applied to the numbers. */
  async finish(map?: Int32Array): Promise<EncodedDataset> {
    const tokens = await this.turns.run(this.#tokens.finish(map));
    const offsets = withZero(await this.turns.run(this.#ends.finish()));
    const labelOffsets = this.#labelEnds && withZero(await this.turns.run(this.#labelEnds.finish()));
    let classes = this.#given;
    let labelMap: Int32Array | undefined;
    if (!classes) {
      classes = [...this.#classes.keys()].sort(compareCodePoints);
      labelMap = new Int32Array(classes.length);
      for (const [index, name] of classes.entries()) labelMap[this.#classes.get(name)!] = index;
    }
    const labels = await this.turns.run(this.#labels.finish(labelMap));
    // Rows' labels were sorted by order of first appearance, which is not the order of the names.
    if (labelMap && labelOffsets) await this.turns.run(sortEach(labels, labelOffsets));
    this.#report();
    return new EncodedDataset({ tokens, offsets, labels, labelOffsets, classes });
  }

  #check(row: GivenRow): Row {
    const checked = labelled(row);
    if (checked) return checked;
    const expected = this.#labelEnds
      ? 'a string and a label (text, a number or a boolean) or an array of labels'
      : 'a string and a label: text, a number or a boolean,';
    throw this.#error(row, 'INVALID_ROW', `expected { text, label } with ${expected} but found ${foundIn(row)}`);
  }

  #addLabels({ label, line }: Row): void {
    if (!this.#labelEnds) {
      if (typeof label !== 'string' && label.length !== 1) {
        const some = label.slice(0, 5).map(quoted).join(', ');
        const found =
          label.length === 0 ? 'no label' : `${label.length} labels (${some}${label.length > 5 ? ', ...' : ''})`;
        const message = `the row has ${found}, but each row must have one label: for any number of labels per row, give multiLabel: true`;
        throw this.#error({ line }, 'INVALID_ROW', message);
      }
      this.#labels.push(this.#classOf(typeof label === 'string' ? label : label[0]!, line));
      return;
    }
    const names = typeof label === 'string' ? [label] : label;
    const ids = names.map((name) => this.#classOf(name, line)).sort((a, b) => a - b);
    for (let i = 0; i < ids.length; i++) if (i === 0 || ids[i] !== ids[i - 1]) this.#labels.push(ids[i]!);
    this.#labelEnds.push(this.#labels.length);
  }

  #classOf(label: string, line: number | undefined): number {
    let index = this.#classes.get(label);
    if (index === undefined) {
      if (label === '') throw this.#error({ line }, 'INVALID_ROW', EMPTY_LABEL);
      if (this.#given) {
        const known = this.#given.map(quoted);
        const message = `unknown label ${JSON.stringify(label)}; the known ones are ${listed(known)}`;
        throw this.#error({ line }, 'UNKNOWN_LABEL', message);
      }
      index = this.#classes.size;
      this.#classes.set(Buffer.from(label, 'utf16le').toString('utf16le'), index);
    }
    return index;
  }

  #error(row: { line?: number | undefined } | null, code: DataError['code'], message: string): DataError {
    const line = row?.line;
    const number = this.#before + this.#read.rows + 1;
    const where = line === undefined ? `row ${number}: ` : '';
    return new DataError(code, where + message, positionOf(this.#rows, number, line));
  }
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

/** Turns the ends of rows into offsets: with a leading 0. */
function withZero(ends: Int32Array<ArrayBuffer>): Uint32Array {
  const offsets = new Uint32Array(ends.length + 1);
  offsets.set(new Uint32Array(ends.buffer), 1);
  return offsets;
}

/** Sorts the labels of each row; pauses often. */
function* sortEach(labels: Int32Array, offsets: Uint32Array): Generator<void, void, undefined> {
  for (let i = 0; i + 1 < offsets.length; i++) {
    if (offsets[i + 1]! - offsets[i]! > 1) labels.subarray(offsets[i], offsets[i + 1]).sort();
    if (i % 4096 === 4095) yield;
  }
}
