import { isPromise } from '../../core/realms.js';
import type { Turns } from '../../core/turns.js';
import type { Call } from './call.js';
import type { CallQueue } from './queue.js';
import type { Route, Scored } from './route.js';

/** Texts gathered between two checks of the clock. */
const TEXTS_A_LOOK = 64;

/** Consecutive texts of a call: elements `from` to `to - 1`. */
interface Run<T> {
  call: Call<T>;
  from: number;
  to: number;
}

/** Texts that are computed together. */
export class Batch<T> {
  readonly runs: Run<T>[] = [];
  readonly texts: T[] = [];
  /** Their weight in tokens. */
  tokens = 0;

  get rows(): number {
    return this.texts.length;
  }

  /** Adds the next text of a call. */
  add(call: Call<T>, text: T, tokens: number): void {
    const run = this.runs.at(-1);
    if (run?.call === call) run.to++;
    else this.runs.push({ call, from: call.taken, to: call.taken + 1 });
    this.texts.push(text);
    this.tokens += tokens;
    call.ahead[call.taken++] = undefined;
  }
}

/**
 * Takes the texts that have waited longest. An unfinished call then goes to the end of the queue.
 *
 * @param mostTokens - Token count above which no further text joins the batch.
 * @returns the batch, and the number of calls examined.
 */
export async function takeBatch<T>(
  queue: CallQueue<T>,
  route: Route<T>,
  mostTokens: number,
  turns: Turns,
): Promise<{ batch: Batch<T>; callers: number }> {
  const batch = new Batch<T>();
  const { maxBatch } = queue.settings;
  const unfinished: Call<T>[] = [];
  let callers = 0;
  let full = false;
  for (const end = queue.calls.length; callers < end && !full; callers++) {
    const call = queue.calls[callers]!;
    const before = call.taken;
    while (!call.ended && call.taken < call.texts.length) {
      let text: T | undefined;
      try {
        const next = route.next(call);
        // Awaiting a non-promise would cost more than most texts.
        text = isPromise(next) ? await next : next;
      } catch (error) {
        queue.fail(call, error);
      }
      if (text === undefined || call.ended) break;
      const tokens = route.tokensOf(text);
      full = batch.rows > 0 && (batch.rows >= maxBatch || batch.tokens + tokens > mostTokens);
      if (full) break;
      batch.add(call, text, tokens);
      if ((typeof text !== 'string' || batch.rows % TEXTS_A_LOOK === 0) && turns.due) await turns.next();
    }
    if (call.ended) continue;
    if (full && call.taken === before) break;
    const left = call.texts.length - call.taken;
    queue.weigh(call, Math.min(left, maxBatch));
    if (left > 0) unfinished.push(call);
  }
  queue.calls = [...queue.calls.slice(callers), ...unfinished];
  return { batch, callers };
}

/** Gives each call of a batch the answers to its texts. An error ends only its own call. */
export async function answerBatch<T>(
  batch: Batch<T>,
  { scores, counts }: Scored,
  route: Pick<Route<T>, 'scoresOf'>,
  queue: CallQueue<T>,
  turns: Turns,
): Promise<void> {
  let row = 0;
  let start = 0;
  for (const { call, from, to } of batch.runs) {
    for (let index = from; index < to; index++, row++) {
      const text = batch.texts[row]!;
      const own = start;
      start += route.scoresOf(text);
      if (call.ended) continue;
      try {
        call.answers[index] = call.answer(scores, own, counts[2 * row]!, counts[2 * row + 1]!, text);
      } catch (error) {
        queue.fail(call, error);
        continue;
      }
      if (++call.answered === call.texts.length) {
        call.ended = true;
        call.resolve(call.answers);
      }
      if (row % TEXTS_A_LOOK === 0 && turns.due) await turns.next();
    }
  }
}
