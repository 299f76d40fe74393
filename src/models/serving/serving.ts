import { inNextTurn, now } from '../../core/clock.js';
import { isPromise } from '../../core/realms.js';
import { throwIfAborted } from '../../core/signals.js';
import { Turns } from '../../core/turns.js';
import { answerBatch, type Batch, takeBatch } from './batch.js';
import { type Answer, type Asked, textAt } from './call.js';
import { IdRoute } from './idRoute.js';
import { type EncodedText, type IdReader, idReader } from './ids.js';
import type { ServingOptions, ServingState } from './options.js';
import { CallQueue } from './queue.js';
import type { Refiner, Route, Scored, ServedModel } from './route.js';
import { TextRoute } from './textRoute.js';

/** Maximum texts of a small call that may be computed synchronously on the JavaScript thread. */
const AT_ONCE_TEXTS = 8;

/** Milliseconds of synchronous computation per turn of the event loop; further calls are queued. */
const TURN_BUDGET = 1;

/** Multiply-adds of a batch above which no further text joins it: some tens of milliseconds. */
const BATCH_WORK = 4e9;

/** A batch that is being computed. */
interface Flight<T> {
  batch: Batch<T>;
  scored: Scored | Promise<Scored>;
}

/**
 * Lets many callers share one model, whatever the model answers. A call that finds the model idle is computed at once, if it is
 * short; calls that arrive together, or while a batch is computed, make up the next batch. A long call takes turns with the
 * others, batch by batch. One loop does everything that takes time. It yields to the event loop, and batches are computed away
 * from it.
 */
export class Serving<T> {
  readonly #workPerToken: number;
  readonly #refining: Refining | undefined;
  readonly #queue: CallQueue<T>;
  readonly #route: Route<T>;
  #looping = false;
  #running = 0;
  #texts = 0;
  #batches = 0;
  /** Milliseconds of synchronous computation in this turn of the event loop. */
  #spent = 0;
  /** Set when the last batch served many callers: new calls are then queued rather than computed synchronously. */
  #crowded = false;
  #whenIdle: (() => void)[] = [];

  private constructor(workPerToken: number, queue: CallQueue<T>, route: Route<T>, refining?: Refining) {
    this.#workPerToken = workPerToken;
    this.#queue = queue;
    this.#route = route;
    this.#refining = refining;
  }

  /** Serving through the addon if it reads the model's texts, otherwise by ids. */
  static of(model: ServedModel): ModelServing {
    const { encoder, engine, outputs, refiner } = model;
    const refining = refiner && { refiner, outputs };
    if (encoder)
      return new Serving<string>(engine.workPerToken, new CallQueue(), new TextRoute(model, encoder), refining);
    const queue = new CallQueue<EncodedText>();
    return new Serving(engine.workPerToken, queue, new IdRoute(engine, idReader(model), queue), refining);
  }

  /** Serving by ids from a model-specific reader. */
  static by<T extends EncodedText>(engine: ServedModel['engine'], reader: IdReader<T>): Serving<T> {
    const queue = new CallQueue<T>();
    return new Serving(engine.workPerToken, queue, new IdRoute(engine, reader, queue));
  }

  set(options: ServingOptions): void {
    this.#queue.set(options);
  }

  get state(): ServingState {
    const { settings, waiting, refused } = this.#queue;
    return { ...settings, waiting, running: this.#running, texts: this.#texts, batches: this.#batches, refused };
  }

  /** Whether a call waits or is being computed. */
  get busy(): boolean {
    return this.#looping;
  }

  /** Answers the calls so far, without waiting for more. */
  async drain(): Promise<void> {
    this.set({ maxWait: 0 });
    if (this.#looping) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Answers texts in order; returns an array if that was possible synchronously. */
  answer<A>(texts: readonly Asked[], answer: Answer<A, T>, signal?: AbortSignal): A[] | Promise<A[]> {
    throwIfAborted(signal, 'the prediction');
    const ahead: T[] = [];
    const answers = this.#answerNow(texts, ahead, answer);
    if (answers) return answers;
    const queued = this.#queue.add(texts, ahead, answer, signal);
    if (!this.#looping) {
      this.#looping = true;
      // Start in the next turn of the event loop, so that calls of this turn join the first batch.
      inNextTurn(() => void this.#loop());
    }
    return queued;
  }

  /** Answers a small call synchronously, if possible; texts read so far are left in `ahead`. */
  #answerNow<A>(texts: readonly Asked[], ahead: T[], answer: Answer<A, T>): A[] | undefined {
    const route = this.#route;
    if (!this.#queue.empty || this.#spent >= TURN_BUDGET) return undefined;
    if (texts.length > AT_ONCE_TEXTS || !route.fits(texts)) return undefined;
    const began = now();
    const late = () => now() - began >= TURN_BUDGET;
    const short = this.#queue.settings.maxWait === 0 && !this.#crowded;
    const engines = route.read(texts, ahead, late) && short ? route.now(texts, ahead, late) : undefined;
    const scored = engines && this.#refinedNow(texts, engines, late) ? engines : undefined;
    const answers = scored && answersOf(texts.length, scored, route, ahead, answer);
    this.#spend(now() - began);
    if (answers) {
      this.#texts += texts.length;
      this.#batches++;
    }
    return answers;
  }

  /** Counts time spent in this turn of the event loop. */
  #spend(milliseconds: number): void {
    if (this.#spent === 0) {
      inNextTurn(() => {
        this.#spent = 0;
      });
    }
    this.#spent += Math.max(milliseconds, Number.MIN_VALUE);
  }

  /** Computes batches until no call waits. It never throws: an error ends the calls that it belongs to. */
  async #loop(): Promise<void> {
    const turns = new Turns();
    const flights: Flight<T>[] = [];
    const queue = this.#queue;
    do {
      // A second batch is only started if it is full: otherwise callers that are about to be answered could have joined
      // it.
      while (flights.length < this.#route.flights && !queue.empty) {
        if (flights.length > 0 && queue.waiting < queue.settings.maxBatch) break;
        if (flights.length === 0) await queue.pause();
        turns.restart();
        const mostTokens = BATCH_WORK / this.#workPerToken;
        const { batch, callers } = await takeBatch(queue, this.#route, mostTokens, turns);
        this.#crowded = callers > AT_ONCE_TEXTS;
        if (batch.rows > 0) flights.push(this.#begin(batch));
      }
      const flight = flights.shift();
      if (flight) await this.#finish(flight, turns);
      // Callers just answered may call again; unless a full batch is ready, let them join the next one.
      if (turns.due || queue.waiting < queue.settings.maxBatch) await turns.next();
    } while (!queue.empty || flights.length > 0);
    this.#looping = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Starts computing a batch; small ones are computed synchronously. */
  #begin(batch: Batch<T>): Flight<T> {
    this.#running += batch.rows;
    let scored: Scored | Promise<Scored>;
    try {
      scored = this.#refined(batch, this.#route.batch(batch.texts, batch.tokens));
    } catch (error) {
      scored = Promise.reject(error);
    }
    // A failure is handled when the answer is given; until then it must not count as unhandled.
    if (isPromise(scored)) scored.catch(() => {});
    return { batch, scored };
  }

  /**
   * Refines the scores of few texts synchronously; returns false if that would take too long, and the scores are then
   * invalid.
   */
  #refinedNow(texts: readonly Asked[], { scores }: Scored, late: () => boolean): boolean {
    if (!this.#refining) return true;
    const { refiner, outputs } = this.#refining;
    return texts.every((_, row) => {
      if (row > 0 && late()) return false;
      return refiner.now(textAt(texts, row), scores.subarray(row * outputs, (row + 1) * outputs));
    });
  }

  /** The refined scores of a batch. */
  #refined({ runs }: Batch<T>, scored: Scored | Promise<Scored>): Scored | Promise<Scored> {
    if (!this.#refining) return scored;
    const { refiner } = this.#refining;
    const texts = runs.flatMap(({ call, from, to }) => call.texts.slice(from, to) as string[]);
    const refinedNow = ({ scores, counts }: Scored): Scored | undefined => {
      if (texts.length > AT_ONCE_TEXTS) return undefined;
      // If one text is too long, the other scores must still be the engine's.
      const refined = { scores: scores.slice(), counts };
      return this.#refinedNow(texts, refined, () => false) ? refined : undefined;
    };
    const refine = async (scored: Scored): Promise<Scored> => ({
      scores: await refiner.later(texts, scored.scores),
      counts: scored.counts,
    });
    // A thread switch takes longer than a few texts.
    if (isPromise(scored)) return scored.then((scored) => refinedNow(scored) ?? refine(scored));
    return refinedNow(scored) ?? refine(scored);
  }

  /** Waits for a batch and answers its callers. */
  async #finish({ batch, scored }: Flight<T>, turns: Turns): Promise<void> {
    try {
      let result: Scored;
      if (isPromise(scored)) {
        result = await scored;
        turns.restart();
      } else result = scored;
      this.#batches++;
      this.#texts += batch.rows;
      await answerBatch(batch, result, this.#route, this.#queue, turns);
    } catch (error) {
      for (const { call } of batch.runs) this.#queue.fail(call, error);
    } finally {
      this.#running -= batch.rows;
    }
  }
}

/** Serving of a model by either route. */
export type ModelServing = Serving<string> | Serving<EncodedText>;

/** The refiner of scores, and the number of scores per text. */
interface Refining {
  refiner: Refiner;
  outputs: number;
}

function answersOf<A, T>(
  rows: number,
  { scores, counts }: Scored,
  route: Pick<Route<T>, 'scoresOf'>,
  ahead: readonly T[],
  answer: Answer<A, T>,
): A[] {
  const answers: A[] = [];
  for (let row = 0, start = 0; row < rows; row++) {
    // If the addon reads the texts, nothing was read ahead, and all have the same number of scores.
    const text = ahead[row]!;
    answers.push(answer(scores, start, counts[2 * row]!, counts[2 * row + 1]!, text));
    start += route.scoresOf(text);
  }
  return answers;
}
