import { wilson } from '../measures/wilson.js';
import type { Grouping } from './format.js';

/** Upper bounds of the groups by number of tokens; longer texts form another group. */
const LENGTHS = [0, 5, 10, 20, 50, 100, 200, 400] as const;
/** Lower bounds of the groups by share of known tokens. */
const KNOWN = [1, 0.9, 0.75, 0.5, 0] as const;
/** Maximum values of a column counted, and shown. */
const MOST_COUNTED = 10_000;
const MOST_SHOWN = 20;
const NO_VALUE = '(no value)';
const OTHERS = '(others)';

/** Counts rows of groups. */
class Tally {
  readonly #groups = new Map<string, { rows: number; right: number }>();

  constructor(names: readonly string[] = []) {
    for (const name of names) this.#groups.set(name, { rows: 0, right: 0 });
  }

  add(name: string, right: boolean): void {
    const counted = this.#groups.has(name) || this.#groups.size < MOST_COUNTED ? name : OTHERS;
    const group = this.#groups.get(counted) ?? { rows: 0, right: 0 };
    this.#groups.set(counted, group);
    group.rows++;
    if (right) group.right++;
  }

  /** @param most - Maximum groups; smaller ones are combined. */
  finish(by: string, most?: number): Grouping {
    let all = [...this.#groups].filter(([, { rows }]) => rows > 0);
    if (most !== undefined) {
      all.sort(([, a], [, b]) => b.rows - a.rows);
      const rest = all.slice(most);
      if (rest.length > 0) {
        const sum = { rows: 0, right: 0 };
        for (const [, { rows, right }] of rest) {
          sum.rows += rows;
          sum.right += right;
        }
        all = [...all.slice(0, most), [OTHERS, sum]];
      }
    }
    const groups = all.map(([name, { rows, right }]) => ({ name, rows, accuracy: wilson(right, rows) }));
    return { by, groups };
  }
}

const lengthNames = LENGTHS.map((to, at) => (at === 0 ? '0' : `${LENGTHS[at - 1]! + 1} to ${to}`));
const LONGEST = `over ${LENGTHS.at(-1)!}`;
const knownNames = ['all', '90 to 99 %', '75 to 89 %', '50 to 74 %', 'under 50 %'];

/** Counts correct rows: by their length, by the share of known tokens, and by a column. */
export class Groups {
  readonly #lengths = new Tally([...lengthNames, LONGEST]);
  readonly #known = new Tally(knownNames);
  readonly #column: Tally | undefined;
  readonly #by: string | undefined;

  constructor(by: string | undefined) {
    this.#by = by;
    if (by !== undefined) this.#column = new Tally();
  }

  /** Counts a row. */
  add(row: object, tokens: number, knownTokens: number, right: boolean): void {
    this.#lengths.add(lengthNames[LENGTHS.findIndex((to) => tokens <= to)] ?? LONGEST, right);
    if (tokens > 0) {
      const share = knownTokens / tokens;
      this.#known.add(knownNames[KNOWN.findIndex((from) => share >= from)]!, right);
    }
    if (this.#by === undefined) return;
    const value = (row as Readonly<Record<string, unknown>>)[this.#by];
    this.#column!.add(
      value === undefined || value === null || value === '' ? NO_VALUE : String(value).slice(0, 200),
      right,
    );
  }

  finish(): Grouping[] {
    const own = this.#column && this.#by !== undefined ? [this.#column.finish(this.#by, MOST_SHOWN)] : [];
    return [...own, this.#lengths.finish('tokens'), this.#known.finish('known words')];
  }
}
