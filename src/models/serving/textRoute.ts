import { AT_ONCE_WORK } from '../../engine/engine.js';
import type { NativeEncoder } from '../../text/encoder.js';
import { type Asked, type Call, textAt } from './call.js';
import type { Route, Scored, ServedModel } from './route.js';

/** Lower bound of the average characters per token, including the following space: for texts that are not split yet. */
const TOKEN_LENGTH = 4;

/** Characters of a text that weigh as much as a token even if it is truncated, because they are copied. */
const COPIED_AS_TOKEN = 16;

/** The route where the addon reads the texts and its engine computes them directly. */
export class TextRoute implements Route<string> {
  /** The texts of a batch are split while another one is computed. */
  readonly flights = 2;
  readonly #model: ServedModel;
  readonly #encoder: NativeEncoder;
  /** Buffer for a text's scores, followed by its two counts. */
  readonly #row: Float32Array;
  readonly #counts: Float32Array;

  constructor(model: ServedModel, encoder: NativeEncoder) {
    this.#model = model;
    this.#encoder = encoder;
    this.#row = new Float32Array(model.outputs + 2);
    this.#counts = this.#row.subarray(model.outputs);
  }

  fits(): boolean {
    return true;
  }

  read(): boolean {
    return true;
  }

  now(texts: readonly Asked[], _ahead: readonly string[], late: () => boolean): Scored | undefined {
    // The row is read before the next text is computed.
    if (texts.length === 1) {
      return this.#textNow(textAt(texts, 0)) ? { scores: this.#row, counts: this.#counts } : undefined;
    }
    return this.#manyNow(texts, late);
  }

  next({ texts, taken }: Call<string>): string {
    return textAt(texts, taken);
  }

  tokensOf({ length }: string): number {
    return 1 + Math.max(Math.min(length / TOKEN_LENGTH, this.#encoder.maxTokens), length / COPIED_AS_TOKEN);
  }

  scoresOf(): number {
    return this.#model.outputs;
  }

  batch(texts: readonly string[], tokens: number): Scored | Promise<Scored> {
    const small = tokens * this.#model.engine.workPerToken <= AT_ONCE_WORK;
    return (small && this.#manyNow(texts, () => false)) || this.#inBackground(texts);
  }

  /** Lets the addon compute a text synchronously, into `#row`. */
  #textNow(text: string): boolean {
    return this.#model.engine.scoreTextNow?.(this.#encoder, text, this.#row) ?? false;
  }

  #manyNow(texts: readonly Asked[], late: () => boolean): Scored | undefined {
    const { outputs } = this.#model;
    const scores = new Float32Array(texts.length * outputs);
    const counts = new Uint32Array(2 * texts.length);
    for (let row = 0; row < texts.length; row++) {
      if ((row > 0 && late()) || !this.#textNow(textAt(texts, row))) return undefined;
      scores.set(this.#row.subarray(0, outputs), row * outputs);
      counts.set(this.#counts, 2 * row);
    }
    return { scores, counts };
  }

  async #inBackground(texts: readonly string[]): Promise<Scored> {
    const { engine } = this.#model;
    if (engine.scoreTexts) {
      const { scores, counts } = await engine.scoreTexts(this.#encoder, texts);
      return { scores, counts };
    }
    // An engine on a GPU takes ids, since it belongs to another addon.
    const { ids, counts } = await this.#encoder.native.encode(texts);
    const lengths = Int32Array.from(texts, (_, row) => counts[2 * row]! || 1);
    return { scores: await engine.scores(ids, lengths), counts };
  }
}
