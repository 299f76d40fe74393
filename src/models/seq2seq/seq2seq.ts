import { isSource } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { checkNames, settingsOf } from '../../core/options/table.js';
import { Turns } from '../../core/turns.js';
import { noRows, type Pairs } from '../../data/readers/rows.js';
import { namedUnits } from '../../text/units/index.js';
import type { TrainingRun } from '../../training/run.js';
import { startTraining } from '../../training/start.js';
import { type LoadOptions, loadModel } from '../load.js';
import { TextModel } from '../model.js';
import type { Longest, PairUnits } from './data.js';
import { encodeSide, PairDataset } from './dataset.js';
import { seq2seqFile } from './description.js';
import { PAIR_EVALUATION, type Seq2SeqEvaluationOptions } from './evaluate.js';
import { seq2seqMetadata, unitsInFile } from './file.js';
import { sequenceHead } from './head.js';
import { HeldPairs } from './held.js';
import { usualLimit } from './limit.js';
import type { Seq2SeqModelSettings } from './network.js';
import type { Seq2SeqOptions, Seq2SeqStart, SequenceUnits } from './options.js';
import { collectPairs } from './pairs.js';
import {
  type Candidate,
  type Seq2SeqPredictOptions,
  type TranslateSettings,
  type Translation,
  translateSettings,
} from './prediction.js';
import type { Seq2SeqEvaluation, Seq2SeqResult } from './result.js';
import { type FoundSequence, SharedDecoding } from './sharing.js';
import { type Seq2SeqParts, seq2seqTask } from './task.js';
import { GREEDY, measurePairs, textOf } from './validation.js';

/** Names of the units of both sides. */
export interface PairUnitNames {
  /** Units of the sources. */
  source: SequenceUnits;
  /** Units of the targets. */
  target: SequenceUnits;
}

/**
 * A model from sequence to sequence: an encoder that reads a source, and a decoder with attention that writes a target
 * unit by unit. For pronunciation, transliteration, dates and numbers in words, and translation.
 *
 * @example
 * ```ts
 * const model = await Seq2Seq.train([{ source: 'ring', target: 'R IH NG' }, { source: 'sing', target: 'S IH NG' }], {
 *   targetUnits: 'tokens',
 * });
 * const { text } = await model.predict('king');
 * ```
 */
export class Seq2Seq extends TextModel<Seq2SeqModelSettings, Seq2SeqResult> {
  static readonly #task = seq2seqTask((parts) => new Seq2Seq(parts));
  readonly #units: PairUnits;
  readonly #longest: Longest;
  readonly #engine: NonNullable<Seq2SeqParts['engine']['translating']>;
  readonly #sharing: SharedDecoding;

  private constructor(parts: Seq2SeqParts) {
    const engine = parts.engine.translating!;
    const sharing = new SharedDecoding(engine);
    super(parts, sharing);
    this.#units = parts.units;
    this.#longest = parts.longest;
    this.#engine = engine;
    this.#sharing = sharing;
  }

  /** What the model reads and writes; `'pieces'` are those of a tokenizer. */
  get units(): PairUnitNames {
    const { source, target } = this.#units;
    return { source: source.name ?? 'pieces', target: target.name ?? 'pieces' };
  }

  /** The units that the model can write; `vocab` contains those that it reads. */
  get targetVocab(): Seq2Seq['vocab'] {
    return this.#units.target.vocab;
  }

  /**
   * Trains a model. Reading and training do not block the event loop.
   *
   * @param pairs - `{ source, target }`: an array, `readPairs`, or any iterable or async iterable. A source with
   * several correct targets may have several pairs, or further targets as `references`.
   * @param options - See {@link Seq2SeqOptions}.
   * @returns the model; with validation pairs, the weights of its best epoch.
   * @throws {@link ArgumentError} for an invalid option.
   * @throws {@link DataError} `INVALID_ROW` for an empty side or one longer than `maxLength`, `EMPTY_DATASET` without
   * pairs; what readers throw; `DATA_MISMATCH` for pairs that differ from those of the checkpoint to resume.
   * @throws {@link TrainingError} `ABORTED`, `NON_FINITE_LOSS` or `IO`; its `model` has the weights learned so far.
   *
   * @example
   * ```ts
   * const model = await Seq2Seq.train(readPairs('dates.csv', { source: 'written', target: 'iso' }), { validation: 0.1 });
   * ```
   */
  static async train(pairs: Pairs, options: Seq2SeqOptions = {}): Promise<Seq2Seq> {
    return Seq2Seq.start(pairs, options).result;
  }

  /**
   * Starts a training, as {@link train}, and returns at once with a run to watch and control it.
   *
   * @example
   * ```ts
   * const run = Seq2Seq.start(readPairs('dates.csv', { source: 'written', target: 'iso' }), { validation: 0.1 });
   * for await (const event of run) if (event.type === 'validation') console.log(event.validation.accuracy);
   * const model = await run.result;
   * ```
   */
  static start(pairs: Pairs, options: Seq2SeqOptions = {}): TrainingRun<Seq2Seq, Seq2SeqResult, Seq2SeqStart> {
    return startTraining(Seq2Seq.#task, checkPairs(pairs), options);
  }

  /**
   * Loads a model that {@link save} wrote.
   *
   * @throws {@link ModelFileError} if the file is missing, unreadable, damaged, or another kind of model.
   *
   * @example
   * ```ts
   * await using model = await Seq2Seq.load('dates.safetensors');
   * ```
   */
  static async load(path: string, options: Pick<LoadOptions, 'threads'> = {}): Promise<Seq2Seq> {
    checkOptionNames('Seq2Seq.load', options, ['threads']);
    const parts = await loadModel(
      'Seq2Seq.load',
      path,
      options,
      seq2seqFile,
      ({ settings, targetVocab, units: { target } }) =>
        sequenceHead(settings, namedUnits(target === 'pieces' ? 'tokens' : target, targetVocab)),
      async () => ({}),
      // The first prediction packs the weights.
      ({ translating }) => translating!.decode(Int32Array.of(0), Int32Array.of(1), Int32Array.of(1), GREEDY),
    );
    const { vocab, engine, settings, longest, text, card, columns } = parts;
    try {
      const units = await unitsInFile(path, parts, vocab, text.tokenizer);
      return new Seq2Seq({ engine, settings, vocab, units, longest, card, columns });
    } catch (error) {
      engine.close();
      throw error;
    }
  }

  /** @internal */
  protected override metadata(): Record<string, string> {
    return seq2seqMetadata(this.settings, this.#units, this.#longest);
  }

  /**
   * Writes the target of one source or of many, in order. An empty source gets an empty answer. Units that the model
   * does not know are read as `<unk>`, and never written.
   *
   * Any number of calls may run at the same time: calls that arrive together are batched and computed off the event
   * loop. See {@link setServing}.
   *
   * @param options - See {@link Seq2SeqPredictOptions}.
   * @throws {@link ArgumentError} if a source is not a string, or for an invalid option.
   * @throws {@link RecurraError} `OVERLOADED` if too many texts are waiting, `ABORTED` if the signal is aborted, `DISPOSED` after
   * the model was closed.
   *
   * @example
   * ```ts
   * const { text, candidates } = await seq2seq.predict('4 July 2026', { beamSize: 5, nBest: 2 });
   * const [first] = await seq2seq.predict(['1 May 2025', '2 June 2024'], { alignments: true });
   * ```
   */
  predict(source: string, options?: Seq2SeqPredictOptions): Promise<Translation>;
  predict(sources: readonly string[], options?: Seq2SeqPredictOptions): Promise<Translation[]>;
  async predict(
    given: string | readonly string[],
    options: Seq2SeqPredictOptions = {},
  ): Promise<Translation | Translation[]> {
    this.checkOpen();
    const settings = translateSettings(options);
    if (typeof given === 'string') return (await this.during(this.#predict([given], settings)))[0]!;
    if (!Array.isArray(given)) throw invalidArgument('source', 'a text, or an array of texts,', given);
    for (const [i, source] of given.entries())
      if (typeof source !== 'string') throw invalidArgument(`sources[${i}]`, 'a string', source);
    return this.during(this.#predict(given as readonly string[], settings));
  }

  async #predict(sources: readonly string[], settings: TranslateSettings): Promise<Translation[]> {
    const { signal, maxLength, ...decode } = settings;
    const turns = new Turns(signal, undefined, 'the prediction');
    const { source } = this.#units;
    const read: Int32Array[] = [];
    for (const text of sources) {
      read.push(await source.encode(text, turns));
      if (turns.due) await turns.next();
    }
    const asked = read
      .filter(({ length }) => length > 0)
      .map((units) => ({ units, limit: maxLength ?? usualLimit(units.length, this.#longest) }));
    const found = (await this.#sharing.ask(asked, decode, signal)).values();
    turns.restart();
    const answers: Translation[] = [];
    for (const units of read) {
      answers.push(this.#translation(units, units.length > 0 ? found.next().value! : [EMPTY], settings));
      if (turns.due) await turns.next();
    }
    return answers;
  }

  #translation(read: Int32Array, found: readonly FoundSequence[], { alignments }: TranslateSettings): Translation {
    const { source, target } = this.#units;
    const candidates = found.map(({ units, score, alignments: weights }): Candidate => {
      const candidate = { text: textOf(target, units), units: target.vocab.decode(units), score };
      if (!alignments) return candidate;
      const row = (_: unknown, at: number) => weights!.slice(at * read.length, (at + 1) * read.length);
      return { ...candidate, alignments: weights ? Array.from(units, row) : [] };
    });
    const unknown = source.vocab.defaultIndex;
    const knownUnits = read.reduce((count, unit) => count + (unit === unknown ? 0 : 1), 0);
    return { ...candidates[0]!, sourceUnits: source.vocab.decode(read), knownUnits, candidates };
  }

  /**
   * Measures the model on pairs. Pairs with the same source count as one: any of its targets is correct.
   *
   * @returns exact match, edits per unit, BLEU, and the loss of the references; see `docs/measures.md`.
   * @throws {@link DataError} `EMPTY_DATASET` without pairs, `INVALID_ROW` for an empty side; what readers throw.
   * @throws {@link RecurraError} `ABORTED` if the signal is aborted, `DISPOSED` after the model was closed.
   *
   * @example
   * ```ts
   * const { accuracy, unitErrorRate, bleu } = await seq2seq.evaluate(readPairs('test.tsv'), { beamSize: 5 });
   * ```
   */
  async evaluate(pairs: Pairs, options: Seq2SeqEvaluationOptions = {}): Promise<Seq2SeqEvaluation> {
    this.checkOpen();
    checkNames('Seq2Seq.evaluate', options, PAIR_EVALUATION);
    return this.during(this.#evaluate(checkPairs(pairs), settingsOf(PAIR_EVALUATION, options)));
  }

  async #evaluate(
    pairs: Pairs,
    { signal, bleuTokenizer, onPrediction, beamSize, lengthPenalty, maxLength }: EvaluationSettings,
  ): Promise<Seq2SeqEvaluation> {
    const turns = new Turns(signal, undefined, 'the evaluation');
    const all = await collectPairs(pairs, turns);
    if (all.sources.length === 0)
      throw noRows('there are no pairs to measure on; expected rows with a source and a target', pairs);
    const sides = (['source', 'target'] as const).map((name) => ({
      name,
      units: this.#units[name],
      maxLength: Number.POSITIVE_INFINITY,
    }));
    const [source, target] = [await encodeSide(all, sides[0]!, turns), await encodeSide(all, sides[1]!, turns)];
    return measurePairs(new HeldPairs(all, new PairDataset(source, target)), {
      engine: this.#engine,
      target: this.#units.target,
      longest: this.#longest,
      maxLength,
      decode: { beamSize, lengthPenalty },
      bleu: { tokenize: bleuTokenizer },
      signal,
      onMeasured: onPrediction,
    });
  }
}

type EvaluationSettings = ReturnType<typeof settingsOf<typeof PAIR_EVALUATION>>;

/** The answer to an empty source. */
const EMPTY: FoundSequence = { units: new Int32Array(0), score: 0, alignments: undefined };

function checkPairs(pairs: Pairs): Pairs {
  if (!isSource(pairs))
    throw invalidArgument('pairs', 'pairs, each with a source and a target (readPairs reads a file),', pairs);
  return pairs;
}
