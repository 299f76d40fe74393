import { invalidArgument } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { checkNames, settingsOf } from '../../core/options/table.js';
import { checkSignal } from '../../core/signals.js';
import type { TaggingEvaluation } from '../../measures/tagging.js';
import type { TokenSettings } from '../../text/options.js';
import type { TagScheme } from '../../text/tags/scheme.js';
import type { TrainingRun } from '../../training/run.js';
import { startTraining } from '../../training/start.js';
import type { Tuning } from '../../tuning/events.js';
import type { CompressOptions } from '../compression/options.js';
import { describedText, type ModelSource } from '../file.js';
import { type LoadOptions, loadModel } from '../load.js';
import { TextModel } from '../model.js';
import type { Answer } from '../serving/call.js';
import { Serving } from '../serving/serving.js';
import { taggerFile } from './description.js';
import type { Sentence } from './encode.js';
import { evaluateTags, TAG_EVALUATION, type TagEvaluationOptions } from './evaluate.js';
import { taggerMetadata } from './file.js';
import { tagsHead } from './head.js';
import type { TaggerModelSettings } from './network.js';
import type { TaggerStartEvent, TaggerTrainOptions } from './options.js';
import { type Tagging, type TextTagging, taggingOf } from './prediction.js';
import type { TagRows } from './rows.js';
import { SentenceReader } from './sentence.js';
import { TagSet } from './tagSet.js';
import { type TaggerParts, taggerTask } from './task.js';
import type { TaggerTokenizer } from './tokenizer.js';
import type { TaggerTuneOptions } from './tuning/options.js';
import { tuneTagger } from './tuning/tune.js';
import type { TagValidation } from './validation.js';

/** Options of {@link TextTagger.predict} and {@link TextTagger.predictMany}. */
export interface TagPredictOptions {
  /** Stops the call: pending work is discarded, and the call rejects with `ABORTED`. */
  signal?: AbortSignal;
}

/**
 * A tagger: a label for each token, and spans if the tags are those of entities. It has an embedding, recurrent layers,
 * a linear layer on each token's output, and a conditional random field that finds the best sequence of tags.
 *
 * @example
 * ```ts
 * const model = await TextTagger.train(readConll('train.conll'), { validation: readConll('dev.conll') });
 * await model.save('entities.safetensors');
 * const { spans } = await model.predict('Ada Lovelace was born in London.');
 * for (const { start, end, label, text, probability } of spans) console.log(label, text, probability);
 * ```
 */
export class TextTagger extends TextModel<TaggerModelSettings, TagValidation> {
  static readonly #task = taggerTask((parts) => new TextTagger(parts));
  /** The labels of spans, in code point order; for tags without a scheme the tags. */
  readonly labels: readonly string[];
  /** The scheme of the tags, that of the training rows; undefined for tags without a scheme, such as parts of speech. */
  readonly scheme: TagScheme | undefined;
  /** How texts are split into tokens. */
  readonly tokenizer: TaggerTokenizer;
  /** Whether words are looked up in lower case. */
  readonly lowercase: boolean;
  readonly #set: TagSet;
  readonly #text: TokenSettings;
  readonly #reader: SentenceReader;
  readonly #engine: TaggerParts['engine'];
  readonly #serving: Serving<Sentence>;

  private constructor(parts: TaggerParts) {
    const { engine, splits, lowercase, text } = parts;
    const reader = readerOf(parts);
    const serving = Serving.by<Sentence>(engine, reader);
    super(parts, serving);
    this.#set = new TagSet(parts);
    this.labels = this.#set.labels;
    this.scheme = parts.scheme;
    this.tokenizer = splits;
    this.lowercase = lowercase;
    this.#text = text;
    this.#reader = reader;
    this.#engine = engine;
    this.#serving = serving;
  }

  /**
   * Trains a tagger. Reading and training do not block the event loop.
   *
   * @param rows - `{ tokens, tags }` or `{ text, spans }`: an array, {@link readConll}, {@link readConllu}, {@link readSpans}, or any
   * iterable or async iterable.
   * @param options - See {@link TaggerTrainOptions}.
   * @returns the model; with validation rows, the weights of its best epoch.
   * @throws {@link ArgumentError} for an invalid option.
   * @throws {@link DataError} for invalid rows: none at all, tokens and tags of different numbers, spans that overlap
   * or are not within their text, one tag only, a validation label that is not a training label; `DATA_MISMATCH` for
   * rows that differ from those of the checkpoint to resume.
   * @throws {@link ModelFileError} for a missing or damaged checkpoint.
   * @throws {@link TrainingError} `ABORTED`, `NON_FINITE_LOSS` or `IO`; its `model` has the weights learned so far.
   *
   * @example
   * ```ts
   * const model = await TextTagger.train([
   *   { text: 'Paris is in France.', spans: [{ start: 0, end: 5, label: 'LOC' }, { start: 12, end: 18, label: 'LOC' }] },
   *   { tokens: ['Ada', 'wrote', 'it'], tags: ['B-PER', 'O', 'O'] },
   * ]);
   * ```
   */
  static async train(rows: TagRows, options: TaggerTrainOptions = {}): Promise<TextTagger> {
    return TextTagger.start(rows, options).result;
  }

  /**
   * Starts a training, as {@link train}, and returns at once with a run to watch and control it.
   *
   * @example
   * ```ts
   * const run = TextTagger.start(readConll('train.conll'), { validation: 0.1, checkpoint: 'entities.checkpoint', resume: true });
   * for await (const event of run) console.log(event.type, event.step);
   * const model = await run.result;
   * ```
   */
  static start(
    rows: TagRows,
    options: TaggerTrainOptions = {},
  ): TrainingRun<TextTagger, TagValidation, TaggerStartEvent> {
    return startTraining(TextTagger.#task, rows, options);
  }

  /**
   * Searches for the best options for some rows, and trains a tagger with them on all rows: as
   * {@link TextClassifier.tune}, with the defaults as the only baseline. Number of epochs, learning rate, dropout rates,
   * hidden size, subwords and rare words are searched; given training options apply to all settings. What is maximised is
   * the F1 of spans (micro average), or without a scheme the share of tokens with the right tag. All rows are kept in
   * memory, and one model is trained at a time.
   *
   * @param rows - Sentences with tags or spans, as for {@link train}.
   * @param options - See {@link TaggerTuneOptions}.
   * @returns the model, its options, and all settings tried with their results. `loss` of a trial is its share of wrong
   * tokens.
   * @throws {@link ArgumentError} for an invalid option; {@link DataError} for invalid rows.
   * @throws {@link TrainingError} `ABORTED` if the signal is aborted; its `model` has the best settings so far, trained
   * on a part of the rows.
   *
   * @example
   * ```ts
   * const { model, verdict } = await TextTagger.tune(readConll('train.conll'), { minutes: 30 });
   * console.log(verdict);
   * await model.save('entities.safetensors');
   * ```
   */
  static tune(rows: TagRows, options: TaggerTuneOptions = {}): Promise<Tuning<TextTagger, TaggerTrainOptions>> {
    return tuneTagger(rows, options, TextTagger.train);
  }

  /**
   * Loads a model that {@link save} wrote.
   *
   * @throws {@link ModelFileError} if the file is missing, unreadable, damaged, or not a tagger.
   *
   * @example
   * ```ts
   * await using model = await TextTagger.load('entities.safetensors');
   * console.log(model.labels, model.scheme);
   * ```
   */
  static async load(path: string, options: TaggerLoadOptions = {}): Promise<TextTagger> {
    checkOptionNames('TextTagger.load', options, ['threads', 'device', 'recurrentWeights']);
    return TextTagger.#open(path, options);
  }

  static async #open(source: ModelSource, options: TaggerLoadOptions): Promise<TextTagger> {
    return new TextTagger(
      await loadModel(
        'TextTagger.load',
        source,
        options,
        taggerFile,
        (own) => tagsHead(new TagSet(own), own.settings),
        async () => ({}),
        // The first prediction packs the weights.
        async (engine, own) => {
          const { tokens, lengths, forms } = readerOf(own).flat([
            { ids: Int32Array.of(0), count: 1, known: 0, tokens: ['a'] },
          ]);
          await engine.scores(tokens, lengths, forms);
          forms?.close();
        },
      ),
    );
  }

  /**
   * Returns a smaller copy of this model: fewer bits per word vector, fewer words, all other weights in 8 bits. It
   * needs no rows, and the same model gives the same bytes. The smaller model predicts and is saved like any other; it
   * cannot be trained further. This model is unchanged.
   *
   * @param options - See {@link CompressOptions}: `maxBytes`, `bits` or `keepWords`.
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
  async compress(options: CompressOptions): Promise<TextTagger> {
    const { version } = taggerFile;
    const packed = await this.packed(options, { where: 'TextTagger.compress', version, share: 1, prunes: true });
    return TextTagger.#open(packed, {});
  }

  /** @internal */
  protected override metadata(): Record<string, string> {
    const common = { settings: this.settings, text: describedText(this.#text), vocab: this.vocab };
    const { tags, scheme } = this.#set;
    return taggerMetadata(common, { tags, scheme, lowercase: this.lowercase });
  }

  /**
   * Tags a text, or given tokens.
   *
   * A text is split into tokens; its spans point into it: `text.slice(span.start, span.end) === span.text`, in UTF-16
   * code units, whatever the text. Of tokens the spans say which tokens they are made of. There are as many tags as
   * tokens, always. An empty text, and one without a known word, gets an answer too; See {@link Tagging.knownTokens}.
   *
   * Any number of calls may run at the same time. A short text is computed synchronously if the model is idle; calls
   * that arrive together are batched and computed off the event loop. See {@link setServing}.
   *
   * @throws {@link ArgumentError} if `input` is neither a string nor an array of strings.
   * @throws {@link RecurraError} `OVERLOADED` if too many texts are waiting, `ABORTED` if the signal is aborted, `DISPOSED`
   * after the model was closed.
   *
   * @example
   * ```ts
   * const { spans } = await tagger.predict('She lives in New York.');
   * const { tags } = await tagger.predict(['She', 'lives', 'in', 'New', 'York', '.']); // ['O', 'O', 'O', 'B-LOC', 'I-LOC', 'O']
   * ```
   */
  predict(input: string, options?: TagPredictOptions): Promise<TextTagging>;
  predict(input: readonly string[], options?: TagPredictOptions): Promise<Tagging>;
  predict(input: string | readonly string[], options?: TagPredictOptions): Promise<Tagging | TextTagging>;
  async predict(input: string | readonly string[], options: TagPredictOptions = {}): Promise<Tagging> {
    this.#check(options);
    if (typeof input !== 'string' && !Array.isArray(input))
      throw invalidArgument('input', 'a text, or an array of tokens,', input);
    const [tagging] = await this.#serving.answer([input], this.#answer, options.signal);
    return tagging!;
  }

  /**
   * Tags many texts, or sentences of tokens, faster than one by one; answers are in order. Other calls are answered
   * between its batches.
   *
   * @throws {@link ArgumentError} if an element is neither a string nor an array of strings.
   * @throws {@link RecurraError} as {@link predict}.
   *
   * @example
   * ```ts
   * const answers = await tagger.predictMany(['She lives in New York.', 'He does not.']);
   * console.log(answers.map(({ spans }) => spans.length));
   * ```
   */
  predictMany(inputs: readonly string[], options?: TagPredictOptions): Promise<TextTagging[]>;
  predictMany(inputs: readonly (readonly string[])[], options?: TagPredictOptions): Promise<Tagging[]>;
  predictMany(
    inputs: readonly (string | readonly string[])[],
    options?: TagPredictOptions,
  ): Promise<(Tagging | TextTagging)[]>;
  async predictMany(
    inputs: readonly (string | readonly string[])[],
    options: TagPredictOptions = {},
  ): Promise<Tagging[]> {
    this.#check(options);
    if (!Array.isArray(inputs)) throw invalidArgument('inputs', 'an array of texts, or of arrays of tokens,', inputs);
    if (inputs.length === 0) return [];
    return this.#serving.answer(inputs as readonly (string | readonly string[])[], this.#answer, options.signal);
  }

  /**
   * Measures the model on rows with tags or spans: see `docs/measures.md` for what each figure means. Rows are read as
   * needed, so they need not fit into memory.
   *
   * @returns the figures of {@link entityReport} for entities, or of {@link classificationReport} for other tags, and
   * the most frequent mistakes and the calibration.
   * @throws {@link DataError} `EMPTY_DATASET` without rows, `UNKNOWN_LABEL` for a label that the model does not have.
   *
   * @example
   * ```ts
   * const evaluation = await tagger.evaluate(readConll('test.conll'));
   * console.log(formatClassificationReport(evaluation), evaluation.mistakes[0]);
   * ```
   */
  async evaluate(rows: TagRows, options: TagEvaluationOptions = {}): Promise<TaggingEvaluation> {
    this.checkOpen();
    checkNames('TextTagger.evaluate', options, TAG_EVALUATION);
    const model = {
      engine: this.#engine,
      reader: this.#reader,
      set: this.#set,
      splits: this.tokenizer,
      maxLength: this.#text.maxLength,
    };
    return this.during(evaluateTags(model, rows, settingsOf(TAG_EVALUATION, options)));
  }

  readonly #answer: Answer<Tagging, Sentence> = (scores, start, _, __, sentence) =>
    taggingOf({ set: this.#set, maxLength: this.#text.maxLength }, sentence, scores, start);

  #check(options: TagPredictOptions): void {
    this.checkOpen();
    checkOptionNames('predict', options, ['signal']);
    checkSignal('signal', options.signal);
  }
}

/** The reader of a model's inputs. */
function readerOf({
  vocab,
  splits,
  lowercase,
  text: { maxLength },
  settings: { subwords },
}: Pick<TaggerParts, 'vocab' | 'splits' | 'lowercase' | 'settings'> & {
  text: Pick<TokenSettings, 'maxLength'>;
}): SentenceReader {
  return new SentenceReader({ vocab, splits, lowercase, maxLength, subwords });
}

/** Options of {@link TextTagger.load}. */
export type TaggerLoadOptions = Omit<LoadOptions, 'tokenizer'>;
