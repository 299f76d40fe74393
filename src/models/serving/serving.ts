import { RecurraError } from '../../core/errors.js';
import { Turns } from '../../core/turns.js';
import {
  type EncodedText,
  encodeText,
  encodeTokens,
  type Prediction,
  type Predictor,
  predictionOf,
  splitTogether,
} from '../classifier/prediction.js';
import { Batch, type Call, type Computed, textAt } from './call.js';
import { Compute } from './compute.js';
import { DEFAULTS, type ServingOptions, type ServingState, servingSettings } from './options.js';

/** Texts of a small call that may be computed at once, on the thread of JavaScript. */
const AT_ONCE_TEXTS = 8;

/** Milliseconds that calls may compute at once in one turn of the event loop; what comes on top is queued. */
const TURN_BUDGET = 1;

/** Multiply-adds of a batch, above which no further text joins it: some tens of milliseconds. */
const BATCH_WORK = 1e9;

/** Characters that a token has at least, on average, with the blank behind it: for batches whose texts are not split yet. */
const TOKEN_LENGTH = 4;

/** Texts that are only put together, between two looks at the clock. */
const TEXTS_A_LOOK = 64;

/** Characters of a text that weigh as a token even where it is cut: they are copied. */
const COPIED_AS_TOKEN = 16;

/** A batch that is being computed. */
interface Flight {
  batch: Batch;
  computed: Computed | Promise<Computed>;
}

/**
 * Lets many callers share one model. A call that finds the model idle is computed at once, if it is short; calls that arrive
 * together, or while a batch is computed, make up the next batch. A long call takes turns with the others, batch by batch.
 * Everything that takes time is done by one loop, which gives way to the event loop; batches are computed away from it.
 */
export class Serving {
  readonly #predictor: Predictor;
  readonly #compute: Compute;
  #settings = DEFAULTS;
  #queue: Call[] = [];
  #looping = false;
  #waiting = 0;
  #running = 0;
  #texts = 0;
  #batches = 0;
  #refused = 0;
  #spent = 0;
  /** Whether the last batch was of many callers: then the next calls had better be computed together, too. */
  #crowded = false;
  /** Ends the loop's pause when another call comes. */
  #wake: (() => void) | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(predictor: Predictor) {
    this.#predictor = predictor;
    this.#compute = new Compute(predictor);
  }

  set(options: ServingOptions): void {
    this.#settings = servingSettings(options, this.#settings);
    this.#wake?.();
  }

  get state(): ServingState {
    return {
      ...this.#settings,
      waiting: this.#waiting,
      running: this.#running,
      texts: this.#texts,
      batches: this.#batches,
      refused: this.#refused,
    };
  }

  /** Whether a call waits or is being computed. */
  get busy(): boolean {
    return this.#looping;
  }

  /** Answers what has come so far, without waiting for more. */
  async drain(): Promise<void> {
    this.set({ maxWait: 0 });
    if (this.#looping) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Labels texts, in their order; an array when that could be done at once. */
  predict(texts: readonly string[], topK: number, signal?: AbortSignal): Prediction[] | Promise<Prediction[]> {
    if (signal?.aborted) throw aborted(signal);
    const ahead: EncodedText[] = [];
    const few = texts.length <= AT_ONCE_TEXTS && !splitTogether(this.#predictor, texts, 0);
    if (few && this.#queue.length === 0 && this.#spent < TURN_BUDGET) {
      const began = performance.now();
      const short = this.#settings.maxWait === 0 && !this.#crowded;
      const late = () => performance.now() - began >= TURN_BUDGET;
      const predictions = this.#predictor.encoder
        ? short && this.#compute.textsNow(texts, topK, late)
        : this.#encodeAtOnce(texts, ahead, late) && short && this.#compute.encodedNow(ahead, topK);
      this.#spend(performance.now() - began);
      if (predictions) {
        this.#texts += texts.length;
        this.#batches++;
        return predictions;
      }
    }
    if (this.#waiting >= this.#settings.maxQueue) {
      this.#refused++;
      throw new RecurraError(
        'OVERLOADED',
        `${this.#waiting} texts are waiting already, and maxQueue is ${this.#settings.maxQueue}; try again later`,
      );
    }
    return this.#enqueue(texts, topK, ahead, signal);
  }

  #encode(texts: readonly string[], index: number): EncodedText {
    return encodeText(this.#predictor, textAt(texts, index));
  }

  /** Counts time that this turn of the event loop has spent; the next turn begins anew. */
  #spend(milliseconds: number): void {
    if (this.#spent === 0) {
      setImmediate(() => {
        this.#spent = 0;
      });
    }
    this.#spent += Math.max(milliseconds, Number.MIN_VALUE);
  }

  /** Encodes the texts of a small call for as long as a turn may take; tells whether it did so with all. */
  #encodeAtOnce(texts: readonly string[], ahead: EncodedText[], late: () => boolean): boolean {
    do ahead.push(this.#encode(texts, ahead.length));
    while (ahead.length < texts.length && !late());
    return ahead.length === texts.length;
  }

  #enqueue(
    texts: readonly string[],
    topK: number,
    ahead: EncodedText[],
    signal: AbortSignal | undefined,
  ): Promise<Prediction[]> {
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#fail(call, aborted(signal!));
      const weight = Math.min(texts.length, this.#settings.maxBatch);
      const call: Call = {
        texts,
        topK,
        ahead,
        encoded: ahead.length,
        since: performance.now(),
        predictions: new Array<Prediction>(texts.length),
        taken: 0,
        answered: 0,
        weight,
        ended: false,
        resolve: (predictions) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(predictions);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(call);
      this.#waiting += weight;
      this.#wake?.();
      if (!this.#looping) {
        this.#looping = true;
        // Not before the next turn of the event loop: calls that come in this one join the first batch.
        setImmediate(() => void this.#loop());
      }
    });
  }

  /** Ends a call with an error; the loop drops it when it next comes by. */
  #fail(call: Call, error: unknown): void {
    if (call.ended) return;
    call.ended = true;
    this.#weigh(call, 0);
    call.ahead.length = 0;
    call.reject(error);
  }

  #weigh(call: Call, weight: number): void {
    this.#waiting += weight - call.weight;
    call.weight = weight;
  }

  /** Computes batch after batch until no call waits. It never throws: what fails ends the calls that it belongs to. */
  async #loop(): Promise<void> {
    const turns = new Turns();
    const flights: Flight[] = [];
    do {
      // Where the addon reads the texts it splits those of a batch while another is computed. That one is only begun if it
      // is full: callers that are about to be answered may join it else.
      const most = this.#predictor.encoder ? 2 : 1;
      while (flights.length < most && this.#queue.length > 0) {
        if (flights.length > 0 && this.#waiting < this.#settings.maxBatch) break;
        if (flights.length === 0) await this.#pause();
        turns.restart();
        const batch = await this.#take(turns);
        if (batch.rows > 0) flights.push(this.#begin(batch, turns));
      }
      const flight = flights.shift();
      if (flight) await this.#answer(flight, turns);
      // Callers that were just answered may have more to ask; without a full batch at hand, they join the next one.
      if (turns.due || this.#waiting < this.#settings.maxBatch) await turns.next();
    } while (this.#queue.length > 0 || flights.length > 0);
    this.#looping = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Waits for more texts, for as long as `maxWait` allows. */
  async #pause(): Promise<void> {
    for (;;) {
      const { maxWait, maxBatch } = this.#settings;
      const [oldest] = this.#queue;
      if (maxWait === 0 || !oldest || this.#waiting >= maxBatch) return;
      const left = oldest.since + maxWait - performance.now();
      if (left <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.ceil(left));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }

  /**
   * Encodes a call's next text, or where the tokenizer does that away from the event loop, some texts; what cannot be
   * encoded ends the call.
   */
  #encodeNext(call: Call): Promise<void> | undefined {
    const together = splitTogether(this.#predictor, call.texts, call.encoded);
    const fail = (error: unknown) => this.#fail(call, error);
    if (together) {
      const add = (lists: readonly string[][]) => {
        if (call.ended) return;
        for (const tokens of lists) call.ahead[call.encoded++] = encodeTokens(this.#predictor, tokens);
      };
      return together.tokenizer.tokenizeMany(together.texts).then(add).catch(fail);
    }
    try {
      call.ahead[call.encoded] = this.#encode(call.texts, call.encoded);
      call.encoded++;
    } catch (error) {
      fail(error);
    }
    return undefined;
  }

  /** A call's next text, as it is or as token ids; undefined if it ends the call. */
  #next(call: Call): string | EncodedText | undefined | Promise<EncodedText | undefined> {
    if (this.#predictor.encoder) {
      try {
        return textAt(call.texts, call.taken);
      } catch (error) {
        this.#fail(call, error);
        return undefined;
      }
    }
    const encoding = call.encoded === call.taken ? this.#encodeNext(call) : undefined;
    return encoding ? encoding.then(() => call.ahead[call.taken]) : call.ahead[call.taken];
  }

  /** What a text counts for in a batch: its tokens, or where they are not known yet, about as many. */
  #tokensOf(text: string | EncodedText): number {
    if (typeof text !== 'string') return text.ids.length;
    const { length } = text;
    return 1 + Math.max(Math.min(length / TOKEN_LENGTH, this.#predictor.encoder!.maxLength), length / COPIED_AS_TOKEN);
  }

  /** Takes the texts that have waited longest. A call that is not done yet then lets the others go first. */
  async #take(turns: Turns): Promise<Batch> {
    const batch = new Batch();
    const { maxBatch } = this.#settings;
    const mostTokens = BATCH_WORK / this.#predictor.engine.workPerToken;
    const unfinished: Call[] = [];
    let passed = 0;
    let full = false;
    for (const end = this.#queue.length; passed < end && !full; passed++) {
      const call = this.#queue[passed]!;
      const before = call.taken;
      while (!call.ended && call.taken < call.texts.length) {
        const next = this.#next(call);
        // Waiting where nothing is to be waited for would cost more than most texts.
        const text = next instanceof Promise ? await next : next;
        if (text === undefined) break;
        const tokens = this.#tokensOf(text);
        full = batch.rows > 0 && (batch.rows >= maxBatch || batch.tokens + tokens > mostTokens);
        if (full) break;
        batch.add(call, text, tokens);
        call.ahead[call.taken++] = undefined;
        if ((typeof text !== 'string' || batch.rows % TEXTS_A_LOOK === 0) && turns.due) await turns.next();
      }
      if (call.ended) continue;
      if (full && call.taken === before) break;
      const left = call.texts.length - call.taken;
      this.#weigh(call, Math.min(left, maxBatch));
      if (left > 0) unfinished.push(call);
    }
    this.#crowded = passed > AT_ONCE_TEXTS;
    this.#queue = [...this.#queue.slice(passed), ...unfinished];
    return batch;
  }

  /** Begins to compute a batch; the small ones are done at once. */
  #begin(batch: Batch, turns: Turns): Flight {
    this.#running += batch.rows;
    let computed: Computed | Promise<Computed>;
    try {
      computed = this.#compute.batch(batch, (tokens, lengths) => this.#inBackground(tokens, lengths, turns));
    } catch (error) {
      computed = Promise.reject(error);
    }
    // A failure is met when the answer is given; until then it must not look like one that nobody handles.
    if (computed instanceof Promise) computed.catch(() => {});
    return { batch, computed };
  }

  /** Waits for a batch and tells its callers. */
  async #answer({ batch, computed }: Flight, turns: Turns): Promise<void> {
    const classes = this.#predictor.labels.length;
    try {
      let result: Computed;
      if (computed instanceof Promise) {
        result = await computed;
        turns.restart();
      } else result = computed;
      const { probabilities, counts } = result;
      this.#batches++;
      let row = 0;
      for (const { call, from, to } of batch.runs) {
        this.#texts += to - from;
        for (let index = from; index < to; index++, row++) {
          if (call.ended) continue;
          call.predictions[index] = predictionOf(
            this.#predictor,
            probabilities,
            row * classes,
            call.topK,
            counts[2 * row]!,
            counts[2 * row + 1]!,
          );
          if (++call.answered === call.texts.length) {
            call.ended = true;
            call.resolve(call.predictions);
          }
          if (row % TEXTS_A_LOOK === 0 && turns.due) await turns.next();
        }
      }
    } catch (error) {
      for (const { call } of batch.runs) this.#fail(call, error);
    } finally {
      this.#running -= batch.rows;
    }
  }

  async #inBackground(tokens: Int32Array, lengths: Int32Array, turns: Turns): Promise<Float32Array> {
    const pending = this.#predictor.engine.predict(tokens, lengths);
    const ahead = this.#encodeAhead(pending);
    try {
      return await pending;
    } finally {
      await ahead;
      turns.restart();
    }
  }

  /** Encodes the texts of the batch to come until the engine has computed the present one. */
  async #encodeAhead(pending: Promise<unknown>): Promise<void> {
    let computing = true;
    const stop = () => {
      computing = false;
      this.#wake?.();
    };
    pending.then(stop, stop);
    const turns = new Turns();
    let rows = this.#queue.reduce((sum, { encoded, taken }) => sum + encoded - taken, 0);
    for (let place = 0; computing; ) {
      const call = this.#queue[place];
      if (!call || rows >= this.#settings.maxBatch) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
        turns.restart();
      } else if (call.ended || call.encoded === call.texts.length) {
        place++;
      } else {
        rows -= call.encoded;
        const encoding = this.#encodeNext(call);
        if (encoding) await encoding;
        rows += call.encoded;
        if (turns.due) await turns.next();
      }
    }
  }
}

function aborted(signal: AbortSignal): RecurraError {
  return new RecurraError('ABORTED', 'the prediction was stopped by its signal', { cause: signal.reason });
}
