/** A part of something, by name. */
export interface Share {
  /** Name in English. */
  name: string;
  /** From 0 to 1. */
  share: number;
}

/** Known scripts; letters of others count as "Other". */
const SCRIPTS = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Han',
  'Hiragana',
  'Katakana',
  'Hangul',
  'Arabic',
  'Hebrew',
  'Devanagari',
  'Bengali',
  'Tamil',
  'Telugu',
  'Thai',
  'Lao',
  'Khmer',
  'Myanmar',
  'Ethiopic',
  'Georgian',
  'Armenian',
] as const;
const TESTS = SCRIPTS.map((script) => [script, new RegExp(`\\p{Script=${script}}`, 'u')] as const);
const LETTER = /\p{L}/u;

/** Approximate number of texts whose language is detected. */
const TEXTS = 2_000;
/** Minimum letters for a reliable guess. */
const LETTERS = 40;
/** Code units examined per text. */
const LOOKED_AT = 2_000;
/** Languages with a smaller share are usually wrong guesses. */
const LEAST_SHARE = 0.05;

const NAMES = new Intl.DisplayNames('en', { type: 'language' });

function shares(counts: ReadonlyMap<string, number>, total: number): Share[] {
  const all = [...counts].map(([name, count]) => ({ name, share: count / total }));
  return all.sort((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1));
}

/** Guesses the language of a text: its code by ISO 639-3, `und` for none. */
export type Guess = (text: string) => string;

/**
 * franc-min, loaded when texts are first inspected. It guesses by the trigrams of 82 languages.
 *
 * @internal
 */
export async function languageGuess(): Promise<Guess> {
  const { franc } = await import('franc-min');
  return franc;
}

/**
 * Guesses the languages of texts, and counts the scripts of their letters, on a sample that gets sparser as texts
 * accumulate.
 *
 * @internal
 */
export class LanguageCounter {
  readonly #scriptOf = new Map<string, string | undefined>();
  readonly #scripts = new Map<string, number>();
  readonly #languages = new Map<string, number>();
  readonly #guess: Guess;
  #letters = 0;
  #guessed = 0;
  #seen = 0;
  #looked = 0;
  #every = 1;

  constructor(guess: Guess) {
    this.#guess = guess;
  }

  /** Takes a text. */
  add(text: string): void {
    if (this.#seen++ % this.#every !== 0) return;
    if (++this.#looked % TEXTS === 0) this.#every *= 2;
    const part = text.slice(0, LOOKED_AT);
    const letters = this.#countLetters(part);
    if (letters < LETTERS) return;
    const code = this.#guess(part);
    if (code === 'und') return;
    this.#guessed++;
    this.#languages.set(code, (this.#languages.get(code) ?? 0) + 1);
  }

  /** Share of letters by script. */
  get scripts(): Share[] {
    return shares(this.#scripts, this.#letters);
  }

  /** Share of each language among the texts long enough to guess it, without those of less than 5 %. */
  get languages(): Share[] {
    const all = shares(this.#languages, this.#guessed);
    return all
      .filter(({ share }) => share >= LEAST_SHARE)
      .map(({ name, share }) => ({ name: NAMES.of(name) ?? name, share }));
  }

  #countLetters(text: string): number {
    let letters = 0;
    for (const character of text) {
      const script = this.#script(character);
      if (script === undefined) continue;
      letters++;
      this.#scripts.set(script, (this.#scripts.get(script) ?? 0) + 1);
    }
    this.#letters += letters;
    return letters;
  }

  #script(character: string): string | undefined {
    if (this.#scriptOf.has(character)) return this.#scriptOf.get(character);
    const script = LETTER.test(character)
      ? (TESTS.find(([, test]) => test.test(character))?.[0] ?? 'Other')
      : undefined;
    this.#scriptOf.set(character, script);
    return script;
  }
}
