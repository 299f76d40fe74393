import { Turns } from '../../core/turns.js';
import type { Asked, Call } from './call.js';
import { countsOf, type EncodedText, type FlatTexts, type IdReader } from './ids.js';
import type { CallQueue } from './queue.js';
import type { Route, Scored, ServedModel } from './route.js';

/**
 * The route where JavaScript encodes texts (with a custom tokenizer, Hugging Face's, or `unicode_words`) or tokens as
 * ids.
 */
export class IdRoute<T extends EncodedText> implements Route<T> {
  readonly flights = 1;
  readonly #engine: ServedModel['engine'];
  readonly #reader: IdReader<T>;
  readonly #queue: CallQueue<T>;

  constructor(engine: ServedModel['engine'], reader: IdReader<T>, queue: CallQueue<T>) {
    this.#engine = engine;
    this.#reader = reader;
    this.#queue = queue;
  }

  fits(texts: readonly Asked[]): boolean {
    return !this.#reader.together(texts, 0);
  }

  read(texts: readonly Asked[], ahead: T[], late: () => boolean): boolean {
    do ahead.push(this.#reader.read(texts, ahead.length));
    while (ahead.length < texts.length && !late());
    return ahead.length === texts.length;
  }

  now(_texts: readonly Asked[], ahead: readonly T[]): Scored | undefined {
    if (!this.#engine.scoresNow || this.#reader.flatInTurns?.(ahead)) return undefined;
    const flat = this.#reader.flat(ahead);
    try {
      return this.#scoresNow(ahead, flat);
    } finally {
      flat.forms?.close();
    }
  }

  next(call: Call<T>): T | Promise<T | undefined> {
    const reading = call.read === call.taken ? this.#read(call) : undefined;
    return reading ? reading.then(() => call.ahead[call.taken]) : call.ahead[call.taken]!;
  }

  tokensOf({ ids }: T): number {
    return ids.length;
  }

  scoresOf(text: T): number {
    return this.#reader.scoresOf(text);
  }

  batch(texts: readonly T[]): Scored | Promise<Scored> {
    const later = this.#reader.flatInTurns?.(texts);
    if (later) return later.then((flat) => this.#inBackground(texts, flat));
    const flat = this.#reader.flat(texts);
    const scored = this.#scoresNow(texts, flat);
    if (!scored) return this.#inBackground(texts, flat);
    flat.forms?.close();
    return scored;
  }

  #scoresNow(texts: readonly T[], { tokens, lengths, forms }: FlatTexts): Scored | undefined {
    const scores = this.#engine.scoresNow?.(tokens, lengths, forms);
    return scores && { scores, counts: countsOf(texts) };
  }

  /** Reads a call's next text, or several if that happens off the event loop. */
  #read(call: Call<T>): Promise<void> | undefined {
    const together = this.#reader.together(call.texts, call.read);
    if (!together) {
      call.ahead[call.read] = this.#reader.read(call.texts, call.read);
      call.read++;
      return undefined;
    }
    return together().then((texts) => {
      if (call.ended) return;
      for (const text of texts) call.ahead[call.read++] = text;
    });
  }

  async #inBackground(texts: readonly T[], { tokens, lengths, forms }: FlatTexts): Promise<Scored> {
    const pending = this.#engine.scores(tokens, lengths, forms);
    const ahead = this.#readAhead(pending);
    try {
      return { scores: await pending, counts: countsOf(texts) };
    } finally {
      await ahead;
      forms?.close();
    }
  }

  /** Reads texts of the next batch until the engine has computed the current one. */
  async #readAhead(pending: Promise<unknown>): Promise<void> {
    const queue = this.#queue;
    let computing = true;
    const stop = () => {
      computing = false;
      queue.wake();
    };
    pending.then(stop, stop);
    const turns = new Turns();
    let rows = queue.calls.reduce((sum, { read, taken }) => sum + read - taken, 0);
    for (let place = 0; computing; ) {
      const call = queue.calls[place];
      if (!call || rows >= queue.settings.maxBatch) {
        await queue.woken();
        turns.restart();
      } else if (call.ended || call.read === call.texts.length) {
        place++;
      } else {
        rows -= call.read;
        try {
          await this.#read(call);
        } catch (error) {
          queue.fail(call, error);
        }
        rows += call.read;
        if (turns.due) await turns.next();
      }
    }
  }
}
