import { existsSync } from 'node:fs';
import type { NamedArray } from '../../../index.d.js';
import { isSource } from '../../core/checks.js';
import { DataError, invalidArgument, ModelFileError } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { checkSignal, throwIfAborted } from '../../core/signals.js';
import { Turns } from '../../core/turns.js';
import { readTexts } from '../../data/readers/readRows.js';
import { readWholeText } from '../../data/readers/wholeText.js';
import type { WritingEngine } from '../../engine/writing.js';
import { HuggingFaceTokenizer } from '../../text/huggingFace.js';
import { NamedUnits, pieces, readUnits, type Units } from '../../text/units/index.js';
import type { TrainingRun } from '../../training/run.js';
import { startTraining } from '../../training/start.js';
import type { CompressOptions } from '../compression/options.js';
import { type ModelSource, sourceName } from '../file.js';
import { type LoadOptions, loadModel } from '../load.js';
import { Model } from '../model.js';
import { charactersOf, checkCharacters, partsOf } from './data.js';
import { languageFile } from './description.js';
import { embedTexts } from './embed.js';
import { generateText } from './generate.js';
import { logProbabilitiesOf, measured, resultOf } from './measure.js';
import { type LanguageNetworkSettings, languageHead } from './network.js';
import { type LanguageOptions, type LanguageStart, type LanguageTexts, MEMORY_UNITS } from './options.js';
import { type GeneratedText, type GenerateOptions, generateSettings } from './sampling.js';
import { type LanguageParts, languageMetadata, languageTask } from './task.js';
import type { LanguageResult } from './validation.js';

/** Options of {@link LanguageModel.score} and {@link LanguageModel.evaluate}. */
export interface ScoreOptions {
  /** Stops the call, which rejects with `ABORTED`. */
  signal?: AbortSignal;
}

/** A language model's score of a text. */
export interface TextScore extends LanguageResult {
  /** The text's units; joined they are the text, except for bytes and pieces of a tokenizer. */
  units: readonly string[];
  /** The natural logarithm of the probability of each unit, given those before it. */
  logProbabilities: Float64Array;
}

/** Code units of a text that a message shows. */
const SHOWN = 60;

/** Names of files that are one text. */
const TEXT_FILE = /\.txt(\.(gz|gzip|zst|zstd))?$/i;

/** Texts of a file: a `.txt` file is one text, other files have one per line or row. */
function textsOf(texts: LanguageTexts | string): LanguageTexts {
  if (typeof texts === 'string') {
    if (texts === '') throw invalidArgument('texts', 'texts, or the path of a file', texts);
    if (texts !== '-' && !existsSync(texts)) {
      const shown = texts.length > SHOWN ? `${texts.slice(0, SHOWN)}…` : texts;
      throw new DataError(
        'FILE_NOT_FOUND',
        `there is no file ${JSON.stringify(shown)}; a string is the path of a file, and texts themselves are given as an array: [text]`,
      );
    }
    return TEXT_FILE.test(texts) ? readWholeText(texts) : readTexts(texts);
  }
  if (!isSource(texts)) throw invalidArgument('texts', 'texts, or the path of a file', texts);
  return texts;
}

/**
 * A language model: an embedding, recurrent layers, and a linear layer that scores the next unit of a text. Its units are characters,
 * bytes, words, or pieces of words.
 *
 * @example
 * ```ts
 * const model = await LanguageModel.train('shakespeare.txt', { validation: 0.1 });
 * for await (const piece of model.generate('ROMEO:', { temperature: 0.8, maxNewTokens: 500 })) process.stdout.write(piece);
 * ```
 */
export class LanguageModel extends Model<LanguageNetworkSettings, LanguageResult> {
  static readonly #task = languageTask((parts) => new LanguageModel(parts));
  readonly #engine: WritingEngine;
  readonly #state: () => Promise<NamedArray[]>;
  readonly #units: Units;

  private constructor(parts: LanguageParts) {
    super(parts);
    this.#state = () => parts.engine.state();
    this.#engine = parts.engine.writing!;
    this.#units = parts.units;
  }

  /** What the model reads and writes: `'characters'`, `'bytes'`, `'words'`, or `'pieces'` of a tokenizer. */
  get units(): 'characters' | 'bytes' | 'words' | 'pieces' {
    return this.#units.name ?? 'pieces';
  }

  /**
   * The tokenizer that gives the units: `'characters'`, or that of pieces; undefined for bytes and words, which have no
   * tokenizer.
   */
  get tokenizer(): 'characters' | HuggingFaceTokenizer | undefined {
    return this.units === 'characters' ? 'characters' : this.#units.tokenizer;
  }

  /**
   * A copy of the vectors of the units, `embedding.weight` `[units, embeddingDim]`, and of the recurrent layers, under
   * PyTorch's names: the initial weights of a model with this `encoder`.
   *
   * @throws {@link RecurraError} `DISPOSED` after the model was closed.
   *
   * @example
   * ```ts
   * const [{ name, shape }] = await languageModel.encoderState(); // 'embedding.weight', [65, 64]
   * ```
   */
  async encoderState(): Promise<NamedArray[]> {
    this.checkOpen();
    const state = await this.during(this.#state());
    return state.filter(({ name }) => name === 'embedding.weight' || name.startsWith('rnn.'));
  }

  /**
   * Trains a language model by truncated backpropagation through time, with the states carried from step to step and between batches, as
   * PyTorch's example of a word language model does. Reading and training do not block the event loop.
   *
   * @param texts - Texts, parts of texts, or the path of a file: a `.txt` file is one text, in others each line or row
   * is one. A share of `validation` is taken from the end of the texts.
   * @param options - See {@link LanguageOptions}.
   * @returns the model; with validation, the weights of its best epoch.
   * @throws {@link ArgumentError} for an invalid option.
   * @throws {@link DataError} `EMPTY_DATASET` for texts that are empty or shorter than a window; what readers throw.
   * @throws {@link TrainingError} `ABORTED`, `NON_FINITE_LOSS` or `IO`; its `model` has the weights learned so far.
   *
   * @example
   * ```ts
   * const model = await LanguageModel.train(['one text', 'another'], { units: 'words', window: 2, epochs: 10 });
   * ```
   */
  static async train(texts: LanguageTexts | string, options: LanguageOptions = {}): Promise<LanguageModel> {
    return LanguageModel.start(texts, options).result;
  }

  /**
   * Starts a training, as {@link train}, and returns at once with a run to watch and control it.
   *
   * @example
   * ```ts
   * const run = LanguageModel.start('shakespeare.txt', { validation: 0.1 });
   * for await (const event of run) if (event.type === 'validation') console.log(event.validation.perplexity);
   * const model = await run.result;
   * ```
   */
  static start(
    texts: LanguageTexts | string,
    options: LanguageOptions = {},
  ): TrainingRun<LanguageModel, LanguageResult, LanguageStart> {
    return startTraining(LanguageModel.#task, textsOf(texts), options);
  }

  /**
   * Loads a model that {@link save} wrote.
   *
   * @throws {@link ModelFileError} if the file is missing, unreadable, damaged, or not a language model.
   *
   * @example
   * ```ts
   * await using model = await LanguageModel.load('shakespeare.safetensors');
   * ```
   */
  static async load(
    path: string,
    options: Pick<LoadOptions, 'threads' | 'recurrentWeights'> = {},
  ): Promise<LanguageModel> {
    checkOptionNames('LanguageModel.load', options, ['threads', 'recurrentWeights']);
    return LanguageModel.#open(path, options);
  }

  static async #open(
    source: ModelSource,
    options: Pick<LoadOptions, 'threads' | 'recurrentWeights'>,
  ): Promise<LanguageModel> {
    const path = sourceName(source);
    const parts = await loadModel(
      'LanguageModel.load',
      source,
      options,
      languageFile,
      ({ outputs, settings }) => languageHead(outputs, settings),
      async () => ({}),
    );
    const { vocab, outputs, units: name, text, engine, settings, card, columns, compressed, recurrentWeights } = parts;
    const own = { engine, settings, vocab, card, columns, recurrentWeights, ...(compressed && { compressed }) };
    try {
      if (outputs !== vocab.length)
        throw new ModelFileError('INVALID_FILE', `${path}: it has ${outputs} outputs for ${vocab.length} units`);
      const { tokenizer } = text;
      if (name !== 'pieces') return new LanguageModel({ ...own, units: new NamedUnits(name, vocab) });
      if (!(tokenizer instanceof HuggingFaceTokenizer))
        throw new ModelFileError('INVALID_FILE', `${path}: its tokenizer, whose pieces are its units, is missing`);
      const units = await pieces(tokenizer, new Turns());
      if (units.vocab.length !== vocab.length)
        throw new ModelFileError('INVALID_FILE', `${path}: its tokenizer and its vocabulary differ in size`);
      return new LanguageModel({ ...own, units });
    } catch (error) {
      engine.close();
      throw error;
    }
  }

  /**
   * Returns a smaller copy of this model: fewer bits per unit vector, all other weights in 8 bits. It needs no rows,
   * and the same model gives the same bytes. The smaller model predicts and is saved like any other; it cannot be
   * trained further. This model is unchanged.
   *
   * @param options - See {@link CompressOptions}: `maxBytes` or `bits`.
   * @throws {@link ArgumentError} for an invalid option; `OUT_OF_RANGE` for a budget that cannot be met; the message
   * gives the minimum.
   * @throws {@link RecurraError} `INVALID_ARGUMENT` for a model that is already compressed, `ABORTED` if the signal is
   * aborted, `DISPOSED` after the model was closed.
   *
   * @example
   * ```ts
   * await using small = await model.compress({ maxBytes: 1_000_000 });
   * await small.save('small.safetensors');
   * ```
   */
  async compress(options: CompressOptions): Promise<LanguageModel> {
    const { version } = languageFile;
    const packed = await this.packed(options, { where: 'LanguageModel.compress', version, share: 1, prunes: false });
    return LanguageModel.#open(packed, {});
  }

  /** @internal */
  protected override metadata(): Record<string, string> {
    return languageMetadata(this.settings, this.#units);
  }

  /**
   * Continues a prompt, piece by piece; a piece never ends within a character. The prompt is not repeated. Units that
   * the model does not know are read as `<unk>`, and never written.
   *
   * At most one call of 32 units is computed ahead of the caller: a slow reader does not fill the memory, and leaving
   * the loop ends the text. All computation is off the event loop.
   *
   * @param prompt - The beginning of the text; may be empty.
   * @param options - See {@link GenerateOptions}.
   * @returns a generator of pieces, for `for await`. What it returns at its end says why the text ended; See
   * {@link GeneratedText}.
   * @throws {@link ArgumentError} at once, for an invalid option.
   * @throws {@link RecurraError} `ABORTED` if the signal is aborted, `DISPOSED` after the model was closed.
   *
   * @example
   * ```ts
   * for await (const piece of languageModel.generate('ROMEO:', { temperature: 0.7, topP: 0.95, stop: '\n\n', seed: 1 }))
   *   process.stdout.write(piece);
   * ```
   */
  generate(prompt = '', options: GenerateOptions = {}): AsyncGenerator<string, GeneratedText, undefined> {
    this.checkOpen();
    if (typeof prompt !== 'string') throw invalidArgument('prompt', 'a string', prompt);
    return generateText(this.#engine, this.#units, prompt, generateSettings(options));
  }

  /**
   * Scores a text, unit by unit. The first unit is predicted without context, as at the start of a text.
   *
   * @throws {@link ArgumentError} if `text` is not a string or is empty.
   * @throws {@link RecurraError} `ABORTED` if the signal is aborted, `DISPOSED` after the model was closed.
   *
   * @example
   * ```ts
   * const { perplexity, bitsPerCharacter } = await languageModel.score('To be, or not to be');
   * ```
   */
  async score(text: string, options: ScoreOptions = {}): Promise<TextScore> {
    this.checkOpen();
    if (typeof text !== 'string' || text === '') throw invalidArgument('text', 'a string that is not empty', text);
    const signal = scoreSignal('score', options);
    return this.during(this.#score(text, signal));
  }

  async #score(text: string, signal: AbortSignal | undefined): Promise<TextScore> {
    const units = this.#units;
    const numbers = await units.encode(text, new Turns(signal, undefined, SCORING));
    const logProbabilities = await this.#logProbabilities(Int32Array.of(units.end), numbers, signal);
    const names = units.vocab.decode(numbers);
    return { ...resultOf(logProbabilities, [...text].length), units: names, logProbabilities };
  }

  /** The log-probabilities of units after others. */
  #logProbabilities(before: Int32Array, numbers: Int32Array, signal?: AbortSignal): Promise<Float64Array> {
    const all = new Int32Array(before.length + numbers.length);
    all.set(before);
    all.set(numbers, before.length);
    return logProbabilitiesOf(this.#engine, all, () => throwIfAborted(signal, SCORING));
  }

  /**
   * Computes one vector for each text: the mean of the last layer's outputs over `<eos>`, which precedes each text, and
   * the text's units. Texts that the model reads alike get similar vectors. Runs off the event loop.
   *
   * @param texts - The texts; an empty one gets the vector of `<eos>`.
   * @returns for each text `[hiddenSize]` numbers.
   * @throws {@link ArgumentError} for a value that is not a text.
   * @throws {@link RecurraError} `ABORTED` if the signal is aborted, `DISPOSED` after the model was closed.
   *
   * @example
   * ```ts
   * const [one, other] = await languageModel.embed(['My invoice is wrong', 'The bill is not right']);
   * ```
   */
  async embed(texts: Iterable<string>, options: ScoreOptions = {}): Promise<Float32Array[]> {
    this.checkOpen();
    if (typeof texts === 'string' || typeof texts?.[Symbol.iterator] !== 'function')
      throw invalidArgument('texts', 'an array of strings', texts);
    const signal = scoreSignal('embed', options);
    return this.during(embedTexts(this.#engine, this.#units, texts, this.settings.hiddenSize, signal));
  }

  /**
   * Measures the model on texts, as training does on validation texts: concatenated, including the end of each.
   *
   * @param texts - Texts, as for {@link train}.
   * @throws {@link DataError} `EMPTY_DATASET` for texts without characters; what readers throw.
   * @throws {@link RecurraError} `ABORTED` if the signal is aborted, `DISPOSED` after the model was closed.
   *
   * @example
   * ```ts
   * const { perplexity } = await languageModel.evaluate('held-out.txt');
   * ```
   */
  async evaluate(texts: LanguageTexts | string, options: ScoreOptions = {}): Promise<LanguageResult> {
    this.checkOpen();
    const signal = scoreSignal('evaluate', options);
    return this.during(this.#evaluate(textsOf(texts), signal));
  }

  async #evaluate(texts: LanguageTexts, signal: AbortSignal | undefined): Promise<LanguageResult> {
    const choice = { units: this.#units.name ?? 'pieces', maxUnits: 0, minFreq: 1, memoryUnits: MEMORY_UNITS } as const;
    const { stream } = await readUnits(partsOf(texts), choice, this.#units, signal);
    try {
      await checkCharacters(stream, this.#units, 'the texts to measure have no characters', texts.file);
      const characters = await charactersOf(this.#units, stream.slice(1));
      return await measured(this.#engine, stream, characters, () => throwIfAborted(signal, SCORING));
    } finally {
      await stream.close();
    }
  }
}

const SCORING = 'the scoring of the text';

function scoreSignal(where: string, options: ScoreOptions): AbortSignal | undefined {
  checkOptionNames(where, options, ['signal']);
  return checkSignal('signal', options.signal);
}
