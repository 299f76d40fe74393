import { counted } from '../core/counted.js';
import { RecurraError } from '../core/errors.js';

/** Counts the texts that are worked on outside the model's queue, and refuses what is too much. */
export class UnderWay {
  readonly #most: number;
  readonly #done: string;
  #texts = 0;

  /**
   * @param most - Texts that may be worked on at the same time.
   * @param done - What is done with them, for the message: `written or measured`.
   */
  constructor(most: number, done: string) {
    this.#most = most;
    this.#done = done;
  }

  /** Texts that are worked on now. */
  get texts(): number {
    return this.#texts;
  }

  /**
   * Counts a text until the returned function is called.
   *
   * @throws `RecurraError` with the code `OVERLOADED` if as many texts as may be are under way.
   */
  begin(): () => void {
    if (this.#texts >= this.#most)
      throw new RecurraError(
        'OVERLOADED',
        `${counted(this.#texts, 'text')} ${this.#texts === 1 ? 'is' : 'are'} already being ${this.#done}, which is the limit`,
      );
    this.#texts++;
    return () => {
      this.#texts--;
    };
  }
}
