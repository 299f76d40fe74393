import { Random } from '../core/random.js';
import type { Candidate } from './candidates.js';

/** Values of each option that differ from its default, in order of promise. */
export type Values<O extends object> = { [Name in keyof O]?: readonly NonNullable<O[Name]>[] };

/** Settings in a few words. */
function nameOf(options: object): string {
  const words = Object.entries(options).map(([name, value]) => {
    if (typeof value === 'boolean') return value ? name : `no ${name}`;
    return typeof value === 'number' ? `${name} ${value}` : `${name} '${value}'`;
  });
  return words.join(', ');
}

/** Maximum options changed in randomly drawn settings. */
const MOST_CHANGES = 4;
/** Consecutive draws without new settings after which the search space counts as exhausted. */
const MOST_REPEATS = 200;

/**
 * The settings to try besides the baselines: first each option alone at its most promising value, then several options
 * at once, drawn by the seed. The same values and seed give the same order.
 */
export function* drawnCandidates<O extends object>(
  values: Values<O>,
  seed: number,
): Generator<Candidate<O>, undefined, undefined> {
  const choices = Object.entries(values) as [string, readonly unknown[]][];
  const seen = new Set<string>();
  const made = function* (options: object): Generator<Candidate<O>, void, undefined> {
    const name = nameOf(options);
    if (seen.has(name)) return;
    seen.add(name);
    yield { name, options: options as O };
  };
  for (const [name, [first]] of choices) if (first !== undefined) yield* made({ [name]: first });
  const random = new Random(seed, 1);
  const names = choices.map((_, index) => index);
  for (let repeats = 0; repeats < MOST_REPEATS && names.length > 0; repeats++) {
    const changes = 1 + random.int(Math.min(MOST_CHANGES, names.length));
    const chosen = random
      .shuffle([...names])
      .slice(0, changes)
      .sort((a, b) => a - b);
    const options = Object.fromEntries(
      chosen.map((index) => {
        const [name, of] = choices[index]!;
        return [name, of[random.int(of.length)]];
      }),
    );
    for (const candidate of made(options)) {
      repeats = -1;
      yield candidate;
    }
  }
  return undefined;
}
