import { keepLargest } from '../core/largest.js';
import { Turns } from '../core/turns.js';
import { beginning } from '../inspection/found.js';
import type { TextClassifier } from '../models/classifier/classifier.js';
import type { ExplainMethod, Explanation } from '../models/classifier/explain.js';
import type { ExplainedMistake } from './format.js';

/** Maximum code units shown of an explained text. */
const SHOWN = 600;
/** Longer texts are not explained: they would be kept whole and take long. */
const LONGEST = 20_000;

/** A mistake that may be explained. */
export interface Mistake extends Omit<ExplainedMistake, 'tokens' | 'text'> {
  /** The whole text. */
  text: string;
}

/** Keeps a model's most confident mistakes. */
export class Mistakes {
  readonly #most: number;
  readonly #kept: { certainty: number; mistake: Mistake }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Adds a mistake with its certainty; `make` is called if it is kept. */
  add(certainty: number, text: string, make: () => Mistake): void {
    if (text.length <= LONGEST)
      keepLargest(
        this.#kept,
        this.#most,
        certainty,
        (each) => each.certainty,
        () => ({ certainty, mistake: make() }),
      );
  }

  /** The mistakes, explained. */
  async explained(
    model: TextClassifier,
    signal: AbortSignal | undefined,
    onDone: (texts: number) => void,
  ): Promise<ExplainedMistake[]> {
    const turns = new Turns(signal, undefined, 'the report');
    const all: ExplainedMistake[] = [];
    // The part of the model with the larger share is shown.
    const byLinear = model.recurrent && model.mix !== undefined && model.mix.network < 0.5;
    // The linear part is the same with any method, and this one is faster.
    const method: ExplainMethod = byLinear ? 'gradientInput' : 'occlusion';
    for (const { mistake } of this.#kept) {
      const { text, label } = mistake;
      const explanation = await model.explain(text, { label, method, ...(signal && { signal }) });
      all.push({ ...mistake, text: beginning(text, SHOWN), tokens: tokensOf(explanation, byLinear) });
      onDone(all.length);
      await turns.next();
    }
    return all;
  }
}

/** The contributing parts of a text, without n-grams: to the linear model, or to the network. */
function tokensOf({ tokens }: Explanation, byLinear: boolean): ExplainedMistake['tokens'] {
  const parts: ExplainedMistake['tokens'] = [];
  let largest = 0;
  let end = 0;
  for (const token of tokens) {
    if (token.start === undefined || token.end === undefined || token.start < end || token.end > SHOWN) continue;
    const contribution = byLinear ? (token.linear ?? 0) : token.contribution;
    parts.push({ start: token.start, end: token.end, contribution });
    largest = Math.max(largest, Math.abs(contribution));
    end = token.end;
  }
  return parts.map((part) => ({
    ...part,
    contribution: largest === 0 ? 0 : Number((part.contribution / largest).toFixed(3)),
  }));
}
