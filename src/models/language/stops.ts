/** Passes a text on piece by piece up to the string, of some, that is complete first, whatever pieces it stands in. */
export class Stops {
  readonly #stops: readonly string[];
  /** What may be the beginning of such a string. */
  #held = '';
  #found = false;

  constructor(stops: readonly string[] = []) {
    this.#stops = stops;
  }

  /** Whether one of the strings came. */
  get found(): boolean {
    return this.#found;
  }

  /** The text that can be passed on now. */
  push(piece: string): string {
    if (this.#found) return '';
    const text = this.#held + piece;
    const place = firstOf(this.#stops, text);
    if (place !== undefined) {
      this.#found = true;
      this.#held = '';
      return text.slice(0, place);
    }
    const kept = this.#stops.reduce((most, stop) => Math.max(most, begun(text, stop)), 0);
    this.#held = text.slice(text.length - kept);
    return text.slice(0, text.length - kept);
  }

  /** What was held back, at the end of the text. */
  end(): string {
    const text = this.#held;
    this.#held = '';
    return text;
  }
}

/**
 * Where the string begins that is complete first, and of several that end in the same place the longest: whatever the pieces are, it is the
 * same. Undefined if there is none.
 */
export function firstOf(stops: readonly string[], text: string): number | undefined {
  let first: { start: number; end: number } | undefined;
  for (const stop of stops) {
    const start = text.indexOf(stop);
    const end = start + stop.length;
    if (start < 0 || (first && (end > first.end || (end === first.end && start > first.start)))) continue;
    first = { start, end };
  }
  return first?.start;
}

/** How many characters at the end of a text are the beginning of `stop`. */
function begun(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--)
    if (text.endsWith(stop.slice(0, length))) return length;
  return 0;
}
