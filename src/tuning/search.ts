import { after, now } from '../core/clock.js';
import { RecurraError } from '../core/errors.js';
import { normalBelow, normalQuantile } from '../measures/normal.js';
import { abortedBefore } from '../training/errors.js';
import { type Candidate, type Entry, type Found, lossOf, type SearchParts } from './candidates.js';
import type { Part } from './rungs.js';
import type { Answers } from './score.js';

/** One in this many candidates of a rung continues to the next: Hyperband's eta. */
const ETA = 3;
/** The share of the search's time that has passed when a rung ends; further rungs have the rest. */
const ENDS = [0.45, 0.7, 0.85, 0.95];
/** How much longer than estimated the training of the winner may take. */
const MARGIN = 1.3;

/** Faults of a candidate's settings, not of the rows or of the machine. */
function belongsToCandidate(error: unknown): error is RecurraError {
  if (!(error instanceof RecurraError)) return false;
  return ['NON_FINITE_LOSS', 'INVALID_ARGUMENT', 'OUT_OF_RANGE', 'INVALID_DEVICE'].includes(error.code);
}

/**
 * Successive halving (Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", 2016; with the factor 3 of
 * Hyperband, Li et al. 2018): all candidates are measured a little, the best third of them more, and so on.
 *
 * The winner is the candidate with the largest score on the last rung, if that is clearly above the score of the preferred baseline on the same rows,
 * else that baseline: differences below {@link marginOf} standard errors are mostly chance.
 */
export class Search<O extends object, M extends { close(): unknown }, A = Answers> {
  readonly #parts: SearchParts<O, M, A>;
  readonly #began = now();
  readonly #entries: Entry<O, A>[] = [];
  #kept: { entry: Entry<O, A>; model: M } | undefined;
  #failure: RecurraError | undefined;

  constructor(parts: SearchParts<O, M, A>) {
    this.#parts = parts;
  }

  /** Seconds that the training of a candidate on all rows will take, by what its trials took. */
  estimate({ seconds, rows }: Entry<O, A>): number {
    return rows === 0 ? 0 : (seconds / rows) * this.#parts.allRows;
  }

  async run(): Promise<Found<O, M, A>> {
    const { rungs, signal } = this.#parts;
    let [timeIsUp, stopped] = [false, false];
    let field: Entry<O, A>[] = [];
    for (let rung = 0; rung < rungs.length && !timeIsUp && !stopped; rung++) {
      const contenders = rung === 0 ? this.#fresh() : field.values();
      const measured: Entry<O, A>[] = [];
      for (const entry of contenders) {
        if ((rung > 0 || measured.length > 0) && !this.#hasTime(rung, entry)) {
          timeIsUp = true;
          break;
        }
        try {
          await this.#climb(entry, rung);
        } catch (error) {
          if (signal?.aborted || (error instanceof TimeIsUp && this.#base())) {
            stopped = signal?.aborted === true;
            timeIsUp = !stopped;
            break;
          }
          if (error instanceof TimeIsUp || !belongsToCandidate(error)) {
            this.#close();
            throw error;
          }
          this.#failure ??= error;
          this.#parts.onFailure(entry, error);
          continue;
        }
        measured.push(entry);
        this.#parts.onTrial(entry, rung, this.board());
      }
      // The clock ends a rung, and the next one has its own time.
      if (timeIsUp && rung + 1 < rungs.length && this.#comparable(rung) && this.#hasTime(rung + 1, this.#base()))
        timeIsUp = false;
      field = this.#survivors(measured);
    }
    const winner = this.#winner();
    if (!winner) {
      this.#close();
      if (stopped) throw abortedBefore(signal?.reason);
      throw this.#failure!;
    }
    return { winner, board: this.board(), timeIsUp, aborted: stopped, model: this.#kept?.model };
  }

  /** The candidates in the order of the leaderboard: those that came furthest first, and among them the best. */
  board(): Entry<O, A>[] {
    const measured = this.#entries.filter(({ rung }) => rung >= 0);
    return measured.sort((a, b) => b.rung - a.rung || b.score - a.score || lossOf(a) - lossOf(b) || a.trial - b.trial);
  }

  /** The candidates of the first rung, each made when it is its turn. */
  *#fresh(): Generator<Entry<O, A>, void, undefined> {
    const { baselines, candidates, trials } = this.#parts;
    const entry = (candidate: Candidate<O>): Entry<O, A> => {
      const unknown = { rung: -1, score: 0, difference: 0, error: 0, seconds: 0, rows: 0 };
      const made = { ...candidate, ...unknown, trial: this.#entries.length + 1, answers: new Map(), losses: new Map() };
      this.#entries.push(made);
      return made;
    };
    for (const baseline of baselines) yield entry(baseline);
    while (this.#entries.length < trials) {
      const { done, value } = candidates.next();
      if (done) return;
      yield entry(value);
    }
  }

  /** Seconds until a rung has to end, so that the next ones and the training of the winner have time too. */
  #rungEnds(rung: number): number {
    const { seconds } = this.#parts;
    if (seconds === undefined) return Number.POSITIVE_INFINITY;
    const leaders = this.board().slice(0, 2);
    const reserved =
      MARGIN * Math.max(0, ...[...leaders, ...this.#entries.slice(0, 1)].map((each) => this.estimate(each)));
    const end = (seconds - reserved) * (ENDS[rung] ?? 1);
    return end - (now() - this.#began) / 1000;
  }

  /** Whether what others are compared with came to a rung, before the time of the rung was up. */
  #comparable(rung: number): boolean {
    const { preferred } = this.#parts;
    const tried = this.#entries.find(({ name }) => name === preferred.name);
    return tried !== undefined && this.#base()?.rung === rung;
  }

  /** Whether there is time to measure a candidate on a rung. */
  #hasTime(rung: number, entry: Entry<O, A> | undefined): boolean {
    const left = this.#rungEnds(rung);
    if (left === Number.POSITIVE_INFINITY) return true;
    const { rungs } = this.#parts;
    const parts = rungs[rung]!.parts.filter(({ id }) => !entry?.answers.has(id));
    // An untried candidate takes about as long as the others.
    const tried = this.#entries.filter(({ rows }) => rows > 0);
    const of = entry && entry.rows > 0 ? [entry] : tried;
    const pace = of.reduce((sum, { seconds }) => sum + seconds, 0) / of.reduce((sum, { rows }) => sum + rows, 0);
    return left > pace * parts.reduce((sum, { train }) => sum + train.length, 0);
  }

  /** Measures a candidate on what it lacks of a rung. */
  async #climb(entry: Entry<O, A>, rung: number): Promise<void> {
    const { rungs, measure, signal } = this.#parts;
    const { parts } = rungs[rung]!;
    let last: M | undefined;
    try {
      for (const part of parts) {
        if (entry.answers.has(part.id)) continue;
        const began = now();
        const limit = this.#limited(signal);
        try {
          const { answers, loss, model } = await measure(entry, part, limit.signal);
          last?.close();
          last = model;
          entry.answers.set(part.id, answers);
          entry.losses.set(part.id, loss);
        } catch (error) {
          if (limit.timedOut() && !signal?.aborted) throw new TimeIsUp(error);
          throw error;
        } finally {
          limit.release();
        }
        entry.seconds += (now() - began) / 1000;
        entry.rows += part.train.length;
      }
      entry.rung = rung;
      entry.score = this.#parts.scorer.score(answersOn(entry, parts));
      // What came before the baseline on this rung is compared with it now.
      const compared = entry === this.#base() ? this.#entries.filter((each) => each.rung === rung) : [entry];
      for (const each of compared) this.#compare(each, parts);
      if (this.#winner() === entry && last) {
        this.#kept?.model.close();
        this.#kept = { entry, model: last };
        last = undefined;
      }
    } finally {
      last?.close();
    }
  }

  /** Finds out by how much a candidate is better than the baseline on the parts of a rung that both have seen. */
  #compare(entry: Entry<O, A>, parts: readonly Part[]): void {
    const { scorer, heldRows } = this.#parts;
    const base = this.#base()!;
    const same = base === entry || base.rung < entry.rung;
    const [own, others] = [answersOn(entry, parts), answersOn(base, parts)];
    Object.assign(entry, same ? { difference: 0, error: 0 } : scorer.difference(own, others, heldRows));
  }

  /** A signal that is aborted with the user's, and when the time is up. */
  #limited(outer: AbortSignal | undefined) {
    const controller = new AbortController();
    let timedOut = false;
    const abort = () => controller.abort(outer?.reason);
    if (outer?.aborted) abort();
    outer?.addEventListener('abort', abort, { once: true });
    const left = this.#rungEnds(Number.POSITIVE_INFINITY);
    const cancel = Number.isFinite(left)
      ? after(Math.max(1, left * 1000), () => {
          timedOut = true;
          controller.abort();
        })
      : () => {};
    const release = () => {
      cancel();
      outer?.removeEventListener('abort', abort);
    };
    return { signal: controller.signal, timedOut: () => timedOut, release };
  }

  /** Those of a rung who come to the next one: what others are compared with, the other baselines, and the best third. */
  #survivors(measured: readonly Entry<O, A>[]): Entry<O, A>[] {
    const { baselines } = this.#parts;
    const base = this.#base();
    const isBaseline = ({ trial }: Entry<O, A>) => trial <= baselines.length;
    const ranked = measured
      .filter((entry) => !isBaseline(entry))
      .sort((a, b) => b.score - a.score || lossOf(a) - lossOf(b) || a.trial - b.trial);
    const others = measured.filter((entry) => isBaseline(entry) && entry !== base);
    return [...(base ? [base] : []), ...others, ...ranked.slice(0, Math.ceil(ranked.length / ETA))];
  }

  /** What others are compared with; undefined before the first was measured. */
  #base(): Entry<O, A> | undefined {
    const measured = this.#entries.filter(({ rung }) => rung >= 0);
    return measured.find(({ name }) => name === this.#parts.preferred.name) ?? measured[0];
  }

  /** The best candidate so far; undefined before the first was measured. */
  #winner(): Entry<O, A> | undefined {
    const base = this.#base();
    if (!base) return undefined;
    const { baselines } = this.#parts;
    // Where the others have not come to the baseline's rung, they are judged by the one before.
    const arrived = this.#entries.some(({ trial, rung }) => trial > baselines.length && rung >= base.rung);
    const least = Math.max(0, arrived ? base.rung : base.rung - 1);
    // All that were tried had the chance to be lucky on these rows, also those that were left behind.
    const clear = marginOf(this.#entries.filter((entry) => entry !== base && entry.rung >= 0).length);
    const rivals = this.#entries.filter(({ rung, difference, error }) => rung >= least && difference > clear * error);
    return rivals.reduce((best, entry) => (entry.difference > best.difference ? entry : best), base);
  }

  #close(): void {
    this.#kept?.model.close();
    this.#kept = undefined;
  }
}

/** The probability that a difference is within one standard error of 0, or below, where there is none. */
const WITHIN_ONE = normalBelow(1);

/**
 * Standard errors by which the best of several candidates must beat the baseline: 1 for one candidate, and more for
 * several, so that the probability of a lucky winner stays the same (Sidak's correction).
 */
export function marginOf(candidates: number): number {
  return normalQuantile(WITHIN_ONE ** (1 / Math.max(1, candidates)));
}

/** The answers of a candidate to the rows of some parts. */
function answersOn<A>({ answers }: Entry<object, A>, parts: readonly Part[]): A[] {
  return parts.flatMap(({ id }) => answers.get(id) ?? []);
}

/** The clock ended a training. */
class TimeIsUp extends RecurraError {
  constructor(cause: unknown) {
    super('OUT_OF_RANGE', 'the time was up before the first trial was done; give more minutes', { cause });
  }
}
