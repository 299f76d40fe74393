import { checkFlag, checkFunction } from '../../core/checks.js';
import { checkOptionNames, constraint, DataError, invalidArgument } from '../../core/errors.js';
import { Int32List } from '../../core/growable.js';
import { Turns } from '../../core/turns.js';
import { compareCodePoints } from '../../text/codePointOrder.js';
import {
  type BatchTokenizer,
  getTokenizer,
  isBatchTokenizer,
  type Tokenizer,
  type TokenizerLike,
} from '../../text/tokenizer.js';
import type { Vocab } from '../../text/vocab.js';
import { checkVocabOptions, VOCAB_OPTION_NAMES, VocabBuilder, type VocabOptions } from '../../text/vocabBuilder.js';
import type { Row, Rows } from '../readers/rows.js';
import { EncodedDataset } from './encoded.js';
import { splitAhead } from './splitAhead.js';

/** How far encoding has come. */
export interface EncodeProgress {
  /** Texts read so far. */
  rows: number;
  /** Tokens they have. */
  tokens: number;
}

/** Options that {@link encodeDataset} and {@link collect} share. */
export interface EncodeOptions {
  /**
   * Splits the texts: a name, a function, or a {@link BatchTokenizer}, which works away from the event loop. Default
   * `'basic_english'`.
   */
  tokenizer?: TokenizerLike | undefined;
  /**
   * Names of the classes; a row with another label is an error. Default: the labels that the rows have, in order of
   * code points.
   */
  classes?: readonly string[] | undefined;
  /**
   * Whether a row may have any number of classes, none included; the data set then has `labelOffsets`. Default false: the
   * classes are exclusive, and a row with several is an error.
   */
  multiLabel?: boolean | undefined;
  /** Ends the work with an error of code `ABORTED`. */
  signal?: AbortSignal | undefined;
  /** Called every few milliseconds and at the end. */
  onProgress?: ((progress: EncodeProgress) => void) | undefined;
}

/** Options of {@link encodeDataset}. */
export interface EncodeDatasetOptions extends EncodeOptions {
  /** The vocabulary that gives the indices. */
  vocab: Vocab;
  /** Rows of the same source that were encoded before, so that messages count from its beginning. Default 0. */
  rowsBefore?: number | undefined;
}

/** Options of {@link collect}: also those of the vocabulary that it builds. */
export interface CollectOptions extends EncodeOptions, VocabOptions {}

/** What {@link collect} returns. */
export interface Collected {
  /** The texts, encoded by `vocab`. */
  dataset: EncodedDataset;
  /** The vocabulary built from them. */
  vocab: Vocab;
  /** Number of texts that had no token and were given one `<unk>`. */
  emptyTexts: number;
}

/**
 * Encodes texts with a vocabulary that is there already. Gives way to the event loop every few milliseconds, so that
 * timers and requests of the same process are not held up; only a single text is split at one go (about 20 ms a million
 * characters). A text without tokens becomes one unknown token.
 *
 * @param rows - Texts with labels.
 * @param options - See {@link EncodeDatasetOptions}.
 * @throws {@link ArgumentError} for options that do not fit; {@link DataError} with code `UNKNOWN_LABEL` for a label that is
 * not among the `classes`, `INVALID_ROW` for a row without text or label, or with several labels though the classes are
 * exclusive, and whatever `rows` throws.
 */
export async function encodeDataset(rows: Rows, options: EncodeDatasetOptions): Promise<EncodedDataset> {
  checkOptionNames('encodeDataset', options, ['vocab', 'rowsBefore', ...ENCODE_OPTION_NAMES]);
  const { vocab } = options;
  if (typeof vocab?.encode !== 'function') throw invalidArgument('vocab', 'a Vocab', vocab);
  const encoder = new Encoder(rows, options, options.rowsBefore);
  const indices = vocab.stoi;
  const unknown = vocab.defaultIndex;
  await encoder.read((token) => indices.get(token) ?? unknown ?? vocab.get(token), unknown);
  return encoder.finish();
}

/**
 * Reads texts once and returns them encoded together with the vocabulary built from them: each text is split only once,
 * and between counting and encoding it is kept as numbers. Gives way to the event loop as {@link encodeDataset} does.
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
  const builder = new VocabBuilder();
  // While the indices are not known yet, number 0 is the place of the unknown token and token n has number n + 1.
  await encoder.read((token) => builder.intern(token) + 1, unkToken === null ? undefined : 0);
  const { vocab, indices } = await encoder.turns.run(builder.buildInSteps(options));
  const map = new Int32Array(indices.length + 1);
  const unknown = vocab.defaultIndex;
  if (unknown === undefined && indices.includes(-1)) {
    throw constraint(
      'specials',
      'minFreq or maxTokens leave out tokens that the texts have, and the vocabulary has no token for unknown ones: add it to specials',
    );
  }
  map[0] = unknown ?? 0;
  for (let i = 0; i < indices.length; i++) map[i + 1] = indices[i]! < 0 ? unknown! : indices[i]!;
  return { dataset: await encoder.finish(map), vocab, emptyTexts: encoder.emptyTexts };
}

const ENCODE_OPTION_NAMES = ['tokenizer', 'classes', 'multiLabel', 'signal', 'onProgress'] as const;

/** Reads rows into flat lists. */
class Encoder {
  readonly turns: Turns;
  emptyTexts = 0;
  readonly #rows: Rows;
  readonly #before: number;
  readonly #tokenizer: Tokenizer;
  /** The same, where it can split many texts away from the event loop. */
  readonly #batches: BatchTokenizer | undefined;
  readonly #given: readonly string[] | undefined;
  readonly #classes = new Map<string, number>();
  readonly #tokens = new Int32List();
  readonly #ends = new Int32List();
  readonly #labels = new Int32List();
  /** Where the labels of each row end; for a multi-label set alone. */
  readonly #labelEnds: Int32List | undefined;
  readonly #report: () => void;
  readonly #read: EncodeProgress = { rows: 0, tokens: 0 };

  constructor(rows: Rows, { tokenizer, classes, multiLabel = false, signal, onProgress }: EncodeOptions, before = 0) {
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
    this.#batches = isBatchTokenizer(tokenizer) ? tokenizer : undefined;
    this.#report = () => onProgress?.({ ...this.#read });
    this.turns = new Turns(signal, this.#report);
  }

  /** Reads all rows; `number` gives the number that stands for a token, `empty` stands for a text without tokens. */
  async read(number: (token: string) => number, empty: number | undefined): Promise<void> {
    const add = (row: Row, split?: string[]) => {
      const { text } = this.#check(row);
      const tokens = split ?? this.#tokenizer(text);
      if (!Array.isArray(tokens)) throw invalidArgument("the tokenizer's result", 'an array of strings', tokens);
      if (tokens.length === 0) {
        if (empty === undefined) {
          throw this.#error(row, 'INVALID_ROW', 'the text has no tokens, and the vocabulary no token for unknown ones');
        }
        this.emptyTexts++;
        this.#tokens.push(empty);
      }
      for (let i = 0; i < tokens.length; i++) this.#tokens.push(number(tokens[i]!));
      if (this.#tokens.length > 2 ** 32 - 1) {
        throw this.#error(row, 'OUT_OF_RANGE', 'the texts have more than 4,294,967,295 tokens in all');
      }
      this.#ends.push(this.#tokens.length | 0);
      this.#addLabels(row);
      this.#read.rows++;
      this.#read.tokens = this.#tokens.length;
    };
    if (this.#batches) {
      for await (const [row, tokens] of splitAhead<Row>(this.#rows, this.#batches)) {
        add(row, tokens);
        if (this.turns.due) await this.turns.next();
      }
    } else if (Symbol.asyncIterator in this.#rows) {
      for await (const row of this.#rows) {
        add(row);
        if (this.turns.due) await this.turns.next();
      }
    } else {
      for (const row of this.#rows) {
        add(row);
        if (this.turns.due) await this.turns.next();
      }
    }
  }

  /** The data set of what was read; `map` is applied to the numbers. */
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
    // The names' order is not that in which they were met, by which the labels of a row were put in order.
    if (labelMap && labelOffsets) await this.turns.run(sortEach(labels, labelOffsets));
    this.#report();
    return new EncodedDataset({ tokens, offsets, labels, labelOffsets, classes });
  }

  #check(row: Row): Row {
    const label = row?.label;
    const named =
      typeof label === 'string' || (Array.isArray(label) && label.every((name) => typeof name === 'string'));
    if (typeof row?.text !== 'string' || !named) {
      const found = row === null || typeof row !== 'object' ? String(row) : JSON.stringify(Object.keys(row));
      const expected = this.#labelEnds ? 'a string and a string or an array of strings' : 'two strings';
      throw this.#error(row, 'INVALID_ROW', `expected { text, label } with ${expected} but found ${found}`);
    }
    return row;
  }

  #addLabels({ label, line }: Row): void {
    if (!this.#labelEnds) {
      if (typeof label !== 'string' && label.length !== 1) {
        const some = label.slice(0, 5).map(quoted).join(', ');
        const found =
          label.length === 0 ? 'no label' : `${label.length} labels (${some}${label.length > 5 ? ', ...' : ''})`;
        const message = `the row has ${found}, but classes are exclusive: for any number of labels a row give multiLabel: true`;
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
      if (this.#given) {
        const known = this.#given.slice(0, 20).map(quoted);
        const more = this.#given.length > 20 ? `, and ${this.#given.length - 20} more` : '';
        const message = `unknown label ${JSON.stringify(label)}; the known ones are ${known.join(', ')}${more}`;
        throw this.#error({ line }, 'UNKNOWN_LABEL', message);
      }
      index = this.#classes.size;
      this.#classes.set(Buffer.from(label, 'utf16le').toString('utf16le'), index);
    }
    return index;
  }

  #error(row: { line?: number | undefined } | null, code: DataError['code'], message: string): DataError {
    const line = row?.line;
    const where = line === undefined ? `row ${this.#before + this.#read.rows + 1}: ` : '';
    return new DataError(code, where + message, { file: this.#rows.file, line });
  }
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

/** Ends of rows as offsets: with the first row's beginning, 0, before them. */
function withZero(ends: Int32Array<ArrayBuffer>): Uint32Array {
  const offsets = new Uint32Array(ends.length + 1);
  offsets.set(new Uint32Array(ends.buffer), 1);
  return offsets;
}

/** Sorts the labels of each row; pauses now and then. */
function* sortEach(labels: Int32Array, offsets: Uint32Array): Generator<void, void, undefined> {
  for (let i = 0; i + 1 < offsets.length; i++) {
    if (offsets[i + 1]! - offsets[i]! > 1) labels.subarray(offsets[i], offsets[i + 1]).sort();
    if (i % 4096 === 4095) yield;
  }
}
