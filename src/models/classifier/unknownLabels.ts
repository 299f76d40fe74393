import { DataError } from '../../core/errors.js';
import { listed } from '../../core/listed.js';
import { type GivenRow, type RowsOrigin, withOrigin } from '../../data/readers/rows.js';
import { labelled } from '../../data/sets/labels.js';

/** Labels that are told apart; what comes beyond is counted together. */
const MOST_LABELS = 10_000;

interface Unknown {
  rows: number;
  /** Where it was first met: a line of the file, or a row. */
  where: string;
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

  /** @param wrong - Whether rows of such labels are measured: each of those labels as one that the model did not give. */
  constructor(labels: readonly string[], multiLabel: boolean, wrong: boolean) {
    this.#known = new Set(labels);
    this.#stand = labels[0]!;
    this.#multiLabel = multiLabel;
    this.#wrong = wrong;
  }

  /** Whether the evaluation cannot go on: only the rest of the rows is to be looked through. */
  get ends(): boolean {
    return !this.#wrong && this.#found.size > 0;
  }

  /** Looks a row through. Returns its unknown labels, which are none as a rule. */
  see(given: GivenRow): string[] {
    this.#rows++;
    const row = labelled(given);
    // What does not fit is refused where rows are encoded.
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
        const where = row.line === undefined ? `row ${this.#rows}` : `line ${row.line}`;
        this.#found.set(label, { rows: 1, where, line: row.line });
      }
    }
    return unknown;
  }

  /**
   * Passes rows on as they can be encoded; `unknown` is given the unknown labels of each row that is passed on. Where such labels are
   * errors their rows are not.
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

  /** The row with known labels alone: a row of exclusive labels gets one in place of its own. */
  #standIn(given: GivenRow, unknown: readonly string[]): GivenRow {
    const { label } = labelled(given)!;
    const labels = typeof label === 'string' ? [label] : label;
    if (this.#multiLabel) return { ...given, label: labels.filter((each) => !unknown.includes(each)) };
    // Several exclusive labels are refused where rows are encoded.
    return labels.length === 1 ? { ...given, label: this.#stand } : given;
  }

  /** The error that lists all of them. */
  error(file: string | undefined): DataError {
    const found = [...this.#found].sort(([, a], [, b]) => b.rows - a.rows);
    const named = found.map(
      ([label, { rows, where }]) => `${JSON.stringify(label)} (${rows} ${rows === 1 ? 'row' : 'rows'}, first ${where})`,
    );
    const known = [...this.#known].map((label) => JSON.stringify(label));
    const message =
      `${this.#all} of ${this.#rows} rows have an unknown label: ${listed(named)}; the known ones are ${listed(known)}; ` +
      "unknownLabels: 'wrong' (--unknown-labels wrong) counts them as wrong";
    const line = Math.min(...[...this.#found.values()].map((each) => each.line ?? Number.POSITIVE_INFINITY));
    return new DataError('UNKNOWN_LABEL', message, { file, line: Number.isFinite(line) ? line : undefined });
  }

  /** Rows of a source, passed on with what is known of where they come from. */
  passed(
    rows: (Iterable<GivenRow> | AsyncIterable<GivenRow>) & RowsOrigin,
    unknown: string[][],
  ): AsyncGenerator<GivenRow, void, undefined> & RowsOrigin {
    return withOrigin(this.pass(rows, unknown), rows);
  }
}
