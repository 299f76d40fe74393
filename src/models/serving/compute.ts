import { AT_ONCE_WORK } from '../../engine/engine.js';
import { type EncodedText, type Prediction, type Predictor, predictionOf } from '../classifier/prediction.js';
import { type Batch, type Computed, countsOf, flat, textAt } from './call.js';

/** Lets the engine compute: texts that the addon reads itself, or token ids. */
export class Compute {
  readonly #predictor: Predictor;
  /** What the addon writes a text's probabilities into, and its two counts. */
  readonly #row: Float32Array;

  constructor(predictor: Predictor) {
    this.#predictor = predictor;
    this.#row = new Float32Array(predictor.labels.length + 2);
  }

  /** Lets the addon label a text at once, into `#row`. */
  #textNow(text: string): boolean {
    const { engine, encoder } = this.#predictor;
    return engine.predictTextNow?.(encoder!, text, this.#row) ?? false;
  }

  /**
   * Labels texts at once, where the addon reads them; undefined if one would take too long, or `late` says after the first that
   * all together do.
   */
  textsNow(texts: readonly string[], topK: number, late: () => boolean): Prediction[] | undefined {
    const { length } = this.#predictor.labels;
    const predictions: Prediction[] = [];
    for (let index = 0; index < texts.length; index++) {
      if ((index > 0 && late()) || !this.#textNow(textAt(texts, index))) return undefined;
      const [count, known] = [this.#row[length]!, this.#row[length + 1]!];
      predictions.push(predictionOf(this.#predictor, this.#row, 0, topK, count, known));
    }
    return predictions;
  }

  /** Labels encoded texts at once; undefined if that would take too long. */
  encodedNow(texts: readonly EncodedText[], topK: number): Prediction[] | undefined {
    const { engine, labels } = this.#predictor;
    const { tokens, lengths } = flat(texts);
    const probabilities = engine.predictNow?.(tokens, lengths);
    return (
      probabilities &&
      texts.map(({ count, known }, row) =>
        predictionOf(this.#predictor, probabilities, row * labels.length, topK, count, known),
      )
    );
  }

  /** Computes a batch, at once if it is small; token ids for which that would take too long by `inBackground`. */
  batch(
    { texts, encoded, tokens }: Batch,
    inBackground: (tokens: Int32Array, lengths: Int32Array) => Promise<Float32Array>,
  ): Computed | Promise<Computed> {
    const { engine, encoder } = this.#predictor;
    if (texts.length > 0) {
      const small = tokens * engine.workPerToken <= AT_ONCE_WORK;
      return (small && this.#smallNow(texts)) || engine.predictTexts!(encoder!, texts);
    }
    const { tokens: ids, lengths } = flat(encoded);
    const counts = countsOf(encoded);
    const probabilities = engine.predictNow?.(ids, lengths);
    if (probabilities) return { probabilities, counts };
    return inBackground(ids, lengths).then((probabilities) => ({ probabilities, counts }));
  }

  #smallNow(texts: readonly string[]): Computed | undefined {
    const { length } = this.#predictor.labels;
    const probabilities = new Float32Array(texts.length * length);
    const counts = new Uint32Array(2 * texts.length);
    for (let row = 0; row < texts.length; row++) {
      if (!this.#textNow(texts[row]!)) return undefined;
      probabilities.set(this.#row.subarray(0, length), row * length);
      counts.set(this.#row.subarray(length), 2 * row);
    }
    return { probabilities, counts };
  }
}
