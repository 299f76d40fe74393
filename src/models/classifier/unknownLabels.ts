import { counted } from '../../core/counted.js';
import { DataError } from '../../core/errors.js';
import { listed } from '../../core/listed.js';
import { type GivenRow, placeInWords, positionOf, type RowsOrigin, withOrigin } from '../../data/readers/rows.js';
import { labelled } from '../../data/sets/labels.js';

/** Maximum labels counted separately; others are counted together. */
const MOST_LABELS = 10_000;

interface Unknown {
  rows: number;
  /** The number of the first row that has it, and its line. */
  row: number;
  line: number | undefined;
}

/** The labels of rows that a model does not have. */
export class UnknownLabels {
  readonly #known: ReadonlySet<string>;
  readonly #stand: string;
  readonly #wrong: boolean;
  readonly #multiLabel: boolean;
  readonly #found = new Map<string, Unknown>();
  #rows = 0;
  #all = 0;

  /** @param wrong - Whether rows with such labels are measured, counting each of those labels as missed. */
  constructor(labels: readonly string[], multiLabel: boolean, wrong: boolean) {
    this.#known = new Set(labels);
    this.#stand = labels[0]!;
    this.#multiLabel = multiLabel;
    this.#wrong = wrong;
  }

  /** Whether the evaluation has failed, so that only unknown labels of the remaining rows are collected. */
  get ends(): boolean {
    return !this.#wrong && this.#found.size > 0;
  }

  /** Checks a row. Returns its unknown labels, usually none. */
  see(given: GivenRow): string[] {
    this.#rows++;
    const row = labelled(given);
    // Invalid rows are refused when they are encoded.
    if (!row) return [];
    const labels = typeof row.label === 'string' ? [row.label] : row.label;
    // An empty one is refused there too.
    const unknown = labels.filter((label) => label !== '' && !this.#known.has(label));
    if (unknown.length === 0) return unknown;
    this.#all++;
    for (const label of new Set(unknown)) {
      const before = this.#found.get(label);
      if (before) before.rows++;
      else if (this.#found.size < MOST_LABELS) {
        this.#found.set(label, { rows: 1, row: this.#rows, line: row.line });
      }
    }
    return unknown;
  }

  /**
   * Yields rows that can be encoded; `unknown` receives the unknown labels of each yielded row. If such labels are
   * errors, their rows are skipped.
   */
  async *pass(
    rows: (Iterable<GivenRow> | AsyncIterable<GivenRow>) & RowsOrigin,
    unknown: string[][],
  ): AsyncGenerator<GivenRow, void, undefined> {
    for await (const given of rows) {
      const labels = this.see(given);
      if (labels.length > 0 && !this.#wrong) continue;
      unknown.push(labels);
      yield labels.length === 0 ? given : this.#standIn(given, labels);
    }
  }

  /** The row with only known labels: a single unknown label is replaced by a known one. */
  #standIn(given: GivenRow, unknown: readonly string[]): GivenRow {
    const { label } = labelled(given)!;
    const labels = typeof label === 'string' ? [label] : label;
    if (this.#multiLabel) return { ...given, label: labels.filter((each) => !unknown.includes(each)) };
    // Several exclusive labels are refused when rows are encoded.
    return labels.length === 1 ? { ...given, label: this.#stand } : given;
  }

  /** The error that lists all of them. */
  error(origin: RowsOrigin): DataError {
    const found = [...this.#found].sort(([, a], [, b]) => b.rows - a.rows);
    const named = found.map(
      ([label, { rows, row, line }]) =>
        `${JSON.stringify(label)} (${rows} ${rows === 1 ? 'row' : 'rows'}, first ${placeInWords(origin, row, line)})`,
    );
    const known = [...this.#known].map((label) => JSON.stringify(label));
    const message =
      `${this.#all} of ${counted(this.#rows)} ${this.#all === 1 ? 'has' : 'have'} an unknown label: ${listed(named)}; the known ones are ${listed(known)}; ` +
      "unknownLabels: 'wrong' (--unknown-labels wrong) counts them as wrong";
    const [first] = this.#found.values();
    return new DataError('UNKNOWN_LABEL', message, positionOf(origin, first?.row ?? 1, first?.line));
  }

  /** Rows of a source, with its origin. */
  passed(
    rows: (Iterable<GivenRow> | AsyncIterable<GivenRow>) & RowsOrigin,
    unknown: string[][],
  ): AsyncGenerator<GivenRow, void, undefined> & RowsOrigin {
    return withOrigin(this.pass(rows, unknown), rows);
  }
}
