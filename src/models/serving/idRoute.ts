import { Turns } from '../../core/turns.js';
import { type Call, textAt } from './call.js';
import { countsOf, type EncodedText, encodeText, encodeTokens, flat, splitTogether } from './ids.js';
import type { CallQueue } from './queue.js';
import type { Route, Scored, ServedModel } from './route.js';

/** JavaScript makes ids of the texts: with a tokenizer of the caller, HuggingFace's, or `unicode_words`. */
export class IdRoute implements Route<EncodedText> {
  readonly flights = 1;
  readonly #model: ServedModel;
  readonly #queue: CallQueue<EncodedText>;

  constructor(model: ServedModel, queue: CallQueue<EncodedText>) {
    this.#model = model;
    this.#queue = queue;
  }

  fits(texts: readonly string[]): boolean {
    return !splitTogether(this.#model, texts, 0);
  }

  read(texts: readonly string[], ahead: EncodedText[], late: () => boolean): boolean {
    do ahead.push(encodeText(this.#model, textAt(texts, ahead.length)));
    while (ahead.length < texts.length && !late());
    return ahead.length === texts.length;
  }

  now(_texts: readonly string[], ahead: readonly EncodedText[]): Scored | undefined {
    return this.#scoresNow(ahead);
  }

  next(call: Call<EncodedText>): EncodedText | Promise<EncodedText | undefined> {
    const reading = call.read === call.taken ? this.#read(call) : undefined;
    return reading ? reading.then(() => call.ahead[call.taken]) : call.ahead[call.taken]!;
  }

  tokensOf({ ids }: EncodedText): number {
    return ids.length;
  }

  batch(texts: readonly EncodedText[]): Scored | Promise<Scored> {
    return this.#scoresNow(texts) ?? this.#inBackground(texts);
  }

  #scoresNow(texts: readonly EncodedText[]): Scored | undefined {
    const { tokens, lengths } = flat(texts);
    const scores = this.#model.engine.scoresNow?.(tokens, lengths);
    return scores && { scores, counts: countsOf(texts) };
  }

  /** Reads a call's next text, or where the tokenizer does that away from the event loop, some texts. */
  #read(call: Call<EncodedText>): Promise<void> | undefined {
    const together = splitTogether(this.#model, call.texts, call.read);
    if (!together) {
      call.ahead[call.read] = encodeText(this.#model, textAt(call.texts, call.read));
      call.read++;
      return undefined;
    }
    return together.tokenizer.tokenizeMany(together.texts).then((lists) => {
      if (call.ended) return;
      for (const tokens of lists) call.ahead[call.read++] = encodeTokens(this.#model, tokens);
    });
  }

  async #inBackground(texts: readonly EncodedText[]): Promise<Scored> {
    const { tokens, lengths } = flat(texts);
    const pending = this.#model.engine.scores(tokens, lengths);
    const ahead = this.#readAhead(pending);
    try {
      return { scores: await pending, counts: countsOf(texts) };
    } finally {
      await ahead;
    }
  }

  /** Reads the texts of the batch to come until the engine has computed the present one. */
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
