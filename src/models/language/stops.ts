/** Passes on a text piece by piece up to the first complete stop string, however it is split into pieces. */
export class Stops {
  readonly #stops: readonly string[];
  /** Text that may be the beginning of a stop string. */
  #held = '';
  #found = false;

  constructor(stops: readonly string[] = []) {
    this.#stops = stops;
  }

  /** Whether a stop string was found. */
  get found(): boolean {
    return this.#found;
  }

  /** Takes a piece; returns the text that can be passed on. */
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

  /** Returns the withheld text, at the end. */
  end(): string {
    const text = this.#held;
    this.#held = '';
    return text;
  }
}

/**
 * Where the first complete stop string begins, the longest of several with the same end. Independent of how the text is
 * split. Undefined if there is none.
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

/** Number of characters at the end of a text that are the beginning of `stop`. */
function begun(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--)
    if (text.endsWith(stop.slice(0, length))) return length;
  return 0;
}
