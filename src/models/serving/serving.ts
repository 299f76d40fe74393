import { inNextTurn, now } from '../../core/clock.js';
import { isPromise } from '../../core/realms.js';
import { throwIfAborted } from '../../core/signals.js';
import { Turns } from '../../core/turns.js';
import { answerBatch, type Batch, takeBatch } from './batch.js';
import type { Answer } from './call.js';
import { IdRoute } from './idRoute.js';
import type { EncodedText } from './ids.js';
import type { ServingOptions, ServingState } from './options.js';
import { CallQueue } from './queue.js';
import type { Route, Scored, ServedModel } from './route.js';
import { TextRoute } from './textRoute.js';

/** Texts of a small call that may be computed at once, on the thread of JavaScript. */
const AT_ONCE_TEXTS = 8;

/** Milliseconds that calls may compute at once in one turn of the event loop; what comes on top is queued. */
const TURN_BUDGET = 1;

/** Multiply-adds of a batch, above which no further text joins it: some tens of milliseconds. */
const BATCH_WORK = 1e9;

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
  readonly #model: ServedModel;
  readonly #queue: CallQueue<T>;
  readonly #route: Route<T>;
  #looping = false;
  #running = 0;
  #texts = 0;
  #batches = 0;
  /** Milliseconds that calls computed at once in this turn of the event loop. */
  #spent = 0;
  /** Set when the last batch served many callers: new calls are then queued rather than computed at once. */
  #crowded = false;
  #whenIdle: (() => void)[] = [];

  private constructor(model: ServedModel, queue: CallQueue<T>, route: Route<T>) {
    this.#model = model;
    this.#queue = queue;
    this.#route = route;
  }

  /** Serving by the addon where it reads the model's texts, else by ids. */
  static of(model: ServedModel): ModelServing {
    if (model.encoder) return new Serving<string>(model, new CallQueue(), new TextRoute(model, model.encoder));
    const queue = new CallQueue<EncodedText>();
    return new Serving(model, queue, new IdRoute(model, queue));
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

  /** Answers what has come so far, without waiting for more. */
  async drain(): Promise<void> {
    this.set({ maxWait: 0 });
    if (this.#looping) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Answers texts, in their order; an array when that could be done at once. */
  answer<A>(texts: readonly string[], answer: Answer<A>, signal?: AbortSignal): A[] | Promise<A[]> {
    throwIfAborted(signal, 'the prediction');
    const ahead: T[] = [];
    const answers = this.#answerNow(texts, ahead, answer);
    if (answers) return answers;
    const queued = this.#queue.add(texts, ahead, answer, signal);
    if (!this.#looping) {
      this.#looping = true;
      // Not before the next turn of the event loop: calls that come in this one join the first batch.
      inNextTurn(() => void this.#loop());
    }
    return queued;
  }

  /** Answers a small call at once, if nothing speaks against it; what was read of its texts is left in `ahead`. */
  #answerNow<A>(texts: readonly string[], ahead: T[], answer: Answer<A>): A[] | undefined {
    const route = this.#route;
    if (!this.#queue.empty || this.#spent >= TURN_BUDGET) return undefined;
    if (texts.length > AT_ONCE_TEXTS || !route.fits(texts)) return undefined;
    const began = now();
    const late = () => now() - began >= TURN_BUDGET;
    const short = this.#queue.settings.maxWait === 0 && !this.#crowded;
    const engines = route.read(texts, ahead, late) && short ? route.now(texts, ahead, late) : undefined;
    const scored = engines && this.#refinedNow(texts, engines, late) ? engines : undefined;
    const answers = scored && answersOf(texts.length, scored, this.#model.outputs, answer);
    this.#spend(now() - began);
    if (answers) {
      this.#texts += texts.length;
      this.#batches++;
    }
    return answers;
  }

  /** Counts time that this turn of the event loop has spent, until its end. */
  #spend(milliseconds: number): void {
    if (this.#spent === 0) {
      inNextTurn(() => {
        this.#spent = 0;
      });
    }
    this.#spent += Math.max(milliseconds, Number.MIN_VALUE);
  }

  /** Computes batch after batch until no call waits. It never throws: what fails ends the calls that it belongs to. */
  async #loop(): Promise<void> {
    const turns = new Turns();
    const flights: Flight<T>[] = [];
    const queue = this.#queue;
    do {
      // A second batch is only begun if it is full: otherwise callers that are about to be answered could have joined it.
      while (flights.length < this.#route.flights && !queue.empty) {
        if (flights.length > 0 && queue.waiting < queue.settings.maxBatch) break;
        if (flights.length === 0) await queue.pause();
        turns.restart();
        const mostTokens = BATCH_WORK / this.#model.engine.workPerToken;
        const { batch, callers } = await takeBatch(queue, this.#route, mostTokens, turns);
        this.#crowded = callers > AT_ONCE_TEXTS;
        if (batch.rows > 0) flights.push(this.#begin(batch));
      }
      const flight = flights.shift();
      if (flight) await this.#finish(flight, turns);
      // Callers that were just answered may have more to ask; without a full batch at hand, they join the next one.
      if (turns.due || queue.waiting < queue.settings.maxBatch) await turns.next();
    } while (!queue.empty || flights.length > 0);
    this.#looping = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Begins to compute a batch; the small ones are done at once. */
  #begin(batch: Batch<T>): Flight<T> {
    this.#running += batch.rows;
    let scored: Scored | Promise<Scored>;
    try {
      scored = this.#refined(batch, this.#route.batch(batch.texts, batch.tokens));
    } catch (error) {
      scored = Promise.reject(error);
    }
    // A failure is met when the answer is given; until then it must not look like one that nobody handles.
    if (isPromise(scored)) scored.catch(() => {});
    return { batch, scored };
  }

  /** Refines the scores of few texts at once; false if that would take too long, and then they are of no use. */
  #refinedNow(texts: readonly string[], { scores }: Scored, late: () => boolean): boolean {
    const { refiner, outputs } = this.#model;
    if (!refiner) return true;
    return texts.every((text, row) => {
      if (row > 0 && late()) return false;
      return refiner.now(text, scores.subarray(row * outputs, (row + 1) * outputs));
    });
  }

  /** The scores of a batch with the refiner's last word on them. */
  #refined({ runs }: Batch<T>, scored: Scored | Promise<Scored>): Scored | Promise<Scored> {
    const { refiner } = this.#model;
    if (!refiner) return scored;
    const texts = runs.flatMap(({ call, from, to }) => call.texts.slice(from, to));
    const refinedNow = ({ scores, counts }: Scored): Scored | undefined => {
      if (texts.length > AT_ONCE_TEXTS) return undefined;
      // Where one text is too long, the others' scores must still be the engine's.
      const refined = { scores: scores.slice(), counts };
      return this.#refinedNow(texts, refined, () => false) ? refined : undefined;
    };
    const refine = async (scored: Scored): Promise<Scored> => ({
      scores: await refiner.later(texts, scored.scores),
      counts: scored.counts,
    });
    // A change of thread takes longer than a few texts.
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
      await answerBatch(batch, result, this.#model.outputs, this.#queue, turns);
    } catch (error) {
      for (const { call } of batch.runs) this.#queue.fail(call, error);
    } finally {
      this.#running -= batch.rows;
    }
  }
}

/** Serving of a model, whichever way its texts go. */
export type ModelServing = Serving<string> | Serving<EncodedText>;

function answersOf<A>(rows: number, { scores, counts }: Scored, outputs: number, answer: Answer<A>): A[] {
  const answers: A[] = [];
  for (let row = 0; row < rows; row++) {
    answers.push(answer(scores, row * outputs, counts[2 * row]!, counts[2 * row + 1]!));
  }
  return answers;
}
