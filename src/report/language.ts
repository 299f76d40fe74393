import type { SettingsOf } from '../core/options/table.js';
import { withOrigin } from '../data/readers/rows.js';
import { beginning } from '../inspection/found.js';
import type { LanguageModel } from '../models/language/language.js';
import type { LanguageTexts } from '../models/language/options.js';
import { networkFacts } from './facts.js';
import type { LanguageReport, PositionShown, SampleShown, ScoredText } from './format.js';
import type { REPORT } from './options.js';
import { trainingShown } from './training.js';

/** Texts scored by position, and characters of each. */
const SCORED = 100;
const CHARACTERS = 2_000;
/** Number of sampled texts, their units, and the number of least probable texts shown. */
const WRITTEN = 3;
const UNITS = 200;
const HARDEST = 20;
const SHOWN = 300;

/** Yields texts and keeps the first ones. */
function kept(texts: LanguageTexts, first: string[]): LanguageTexts {
  async function* read() {
    for await (const given of texts as AsyncIterable<string | { text: string }>) {
      const text = typeof given === 'string' ? given : given?.text;
      if (first.length < SCORED && typeof text === 'string' && text !== '') first.push(beginning(text, CHARACTERS));
      yield given;
    }
  }
  return withOrigin(read(), texts) as LanguageTexts;
}

/** The losses of units by position: 1, 2, 3 to 4, 5 to 8 and so on. */
class Places {
  readonly #sums: { units: number; loss: number }[] = [];

  add(logProbabilities: Float64Array): void {
    for (const [at, value] of logProbabilities.entries()) {
      const place = Math.ceil(Math.log2(at + 1));
      this.#sums[place] ??= { units: 0, loss: 0 };
      const sum = this.#sums[place];
      sum.units++;
      sum.loss -= value;
    }
  }

  finish(): PositionShown[] {
    return this.#sums.map(({ units, loss }, place) => ({
      from: place === 0 ? 1 : 2 ** (place - 1) + 1,
      to: 2 ** place,
      units,
      perplexity: Math.exp(loss / units),
    }));
  }
}

/** Gathers a language model's report. */
export async function languageReport(
  model: LanguageModel,
  texts: LanguageTexts,
  { seed, signal, onProgress, events }: SettingsOf<typeof REPORT>,
  version: string,
): Promise<LanguageReport> {
  const first: string[] = [];
  const stop = signal ? { signal } : {};
  const { rows, perplexity, bitsPerCharacter, loss } = await model.evaluate(kept(texts, first), stop);
  const places = new Places();
  const scored: ScoredText[] = [];
  for (const [at, text] of first.entries()) {
    const score = await model.score(text, stop);
    places.add(score.logProbabilities);
    scored.push({ row: at + 1, text: beginning(text, SHOWN), perplexity: score.perplexity });
    onProgress?.({ stage: 'explaining', done: at + 1 });
  }
  const samples: SampleShown[] = [];
  for (let own = seed; own < seed + WRITTEN; own++) {
    let text = '';
    for await (const piece of model.generate('', { maxNewTokens: UNITS, seed: own, ...stop })) text += piece;
    samples.push({ seed: own, text });
  }
  return {
    kind: 'language',
    version,
    facts: [{ name: 'units', value: model.units }, ...networkFacts(model)],
    training: trainingShown(model.card, events),
    rows,
    units: model.units,
    perplexity,
    bitsPerCharacter,
    loss,
    positions: places.finish(),
    hardest: scored.sort((a, b) => b.perplexity - a.perplexity).slice(0, HARDEST),
    samples,
  };
}
