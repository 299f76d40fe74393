import type { light as lightNamespace } from '../../../index.d.js';
import { invalidArgument } from '../../core/errors.js';
import { aborted, throwIfAborted } from '../../core/signals.js';
import { Turns } from '../../core/turns.js';
import { light } from '../../native/light.js';
import { isAddonTokenizer, TextReader } from '../reader.js';
import { ScriptCounter } from '../scripts.js';
import { getTokenizer, isBatchTokenizer, type TokenizerLike, tokenizeTogether } from '../tokenizer.js';
import { LearnedVectors } from './learnedVectors.js';
import {
  defaultVectorEpochs,
  type LearnVectorsOptions,
  type LearnVectorsSettings,
  learnVectorsSettings,
} from './options.js';

/** Limits of one call to the addon: a few milliseconds of work. */
const TEXTS_PER_CALL = 1_024;
const CHARACTERS_PER_CALL = 262_144;

/** Milliseconds between two reports while vectors are learned, which is also the delay of an abort. */
const REPORT = 100;

/**
 * Learns word vectors from texts without labels: skip-gram or continuous bag of words with negative sampling and
 * optional subwords, as in fastText. A classifier that starts from them (`embeddings`) needs fewer labelled rows.
 *
 * The texts are read once, as a stream; their words are kept as four-byte numbers. All work except splitting by a
 * JavaScript tokenizer runs off the event loop.
 *
 * @param texts - Any number of texts.
 * @param options - See {@link LearnVectorsOptions}.
 * @throws {@link ArgumentError} for invalid options, a value that is not a text, and texts with fewer than two frequent
 * words. {@link RecurraError} `ABORTED` after the signal, `NON_FINITE_LOSS` if `lr` is too high, `OUT_OF_MEMORY`.
 *
 * @example
 * ```ts
 * const texts = ['the refund for my card', 'a refund to the card', 'the card of the refund'];
 * const vectors = await learnVectors(texts);
 * vectors.words; // [ 'the', 'card', 'refund' ]
 * await vectors.save('own.vec'); // for `embeddings` of TextClassifier.train
 * ```
 */
export async function learnVectors(
  texts: Iterable<string> | AsyncIterable<string>,
  options: LearnVectorsOptions = {},
): Promise<LearnedVectors> {
  const settings = learnVectorsSettings(options);
  const source = Object(texts) as Partial<Iterable<string> & AsyncIterable<string>>;
  if (typeof texts === 'string' || !(source[Symbol.iterator] || source[Symbol.asyncIterator])) {
    throw invalidArgument('texts', 'an iterable or async iterable of texts', texts);
  }
  throwIfAborted(settings.signal, WHAT);
  const reading = new Reading(settings);
  try {
    await reading.readAll(texts);
    return await learn(reading, settings);
  } finally {
    reading.native.close();
  }
}

const WHAT = 'the learning of word vectors';

/** Chooses the tokenizer from the first texts, if no option names one. */
function tokenizerFor(first: readonly string[]): TokenizerLike {
  const scripts = new ScriptCounter();
  for (const text of first) scripts.add(text);
  return scripts.choice.tokenizer;
}

/** Reads texts into the addon. */
class Reading {
  readonly native = new (light().VectorTexts)();
  readonly #settings: LearnVectorsSettings;
  /** Takes texts; it is there from the first texts on, which may choose the tokenizer. */
  #send: ((texts: string[]) => Promise<lightNamespace.VectorTextsSize>) | undefined;
  readonly #turns: Turns;
  size: lightNamespace.VectorTextsSize = { texts: 0, words: 0 };
  #reported = 0;

  constructor(settings: LearnVectorsSettings) {
    this.#settings = settings;
    this.#turns = new Turns(settings.signal, undefined, WHAT);
  }

  #sender(tokenizer: TokenizerLike): (texts: string[]) => Promise<lightNamespace.VectorTextsSize> {
    const reader = tokenizer instanceof TextReader ? tokenizer : undefined;
    const plain = reader ?? (isAddonTokenizer(tokenizer) ? TextReader.plain(tokenizer) : undefined);
    return plain ? (texts) => this.native.read(plain.native, texts) : (texts) => this.#split(tokenizer, texts);
  }

  async readAll(texts: Iterable<string> | AsyncIterable<string>): Promise<void> {
    let waiting: string[] = [];
    let characters = 0;
    let before: Promise<void> | undefined;
    // One call runs while the next is gathered.
    const flush = async () => {
      const sent = waiting;
      waiting = [];
      characters = 0;
      await before;
      this.#send ??= this.#sender(this.#settings.tokenizer ?? tokenizerFor(sent));
      before = this.#receive(this.#send(sent));
      // An error is thrown where the call is awaited; until then it must not count as unhandled.
      before.catch(() => {});
    };
    for await (const text of texts) {
      if (typeof text !== 'string') throw invalidArgument('a text', 'a string', text);
      waiting.push(text);
      characters += text.length;
      if (waiting.length >= TEXTS_PER_CALL || characters >= CHARACTERS_PER_CALL) await flush();
      if (this.#turns.due) await this.#turns.next();
    }
    await flush();
    await before;
    this.report();
  }

  async #receive(call: Promise<lightNamespace.VectorTextsSize>): Promise<void> {
    this.size = await call;
    if (performance.now() - this.#reported >= REPORT) this.report();
    throwIfAborted(this.#settings.signal, WHAT);
  }

  report(): void {
    this.#reported = performance.now();
    const { texts, words } = this.size;
    const none = { totalWords: undefined, loss: undefined, wordsPerSecond: undefined, secondsLeft: undefined };
    this.#settings.onProgress?.({ phase: 'reading', texts, words, ...none });
  }

  /** Splits texts in JavaScript, in batches if the tokenizer can do that off the event loop. */
  async #split(tokenizer: TokenizerLike, texts: string[]): Promise<lightNamespace.VectorTextsSize> {
    const lengths = new Uint32Array(texts.length);
    const lists = isBatchTokenizer(tokenizer) ? await tokenizeTogether(tokenizer, texts) : undefined;
    const split = getTokenizer(tokenizer);
    const words: string[] = [];
    for (let i = 0; i < texts.length; i++) {
      const list = lists ? lists[i]! : split(texts[i]!);
      if (!Array.isArray(list)) throw invalidArgument("the tokenizer's result", 'an array of strings', list);
      lengths[i] = list.length;
      for (const word of list) {
        if (typeof word !== 'string') throw invalidArgument('a token', 'a string', word);
        words.push(word);
      }
      if (this.#turns.due) await this.#turns.next();
    }
    return this.native.add(words, lengths);
  }
}

async function learn({ native, size }: Reading, settings: LearnVectorsSettings): Promise<LearnedVectors> {
  const {
    tokenizer: _,
    signal,
    onProgress,
    epochs = defaultVectorEpochs(settings.model, size.words),
    ...options
  } = settings;
  const training = await native.train({ ...options, epochs });
  try {
    const began = performance.now();
    for (let done = false; !done; ) {
      if (signal?.aborted) throw aborted(WHAT, signal);
      const { words, totalWords, loss, ...end } = await training.run(REPORT);
      done = end.done;
      const seconds = (performance.now() - began) / 1000;
      onProgress?.({
        phase: 'learning',
        texts: size.texts,
        words,
        totalWords,
        loss: Number.isNaN(loss) ? undefined : loss,
        wordsPerSecond: words / seconds,
        secondsLeft: (seconds * (totalWords - words)) / words,
      });
    }
    return await LearnedVectors.of(await training.finish(), settings.dim, settings.maxn > 0);
  } finally {
    training.close();
  }
}
